//! `POST /inventory/{sku_id}/receipts`.

use domain::inventory::InventoryCommand;
use domain::{Quantity, SkuId, WarehouseId};

use super::body::{StockBody, change_stock};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::wire::{Body, Ids, request};

request! {
    /// A delivery.
    ReceiveStock {
        warehouse_id: WarehouseId = Uuid,
        #[schema(minimum = 1, maximum = 1_000_000_000)]
        quantity: Quantity = u32,
        /// The delivery note's number; makes a repeat harmless.
        reference: Option<String> = Option<String>,
    }
}

/// Takes in a delivery.
#[utoipa::path(post, path = "/inventory/{sku_id}/receipts", tag = "stock", request_body = ReceiveStock,
    responses((status = 200, description = "The stock", body = StockBody)))]
pub(crate) async fn receive_stock(
    who: Who<{ SELLER | ADMIN }>,
    Ids((sku_id,)): Ids<(SkuId,)>,
    body: Body<ReceiveStock>,
) -> Answer {
    let ReceiveStock { warehouse_id, quantity, reference } = body.value;
    let command = InventoryCommand::Receive { warehouse_id, quantity, reference };
    let key = who.request_key(&body.bytes)?;
    change_stock(&who, key, sku_id, Some(warehouse_id), command).await
}
