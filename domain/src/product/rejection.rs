//! Why a command on a product was refused.

use serde::Serialize;

use crate::decider::{Rejection, RejectionKind};
use crate::{BrokenRule, SellerId, SkuId};

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ProductRejection {
    #[error("there is no such product")]
    NoSuchProduct,
    #[error("the product already exists, from seller {seller_id}")]
    ProductExists { seller_id: SellerId },
    #[error("the product is deleted and stays so")]
    ProductDeleted,
    #[error("the product has no SKU {sku_id}")]
    NoSuchSku { sku_id: SkuId },
    #[error("the product already has SKU {sku_id}, with other details or prices")]
    SkuExists { sku_id: SkuId },
    #[error("SKU {sku_id} is withdrawn and stays so")]
    SkuWithdrawn { sku_id: SkuId },
    #[error("a product has at most {max} SKUs")]
    TooManySkus { max: usize },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
}

impl Rejection for ProductRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoSuchProduct | Self::NoSuchSku { .. } => RejectionKind::NotFound,
            Self::InvalidValue(_) => RejectionKind::Invalid,
            Self::ProductExists { .. }
            | Self::ProductDeleted
            | Self::SkuExists { .. }
            | Self::SkuWithdrawn { .. }
            | Self::TooManySkus { .. } => RejectionKind::Conflict,
        }
    }
}
