//! A warehouse, as whoever keeps stock sees it.

use domain::WarehouseId;
use domain::warehouse::WarehouseOnRecord;
use projections::parties::WarehouseView;
use serde::Serialize;
use utoipa::ToSchema;

/// One warehouse.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Warehouse)]
pub(crate) struct WarehouseBody {
    #[schema(value_type = Uuid)]
    warehouse_id: WarehouseId,
    /// As in the `ETag`.
    pub(crate) version: u64,
    name: String,
    /// Lower ranks are drawn on first.
    rank: u32,
    /// Whether it takes part in new orders.
    active: bool,
}

impl WarehouseBody {
    pub(crate) fn new(warehouse_id: WarehouseId, version: u64, known: &WarehouseOnRecord) -> Self {
        let name = known.details.name.clone();
        Self { warehouse_id, version, name, rank: known.details.rank, active: known.active }
    }
}

impl From<WarehouseView> for WarehouseBody {
    fn from(view: WarehouseView) -> Self {
        Self {
            warehouse_id: view.warehouse_id,
            version: view.version,
            name: view.details.name,
            rank: view.details.rank,
            active: view.active,
        }
    }
}
