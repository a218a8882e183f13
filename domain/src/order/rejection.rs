//! Why an order command was refused.

use serde::Serialize;

use super::OrderStatus;
use crate::{LineNumber, OrderId, Rejection, RejectionKind, ReturnId, ShipmentId};

/// Which rule of an order was broken, and what was seen. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OrderRejection {
    #[error("there is no such order")]
    NotFound,
    #[error("order {order_id} is already on record with other content")]
    OrderDiffers { order_id: OrderId },
    #[error("an order that is {current} cannot become {requested}")]
    StatusConflict { current: OrderStatus, requested: OrderStatus },
    #[error("an order has 1 to {max} lines, not {given}")]
    LineCount { field: &'static str, given: usize, max: usize },
    #[error("lines are numbered 1 to {lines}, each number once; {line} is not such a number")]
    LineNumbering { field: &'static str, line: LineNumber, lines: usize },
    #[error("line {line} may have at most {max} units, not {given}")]
    LineQuantity { field: &'static str, line: LineNumber, given: u32, max: u32 },
    #[error("the price of line {line} must not be negative, as {given} is")]
    NegativePrice { field: &'static str, line: LineNumber, given: i64 },
    #[error("{field} must not be negative, as {given} is")]
    NegativeAmount { field: &'static str, given: i64 },
    #[error("{field} is beyond the largest amount there is")]
    AmountOutOfRange { field: &'static str },
    #[error("{field} must be {expected}, the exact sum, not {given}")]
    SumDiffers { field: &'static str, expected: i64, given: i64 },
    #[error("an order with a total of {total_minor} needs a payment")]
    PaymentMissing { field: &'static str, total_minor: i64 },
    #[error("an order with a total of 0 takes no payment")]
    PaymentNotNeeded { field: &'static str },
    #[error("at least one line is needed, none was given")]
    NoLines { field: &'static str },
    #[error("each line may be named once, {line} was named twice")]
    LineRepeated { field: &'static str, line: LineNumber },
    #[error("the order has no line {line}")]
    UnknownLine { field: &'static str, line: LineNumber },
    #[error(
        "line {line} has {ordered} units, {shipped} are shipped: {requested} more cannot be shipped"
    )]
    ShippedBeyondOrdered { line: LineNumber, ordered: u32, shipped: u32, requested: u32 },
    #[error(
        "of line {line} {delivered} units are delivered, {returned} came back: {requested} more cannot be returned"
    )]
    ReturnedBeyondDelivered { line: LineNumber, delivered: u32, returned: u32, requested: u32 },
    #[error("shipment {shipment_id} is already on record with other units")]
    ShipmentDiffers { shipment_id: ShipmentId },
    #[error("the order has no shipment {shipment_id}")]
    UnknownShipment { shipment_id: ShipmentId },
    #[error("return {return_id} is already on record with other units")]
    ReturnDiffers { return_id: ReturnId },
}

impl Rejection for OrderRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound | Self::UnknownShipment { .. } => RejectionKind::NotFound,
            Self::OrderDiffers { .. }
            | Self::StatusConflict { .. }
            | Self::ShippedBeyondOrdered { .. }
            | Self::ReturnedBeyondDelivered { .. }
            | Self::ShipmentDiffers { .. }
            | Self::ReturnDiffers { .. } => RejectionKind::Conflict,
            Self::LineCount { .. }
            | Self::LineNumbering { .. }
            | Self::LineQuantity { .. }
            | Self::NegativePrice { .. }
            | Self::NegativeAmount { .. }
            | Self::AmountOutOfRange { .. }
            | Self::SumDiffers { .. }
            | Self::PaymentMissing { .. }
            | Self::PaymentNotNeeded { .. }
            | Self::NoLines { .. }
            | Self::LineRepeated { .. }
            | Self::UnknownLine { .. } => RejectionKind::Invalid,
        }
    }
}
