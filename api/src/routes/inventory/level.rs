//! How much of a SKU there is at one warehouse, as the read model counts it.

use domain::{SkuId, WarehouseId};
use projections::stock::WarehouseStockView;
use serde::Serialize;
use utoipa::ToSchema;

/// Units of one SKU at one warehouse.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockLevel)]
pub(crate) struct LevelBody {
    #[schema(value_type = Uuid)]
    sku_id: SkuId,
    #[schema(value_type = Uuid)]
    warehouse_id: WarehouseId,
    on_hand: u32,
    /// For orders that may still end.
    held: u32,
    /// For confirmed orders.
    committed: u32,
    unavailable: u32,
    /// On hand, neither promised nor kept from sale; below zero when there is a shortage.
    available: i64,
    received: u64,
    returned: u64,
    shipped: u64,
    written_off: u64,
}

impl From<WarehouseStockView> for LevelBody {
    fn from(view: WarehouseStockView) -> Self {
        Self {
            sku_id: view.sku_id,
            warehouse_id: view.warehouse_id,
            on_hand: view.on_hand,
            held: view.held,
            committed: view.committed,
            unavailable: view.unavailable,
            available: view.available,
            received: view.received,
            returned: view.returned,
            shipped: view.shipped,
            written_off: view.written_off,
        }
    }
}
