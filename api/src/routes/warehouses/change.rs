//! `PATCH /warehouses/{warehouse_id}`.

use domain::WarehouseId;
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};

use super::open::WarehouseRef;
use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// What changes; what is left out stays.
    ChangeWarehouse {
        name: Option<String> = Option<String>,
        rank: Option<u32> = Option<u32>,
    }
}

/// Changes what is said about a warehouse.
#[utoipa::path(patch, path = "/warehouses/{warehouse_id}", tag = "stock",
    request_body = ChangeWarehouse,
    responses((status = 200, description = "Changed", body = WarehouseRef)))]
pub(crate) async fn change_warehouse(
    who: Who<ADMIN>,
    Ids((warehouse_id,)): Ids<(WarehouseId,)>,
    body: Body<ChangeWarehouse>,
) -> Answer {
    let ChangeWarehouse { name, rank } = body.value;
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        seen_version::<Warehouse>(unit, &warehouse_id, seen)?;
        let warehouse = unit.state::<Warehouse>(&warehouse_id)?.as_ref();
        let known = commands::known(warehouse, "warehouse", warehouse_id)?;
        let details = WarehouseDetails {
            name: name.clone().unwrap_or_else(|| known.details.name.clone()),
            rank: rank.unwrap_or(known.details.rank),
        };
        unit.execute::<Warehouse>(&warehouse_id, &WarehouseCommand::ChangeDetails(details))?;
        Ok(WarehouseRef { warehouse_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
