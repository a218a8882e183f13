//! `PUT /products/{product_id}/skus/{sku_id}/prices`.

use domain::product::{Product, ProductCommand};
use domain::{ProductId, SkuId};

use super::add_sku::SkuRef;
use super::prices::PriceBookBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// A SKU's prices, all of them.
    RepriceSku {
        prices: PriceBookBody = PriceBookBody,
    }
}

/// Sets a SKU's prices: its own, on sale, and wholesale.
#[utoipa::path(put, path = "/products/{product_id}/skus/{sku_id}/prices", tag = "catalogue",
    request_body = RepriceSku,
    responses((status = 200, description = "Changed", body = SkuRef)))]
pub(crate) async fn reprice_sku(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id, sku_id)): Ids<(ProductId, SkuId)>,
    body: Body<RepriceSku>,
) -> Answer {
    let reach = Reach::of(&who)?;
    let command = ProductCommand::RepriceSku { sku_id, prices: body.value.prices.into() };
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        reach.product(unit, product_id)?;
        seen_version::<Product>(unit, &product_id, seen)?;
        unit.execute::<Product>(&product_id, &command)?;
        Ok(SkuRef { product_id, sku_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
