//! What happens next: process managers, deadlines and effects, and the ports to payment
//! providers, carriers and notifications.

pub mod payment_gateway;
pub mod standard_webhooks;
