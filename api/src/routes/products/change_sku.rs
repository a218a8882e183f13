//! `PATCH /products/{product_id}/skus/{sku_id}`.

use std::collections::BTreeMap;

use commands::known;
use domain::product::{Product, ProductCommand, SkuDetails};
use domain::{ProductId, SkuId};

use super::add_sku::SkuRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    large
    /// What changes; what is left out stays.
    ChangeSku {
        attributes: Option<BTreeMap<String, String>> = Option<BTreeMap<String, String>>,
        weight_g: Option<u32> = Option<u32>,
        /// Empty for none.
        barcode: Option<String> = Option<String>,
    }
}

/// Changes what is said about a SKU.
#[utoipa::path(patch, path = "/products/{product_id}/skus/{sku_id}", tag = "catalogue",
    request_body = ChangeSku,
    responses((status = 200, description = "Changed", body = SkuRef)))]
pub(crate) async fn change_sku(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id, sku_id)): Ids<(ProductId, SkuId)>,
    body: Body<ChangeSku>,
) -> Answer {
    let (reach, body) = (Reach::of(&who)?, body.value);
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        reach.product(unit, product_id)?;
        seen_version::<Product>(unit, &product_id, seen)?;
        let product = unit.state::<Product>(&product_id)?.as_deref();
        let sku = product.and_then(|product| product.skus.get(&sku_id));
        let before = known(sku, "sku", sku_id)?.details.clone();
        let body = body.clone();
        let details = SkuDetails {
            attributes: body.attributes.unwrap_or(before.attributes),
            weight_g: body.weight_g.or(before.weight_g),
            barcode: body
                .barcode
                .map_or(before.barcode, |code| Some(code).filter(|code| !code.is_empty())),
        };
        let command = ProductCommand::ChangeSkuDetails { sku_id, details };
        unit.execute::<Product>(&product_id, &command)?;
        Ok(SkuRef { product_id, sku_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
