//! Starts keeping stock of a SKU.

use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{ProductId, SkuId};

pub(super) fn decide(
    state: &InventoryState,
    sku_id: SkuId,
    product_id: ProductId,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    match state.product_id {
        None => Ok(vec![InventoryEvent::Opened { sku_id, product_id }]),
        Some(known) if known == product_id => Ok(vec![]),
        Some(known) => Err(InventoryRejection::StockOfOtherProduct { product_id: known }),
    }
}
