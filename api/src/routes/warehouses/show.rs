//! `GET /warehouses/{warehouse_id}`.

use domain::WarehouseId;
use domain::warehouse::Warehouse;

use super::body::WarehouseBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::wire::Ids;

/// One warehouse.
#[utoipa::path(get, path = "/warehouses/{warehouse_id}", tag = "stock",
    responses((status = 200, description = "The warehouse", body = WarehouseBody)))]
pub(crate) async fn show_warehouse(
    who: Who<{ SELLER | SUPPORT | ADMIN }>,
    Ids((warehouse_id,)): Ids<(WarehouseId,)>,
) -> Answer {
    who.wait_for(&[]).await?;
    let caller = who.caller();
    let read = who.services().engine.bus().run(&caller, move |unit| {
        let version = unit.version::<Warehouse>(&warehouse_id)?;
        let warehouse = unit.state::<Warehouse>(&warehouse_id)?.as_ref();
        let known = commands::known(warehouse, "warehouse", warehouse_id)?;
        Ok(WarehouseBody::new(warehouse_id, version, known))
    });
    let body = read.await?.value;
    Reply::ok().etag(body.version).json(&body)
}
