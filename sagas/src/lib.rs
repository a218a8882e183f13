//! What happens next: process managers, deadlines and effects, and the ports to payment
//! providers, carriers and notifications.

pub mod agenda;
pub mod checkout;
pub mod engine;
pub mod fulfilment;
pub mod key_store;
pub mod leadership;
pub mod payment_call;
pub mod payment_gateway;
pub mod refunds;
pub mod relay;
pub mod returns;
pub mod standard_webhooks;
pub mod webhook_inbox;
