//! `POST /products/{product_id}/skus`.

use std::collections::BTreeMap;

use commands::catalogue;
use domain::product::SkuDetails;
use domain::{ProductId, SkuId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::prices::PriceBookBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change};
use crate::wire::{Body, Ids, request};

request! {
    large
    /// A new SKU.
    AddSku {
        /// Colour, size and the like.
        attributes: Option<BTreeMap<String, String>> = Option<BTreeMap<String, String>>,
        weight_g: Option<u32> = Option<u32>,
        barcode: Option<String> = Option<String>,
        prices: Option<PriceBookBody> = Option<PriceBookBody>,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SkuRef {
    #[schema(value_type = Uuid)]
    pub(crate) product_id: ProductId,
    #[schema(value_type = Uuid)]
    pub(crate) sku_id: SkuId,
}

/// Adds a SKU to a product and opens its stock ledger.
#[utoipa::path(post, path = "/products/{product_id}/skus", tag = "catalogue",
    request_body = AddSku,
    responses((status = 201, description = "The SKU's id", body = SkuRef)))]
pub(crate) async fn add_sku(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id,)): Ids<(ProductId,)>,
    body: Body<AddSku>,
) -> Answer {
    let AddSku { attributes, weight_g, barcode, prices } = body.value;
    let details = SkuDetails { attributes: attributes.unwrap_or_default(), weight_g, barcode };
    let prices = prices.unwrap_or_default().into();
    let (reach, sku_id) = (Reach::of(&who)?, who.services().engine.bus().new_id());
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        reach.product(unit, product_id)?;
        catalogue::add_sku(unit, product_id, sku_id, &details, &prices)?;
        Ok(SkuRef { product_id, sku_id })
    })
    .await?;
    Reply::created(&format!("/products/{product_id}"))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
