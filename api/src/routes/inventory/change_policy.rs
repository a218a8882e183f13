//! `PUT /inventory/{sku_id}/policy`.

use domain::SkuId;
use domain::inventory::{InventoryCommand, SoftHoldPolicy, StockPolicy};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{StockBody, change_stock};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::wire::{Body, Ids, request};

/// A unit in a cart is set aside for a while.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SoftHoldBody {
    /// How long a cart's units are set aside.
    ttl_seconds: u32,
    /// Most units one cart can set aside.
    cart_max: u32,
    /// Most units all carts together can set aside.
    total_max: u32,
}

request! {
    /// How a SKU is sold.
    ChangeStockPolicy {
        /// Off, if left out.
        soft_hold: Option<SoftHoldBody> = Option<SoftHoldBody>,
        /// Sold even when there is none; off, if left out.
        backorder: Option<bool> = Option<bool>,
    }
}

/// Sets how a SKU is sold: soft holds and backorders.
#[utoipa::path(put, path = "/inventory/{sku_id}/policy", tag = "stock",
    request_body = ChangeStockPolicy,
    responses((status = 200, description = "The stock", body = StockBody)))]
pub(crate) async fn change_stock_policy(
    who: Who<{ SELLER | ADMIN }>,
    Ids((sku_id,)): Ids<(SkuId,)>,
    body: Body<ChangeStockPolicy>,
) -> Answer {
    let ChangeStockPolicy { soft_hold, backorder } = body.value;
    let soft_hold = soft_hold.map(|SoftHoldBody { ttl_seconds, cart_max, total_max }| {
        SoftHoldPolicy { ttl_seconds, cart_max, total_max }
    });
    let policy = StockPolicy { soft_hold, backorder: backorder.unwrap_or(false) };
    change_stock(&who, None, sku_id, None, InventoryCommand::ChangePolicy { policy }).await
}
