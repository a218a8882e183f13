//! `GET /warehouses/{warehouse_id}/stock`.

use domain::warehouse::Warehouse;
use domain::{SkuId, WarehouseId};
use projections::Projector;
use projections::stock::{Stock, by_warehouse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SUPPORT};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::inventory::level::LevelBody;
use crate::routes::off_thread;
use crate::routes::page::{ListParties, limit_of, next_of};
use crate::wire::{Ids, Query};

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarehouseStockPage {
    stock: Vec<LevelBody>,
    /// The `cursor` of the next page; null on the last.
    #[schema(value_type = Option<String>)]
    next: Option<SkuId>,
}

/// What a warehouse holds, by SKU.
#[utoipa::path(get, path = "/warehouses/{warehouse_id}/stock", tag = "stock", params(ListParties),
    responses((status = 200, description = "A page of SKUs", body = WarehouseStockPage)))]
pub(crate) async fn list_warehouse_stock(
    who: Who<{ SUPPORT | ADMIN }>,
    Ids((warehouse_id,)): Ids<(WarehouseId,)>,
    Query(query): Query<ListParties>,
) -> Answer {
    who.wait_for(&[Stock::NAME]).await?;
    let (limit, after) = (limit_of(query.limit)?, query.cursor.map(SkuId::new));
    let bus = who.services().engine.bus();
    if !bus.read::<Warehouse, _>(warehouse_id, Option::is_some).await?.value {
        return Err(Problem::not_found("warehouse"));
    }
    let reads = who.services().reads.clone();
    let mut found =
        off_thread(move || by_warehouse(&reads, warehouse_id, after, limit + 1)).await??;
    let next = next_of(&mut found, limit, |level| level.sku_id);
    let stock = found.into_iter().map(LevelBody::from).collect();
    Reply::ok().json(&WarehouseStockPage { stock, next })
}
