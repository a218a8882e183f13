//! Why a command on stock was refused.

use serde::Serialize;

use super::Allocation;
use crate::decider::{Rejection, RejectionKind};
use crate::{BrokenRule, OrderId, ProductId, ReturnId, WarehouseId};

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum InventoryRejection {
    #[error("no stock of this SKU is kept yet")]
    StockNotOpen,
    #[error("the SKU already belongs to product {product_id}")]
    StockOfOtherProduct { product_id: ProductId },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
    #[error("on hand at {warehouse_id} is {actual}, not the {expected} it was believed to be")]
    StockChanged { warehouse_id: WarehouseId, expected: u32, actual: u32 },
    /// `warehouse_id` is `None` when all warehouses together have too little.
    #[error("{wanted} units are wanted but {available} are available")]
    InsufficientStock {
        #[serde(skip_serializing_if = "Option::is_none")]
        warehouse_id: Option<WarehouseId>,
        wanted: u64,
        available: i64,
    },
    #[error("order {order_id} already holds other units than these")]
    HeldOtherwise { order_id: OrderId, held: Vec<Allocation> },
    #[error("the hold of order {order_id} has ended and cannot start again")]
    HoldEnded { order_id: OrderId },
    #[error("order {order_id} holds {held} units here, not {wanted}")]
    NotHeld { order_id: OrderId, wanted: u32, held: u64 },
    #[error("{wanted} units are to leave but {there} of those held are there")]
    HeldButMissing { order_id: OrderId, wanted: u32, there: u64 },
    #[error("delivery `{reference}` was already taken in with {received} units")]
    ReferenceUsed { reference: String, received: u32 },
    #[error(
        "return {return_id} was already taken back with {resellable} resellable and {scrapped} scrapped"
    )]
    TakenBackOtherwise { return_id: ReturnId, resellable: u32, scrapped: u32 },
}

impl Rejection for InventoryRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::StockNotOpen => RejectionKind::NotFound,
            Self::InvalidValue(_) => RejectionKind::Invalid,
            Self::StockChanged { .. } => RejectionKind::Stale,
            Self::StockOfOtherProduct { .. }
            | Self::InsufficientStock { .. }
            | Self::HeldOtherwise { .. }
            | Self::HoldEnded { .. }
            | Self::NotHeld { .. }
            | Self::HeldButMissing { .. }
            | Self::ReferenceUsed { .. }
            | Self::TakenBackOtherwise { .. } => RejectionKind::Conflict,
        }
    }
}
