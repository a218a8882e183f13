//! Return: units of an order a buyer sends back, and what for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::LineUnits;
use crate::{Decider, OrderId, Quantity, RefundId, ReturnId};

mod receive;
mod reject;
mod rejection;
mod request;

#[cfg(test)]
mod fixtures;

pub use rejection::ReturnRejection;

/// Why goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    Damaged,
    WrongItem,
    NotAsDescribed,
    TooLate,
    ChangedMind,
    Other,
}

/// What was found when one line's units arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceivedUnits {
    pub line: u32,
    pub quantity: Quantity,
    /// Of these, how many can be sold again.
    pub resellable: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ReturnEvent {
    Requested {
        return_id: ReturnId,
        order_id: OrderId,
        /// The number the buyer writes on the parcel.
        rma_number: String,
        lines: Vec<LineUnits>,
        reason: ReturnReason,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// The goods arrived and were looked at; `refund_minor` is owed for them.
    Received {
        order_id: OrderId,
        lines: Vec<ReceivedUnits>,
        refund_minor: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund_id: Option<RefundId>,
    },
    Rejected {
        order_id: OrderId,
        note: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum ReturnCommand {
    Request {
        return_id: ReturnId,
        order_id: OrderId,
        rma_number: String,
        lines: Vec<LineUnits>,
        reason: ReturnReason,
        note: String,
    },
    /// At most the units requested, each line once.
    Receive {
        lines: Vec<ReceivedUnits>,
        refund_minor: i64,
        refund_id: Option<RefundId>,
    },
    Reject {
        note: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStatus {
    Requested,
    Received,
    Rejected,
}

/// The word used on the wire.
impl fmt::Display for ReturnStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "requested",
            Self::Received => "received",
            Self::Rejected => "rejected",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnOnRecord {
    pub order_id: OrderId,
    pub rma_number: String,
    pub lines: Vec<LineUnits>,
    pub received: Vec<ReceivedUnits>,
    pub status: ReturnStatus,
}

/// `None` until requested.
pub type ReturnState = Option<ReturnOnRecord>;

/// The aggregate; named in full because `return` is Rust's own word.
#[derive(Debug)]
pub struct ProductReturn;

impl Decider for ProductReturn {
    const CATEGORY: &'static str = "return";

    type Id = ReturnId;
    type State = ReturnState;
    type Command = ReturnCommand;
    type Event = ReturnEvent;
    type Rejection = ReturnRejection;

    fn decide(
        state: &ReturnState,
        command: &ReturnCommand,
    ) -> Result<Vec<ReturnEvent>, ReturnRejection> {
        let on_record = || state.as_ref().ok_or(ReturnRejection::NotFound);
        match command {
            ReturnCommand::Request { return_id, order_id, rma_number, lines, reason, note } => {
                let asked = request::Asked {
                    return_id: *return_id,
                    order_id: *order_id,
                    rma_number,
                    lines,
                };
                request::request(state.as_ref(), &asked, *reason, note)
            }
            ReturnCommand::Receive { lines, refund_minor, refund_id } => {
                receive::receive(on_record()?, lines, *refund_minor, *refund_id)
            }
            ReturnCommand::Reject { note } => reject::reject(on_record()?, note),
        }
    }

    fn evolve(state: &mut ReturnState, event: &ReturnEvent) {
        match event {
            ReturnEvent::Requested {
                return_id: _,
                order_id,
                rma_number,
                lines,
                reason: _,
                note: _,
            } => {
                *state = Some(ReturnOnRecord {
                    order_id: *order_id,
                    rma_number: rma_number.clone(),
                    lines: lines.clone(),
                    received: vec![],
                    status: ReturnStatus::Requested,
                });
            }
            ReturnEvent::Received { order_id: _, lines, refund_minor: _, refund_id: _ } => {
                if let Some(on_record) = state {
                    on_record.received.clone_from(lines);
                    on_record.status = ReturnStatus::Received;
                }
            }
            ReturnEvent::Rejected { order_id: _, note: _ } => {
                if let Some(on_record) = state {
                    on_record.status = ReturnStatus::Rejected;
                }
            }
        }
    }
}
