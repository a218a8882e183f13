//! `POST /warehouses`.

use domain::WarehouseId;
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// A new warehouse; it takes part in orders at once.
    OpenWarehouse {
        name: String = String,
        /// Lower ranks are drawn on first; 0 if left out.
        rank: Option<u32> = Option<u32>,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct WarehouseRef {
    #[schema(value_type = Uuid)]
    pub(crate) warehouse_id: WarehouseId,
}

/// Opens a warehouse.
#[utoipa::path(post, path = "/warehouses", tag = "stock", request_body = OpenWarehouse,
    responses((status = 201, description = "The warehouse's id", body = WarehouseRef)))]
pub(crate) async fn open_warehouse(who: Who<ADMIN>, body: Body<OpenWarehouse>) -> Answer {
    let OpenWarehouse { name, rank } = body.value;
    let warehouse_id = who.services().engine.bus().new_id();
    let details = WarehouseDetails { name, rank: rank.unwrap_or(0) };
    let command = WarehouseCommand::Open { warehouse_id, details };
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        unit.execute::<Warehouse>(&warehouse_id, &command)?;
        Ok(WarehouseRef { warehouse_id })
    })
    .await?;
    Reply::created(&format!("/warehouses/{}", done.value.warehouse_id))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
