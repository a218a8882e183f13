//! Checkout: the process from a cart to a confirmed order, as far as it must be remembered.
//!
//! Its stream says which steps were taken, so that after a crash it goes on from the last one.
//! What to do next is decided in `sagas`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::OrderEndReason;
use crate::{CartId, Decider, OrderId, PaymentId, SkuId, Timestamp};

mod compensate;
mod end;
mod rejection;
mod start;

#[cfg(test)]
mod fixtures;

pub use rejection::CheckoutRejection;

/// How a checkout ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutOutcome {
    Confirmed,
    Failed,
    Cancelled,
}

/// The word used on the wire.
impl fmt::Display for CheckoutOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
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

impl Decider for Checkout {
    const CATEGORY: &'static str = "checkout";

    type Id = OrderId;
    type State = CheckoutState;
    type Command = CheckoutCommand;
    type Event = CheckoutEvent;
    type Rejection = CheckoutRejection;

    fn decide(
        state: &CheckoutState,
        command: &CheckoutCommand,
    ) -> Result<Vec<CheckoutEvent>, CheckoutRejection> {
        let on_record = || state.as_deref().ok_or(CheckoutRejection::NotFound);
        match command {
            CheckoutCommand::Start { order_id, cart_id, payment_id, skus, hold_expires_at } => {
                let begun = start::Begun {
                    order_id: *order_id,
                    cart_id: *cart_id,
                    payment_id: *payment_id,
                    skus,
                };
                start::start(state.as_deref(), &begun, *hold_expires_at)
            }
            CheckoutCommand::Compensate { reason, outcome } => {
                compensate::compensate(on_record()?, reason, *outcome)
            }
            CheckoutCommand::End { outcome } => end::end(on_record()?, *outcome),
        }
    }

    fn evolve(state: &mut CheckoutState, event: &CheckoutEvent) {
        match event {
            CheckoutEvent::Started { order_id, cart_id, payment_id, skus, hold_expires_at } => {
                *state = Some(Box::new(CheckoutOnRecord {
                    order_id: *order_id,
                    cart_id: *cart_id,
                    payment_id: *payment_id,
                    skus: skus.clone(),
                    hold_expires_at: *hold_expires_at,
                    compensating: None,
                    outcome: None,
                }));
            }
            CheckoutEvent::Compensating { reason, outcome } => {
                if let Some(checkout) = state {
                    checkout.compensating = Some((reason.clone(), *outcome));
                }
            }
            CheckoutEvent::Ended { outcome } => {
                if let Some(checkout) = state {
                    checkout.outcome = Some(*outcome);
                }
            }
        }
    }
}
