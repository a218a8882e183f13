//! What the business decides: pure deciders, value types and events.
//!
//! Nothing here does I/O, is async, reads a clock, makes a random id, or knows a store,
//! HTTP or a framework. Time and fresh ids come in with each command.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

pub mod decider;
pub mod ids;
pub mod money;
pub mod pricing;
pub mod quantity;
pub mod rule;
pub mod sealed;

pub mod browsing;
pub mod category;
pub mod customer;
pub mod product;
pub mod rating;
pub mod seller;
pub mod warehouse;

pub mod allocation;
pub mod cart;
pub mod checkout;
pub mod inventory;
pub mod order;
pub mod payment;
pub mod product_return;
pub mod shipment;

#[cfg(test)]
mod testing;

pub use decider::{AggregateId, Decider, IdKey, Rejection, RejectionKind};
pub use ids::*;
pub use money::{Currency, Money, MoneyError};
pub use quantity::{Quantity, QuantityError};
pub use rule::BrokenRule;
pub use sealed::Sealed;

/// An instant in business time, UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
