//! Why a checkout command was refused.

use serde::Serialize;

use super::CheckoutOutcome;
use crate::{OrderId, Rejection, RejectionKind};

/// Which rule of a checkout was broken, and what was seen.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CheckoutRejection {
    #[error("there is no such checkout")]
    NotFound,
    #[error("the checkout of order {order_id} is already on record with other content")]
    CheckoutDiffers { order_id: OrderId },
    #[error("a checkout is compensated to failed or cancelled, not to {given}")]
    NotCompensable { field: &'static str, given: CheckoutOutcome },
    #[error("a checkout that ended {current} cannot be compensated to {requested}")]
    CompensatedAfterEnd { current: CheckoutOutcome, requested: CheckoutOutcome },
    #[error("a checkout that ended {current} cannot end {requested}")]
    AlreadyEnded { current: CheckoutOutcome, requested: CheckoutOutcome },
    #[error("a checkout that is compensating to {compensating} cannot end {requested}")]
    Compensating { compensating: CheckoutOutcome, requested: CheckoutOutcome },
    #[error("a checkout that is not compensating cannot end {requested}")]
    NotCompensating { requested: CheckoutOutcome },
}

impl Rejection for CheckoutRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::NotCompensable { .. } => RejectionKind::Invalid,
            Self::CheckoutDiffers { .. }
            | Self::CompensatedAfterEnd { .. }
            | Self::AlreadyEnded { .. }
            | Self::Compensating { .. }
            | Self::NotCompensating { .. } => RejectionKind::Conflict,
        }
    }
}
