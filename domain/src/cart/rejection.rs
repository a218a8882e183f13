//! Why a command on a cart was refused.

use serde::Serialize;

use crate::decider::{Rejection, RejectionKind};
use crate::{BrokenRule, CartId, Currency, OrderId, SkuId};

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CartRejection {
    #[error("there is no open cart")]
    CartNotOpen,
    #[error("the cart was merged into {into}")]
    CartMergedAway { into: CartId },
    #[error("the cart has no line for {sku_id}")]
    NoSuchLine { sku_id: SkuId },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
    /// A rule that depends on what the line has already.
    #[error("a line holds at most {max} units, {wanted} are wanted of {sku_id}")]
    LineQuantityExceeded { field: &'static str, sku_id: SkuId, max: u32, wanted: u64 },
    #[error("a cart has at most {max} lines")]
    TooManyLines { max: usize },
    #[error("the cart is in {cart}, not {given}")]
    CurrencyMismatch { cart: Currency, given: Currency },
    #[error("the cart's line for {sku_id} is not among those priced")]
    CartChanged { sku_id: SkuId },
    #[error("the cart is empty")]
    CartEmpty,
    #[error("the cart's lines are locked to order {order_id}")]
    CheckoutPending { order_id: OrderId },
    #[error("order {order_id} has none of this cart's lines")]
    CheckoutNotPending { order_id: OrderId },
    #[error("the checkout of order {order_id} is complete")]
    CheckoutCompleted { order_id: OrderId },
    #[error("order {order_id} has already given its lines back")]
    CheckoutReleased { order_id: OrderId },
}

impl Rejection for CartRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::CartNotOpen | Self::NoSuchLine { .. } => RejectionKind::NotFound,
            Self::InvalidValue(_) | Self::LineQuantityExceeded { .. } => RejectionKind::Invalid,
            Self::CartChanged { .. } => RejectionKind::Stale,
            Self::CartMergedAway { .. }
            | Self::TooManyLines { .. }
            | Self::CurrencyMismatch { .. }
            | Self::CartEmpty
            | Self::CheckoutPending { .. }
            | Self::CheckoutNotPending { .. }
            | Self::CheckoutCompleted { .. }
            | Self::CheckoutReleased { .. } => RejectionKind::Conflict,
        }
    }
}
