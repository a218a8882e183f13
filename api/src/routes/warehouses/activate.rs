//! `POST /warehouses/{warehouse_id}/activate`, `POST /warehouses/{warehouse_id}/deactivate`.

use domain::WarehouseId;
use domain::warehouse::{Warehouse, WarehouseCommand};

use super::open::WarehouseRef;
use crate::auth::roles::ADMIN;
use crate::auth::{Asking, Who};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, Ids, Nothing};

/// Lets a warehouse take part in new orders again.
#[utoipa::path(post, path = "/warehouses/{warehouse_id}/activate", tag = "stock",
    request_body = Nothing,
    responses((status = 200, description = "Active", body = WarehouseRef)))]
pub(crate) async fn activate_warehouse(
    who: Who<ADMIN>,
    Ids((warehouse_id,)): Ids<(WarehouseId,)>,
    body: Body<Nothing>,
) -> Answer {
    run(&who, warehouse_id, WarehouseCommand::Activate, &body.bytes).await
}

/// Lets a warehouse take no part in new orders; what it holds for earlier ones still ships.
#[utoipa::path(post, path = "/warehouses/{warehouse_id}/deactivate", tag = "stock",
    request_body = Nothing,
    responses((status = 200, description = "Inactive", body = WarehouseRef)))]
pub(crate) async fn deactivate_warehouse(
    who: Who<ADMIN>,
    Ids((warehouse_id,)): Ids<(WarehouseId,)>,
    body: Body<Nothing>,
) -> Answer {
    run(&who, warehouse_id, WarehouseCommand::Deactivate, &body.bytes).await
}

async fn run(
    who: &Asking,
    warehouse_id: WarehouseId,
    command: WarehouseCommand,
    bytes: &[u8],
) -> Answer {
    let done = change(who, who.request_key(bytes)?, move |unit| {
        unit.execute::<Warehouse>(&warehouse_id, &command)?;
        Ok(WarehouseRef { warehouse_id })
    })
    .await?;
    Reply::ok().position(who, done.position).replayed(done.replayed).json(&done.value)
}
