//! `POST /inventory/{sku_id}/counts`.

use domain::inventory::InventoryCommand;
use domain::{SkuId, WarehouseId};

use super::body::{StockBody, change_stock};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::wire::{Body, Ids, request};

request! {
    /// What was counted.
    CountStock {
        warehouse_id: WarehouseId = Uuid,
        on_hand: u32 = u32,
        /// What it is believed to be now; left out, the count overrides.
        expected: Option<u32> = Option<u32>,
        /// 1 to 500 characters.
        reason: String = String,
    }
}

/// Sets on hand to what was counted; units held for orders stay held.
#[utoipa::path(post, path = "/inventory/{sku_id}/counts", tag = "stock", request_body = CountStock,
    responses((status = 200, description = "The stock", body = StockBody)))]
pub(crate) async fn count_stock(
    who: Who<{ SELLER | ADMIN }>,
    Ids((sku_id,)): Ids<(SkuId,)>,
    body: Body<CountStock>,
) -> Answer {
    let CountStock { warehouse_id, on_hand, expected, reason } = body.value;
    let command = InventoryCommand::Count { warehouse_id, on_hand, expected, reason };
    let key = who.request_key(&body.bytes)?;
    change_stock(&who, key, sku_id, Some(warehouse_id), command).await
}
