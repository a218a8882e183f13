//! Checkout: the process from a cart to a confirmed order, as far as it must be remembered.
//!
//! Its stream says which steps were taken, so that after a crash it goes on from the last one.
//! What to do next is decided in `sagas`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::OrderEndReason;
use crate::{CartId, OrderId, PaymentId, SkuId, Timestamp};

/// How a checkout ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutOutcome {
    Confirmed,
    Failed,
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum CheckoutEvent {
    Started {
        order_id: OrderId,
        cart_id: CartId,
        payment_id: PaymentId,
        /// SKUs with a hold for this order.
        skus: Vec<SkuId>,
        /// When the holds end unless the money is certain or unknown by then.
        hold_expires_at: Timestamp,
    },
    /// The order is to end without goods; money that was or may be taken goes back first.
    Compensating {
        reason: OrderEndReason,
        outcome: CheckoutOutcome,
    },
    Ended {
        outcome: CheckoutOutcome,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum CheckoutCommand {
    Start {
        order_id: OrderId,
        cart_id: CartId,
        payment_id: PaymentId,
        skus: Vec<SkuId>,
        hold_expires_at: Timestamp,
    },
    Compensate {
        reason: OrderEndReason,
        outcome: CheckoutOutcome,
    },
    End {
        outcome: CheckoutOutcome,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckoutOnRecord {
    pub order_id: OrderId,
    pub cart_id: CartId,
    pub payment_id: PaymentId,
    pub skus: Vec<SkuId>,
    pub hold_expires_at: Timestamp,
    pub compensating: Option<(OrderEndReason, CheckoutOutcome)>,
    pub outcome: Option<CheckoutOutcome>,
}

/// `None` until started.
pub type CheckoutState = Option<Box<CheckoutOnRecord>>;

/// The aggregate.
#[derive(Debug)]
pub struct Checkout;
