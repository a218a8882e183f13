//! `POST /inventory/{sku_id}/write-offs`.

use domain::inventory::InventoryCommand;
use domain::{Quantity, SkuId, WarehouseId};

use super::body::{StockBody, change_stock};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::wire::{Body, Ids, request};

request! {
    /// Units that are gone.
    WriteOffStock {
        warehouse_id: WarehouseId = Uuid,
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        quantity: Quantity = u32,
        /// 1 to 500 characters.
        reason: String = String,
    }
}

/// Writes units off.
#[utoipa::path(post, path = "/inventory/{sku_id}/write-offs", tag = "stock", request_body = WriteOffStock,
    responses((status = 200, description = "The stock", body = StockBody)))]
pub(crate) async fn write_off_stock(
    who: Who<{ SELLER | ADMIN }>,
    Ids((sku_id,)): Ids<(SkuId,)>,
    body: Body<WriteOffStock>,
) -> Answer {
    let WriteOffStock { warehouse_id, quantity, reason } = body.value;
    let command = InventoryCommand::WriteOff { warehouse_id, quantity, reason };
    let key = who.request_key(&body.bytes)?;
    change_stock(&who, key, sku_id, Some(warehouse_id), command).await
}
