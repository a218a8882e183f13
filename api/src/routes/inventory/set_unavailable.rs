//! `POST /inventory/{sku_id}/unavailable`.

use domain::inventory::InventoryCommand;
use domain::{SkuId, WarehouseId};

use super::body::{StockBody, change_stock};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::wire::{Body, Ids, request};

request! {
    /// Units kept from sale.
    SetUnavailable {
        warehouse_id: WarehouseId = Uuid,
        /// Replaces the number before.
        unavailable: u32 = u32,
        /// 1 to 500 characters.
        reason: String = String,
    }
}

/// Sets how many units are kept from sale, such as damaged ones.
#[utoipa::path(post, path = "/inventory/{sku_id}/unavailable", tag = "stock", request_body = SetUnavailable,
    responses((status = 200, description = "The stock", body = StockBody)))]
pub(crate) async fn set_unavailable(
    who: Who<{ SELLER | ADMIN }>,
    Ids((sku_id,)): Ids<(SkuId,)>,
    body: Body<SetUnavailable>,
) -> Answer {
    let SetUnavailable { warehouse_id, unavailable, reason } = body.value;
    let command = InventoryCommand::SetUnavailable { warehouse_id, unavailable, reason };
    let key = who.request_key(&body.bytes)?;
    change_stock(&who, key, sku_id, Some(warehouse_id), command).await
}
