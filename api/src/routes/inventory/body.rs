//! The stock of one SKU, as of its last change, and the one way to change it.

use commands::{RequestKey, Stop, Unit, known};
use domain::inventory::{Inventory, InventoryCommand};
use domain::warehouse::Warehouse;
use domain::{ProductId, SkuId, WarehouseId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Asking;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change};

/// Units at one warehouse.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct WarehouseStockBody {
    #[schema(value_type = Uuid)]
    warehouse_id: WarehouseId,
    on_hand: u32,
    /// For orders, firm or not.
    held: u32,
    unavailable: u32,
    /// On hand, neither held nor kept from sale; below zero when more is promised than there is.
    available: i64,
}

/// The stock of one SKU.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Stock)]
pub(crate) struct StockBody {
    #[schema(value_type = Uuid)]
    sku_id: SkuId,
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    /// As in the `ETag`.
    pub(crate) version: u64,
    /// Units that can be promised now, all warehouses together.
    available: i64,
    backorder: bool,
    warehouses: Vec<WarehouseStockBody>,
}

impl StockBody {
    pub(crate) fn read(unit: &mut Unit<'_>, sku_id: SkuId) -> Result<Self, Stop> {
        let (now, version) = (unit.now(), unit.version::<Inventory>(&sku_id)?);
        let stock = unit.state::<Inventory>(&sku_id)?;
        let product_id = *known(stock.product_id.as_ref(), "sku", sku_id)?;
        let warehouses = stock.warehouses.iter().map(|(warehouse_id, at)| WarehouseStockBody {
            warehouse_id: *warehouse_id,
            on_hand: at.on_hand,
            held: at.held,
            unavailable: at.unavailable,
            available: at.free(),
        });
        Ok(Self {
            sku_id,
            product_id,
            version,
            available: stock.available_total_for(now, None),
            backorder: stock.policy.backorder,
            warehouses: warehouses.collect(),
        })
    }
}

/// Changes the stock of a SKU that is the caller's, at a warehouse that exists.
pub(crate) async fn change_stock(
    who: &Asking,
    key: Option<RequestKey>,
    sku_id: SkuId,
    warehouse_id: Option<WarehouseId>,
    command: InventoryCommand,
) -> Answer {
    let reach = Reach::of(who)?;
    let done = change(who, key, move |unit| {
        reach.sku(unit, sku_id)?;
        if let Some(id) = warehouse_id {
            known(unit.state::<Warehouse>(&id)?.as_ref(), "warehouse", id)?;
        }
        unit.execute::<Inventory>(&sku_id, &command)?;
        StockBody::read(unit, sku_id)
    });
    let done = done.await?;
    Reply::ok()
        .etag(done.value.version)
        .position(who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
