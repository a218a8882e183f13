//! Return: units of an order a buyer sends back, and what for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::LineUnits;
use crate::{OrderId, Quantity, RefundId, ReturnId};

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
