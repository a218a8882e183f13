//! `DELETE /products/{product_id}/skus/{sku_id}`.

use domain::product::{Product, ProductCommand};
use domain::{ProductId, SkuId};

use super::add_sku::SkuRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_version};
use crate::wire::Ids;

/// Takes a SKU off sale for good; its stock and past orders stay. Harmless when repeated.
#[utoipa::path(delete, path = "/products/{product_id}/skus/{sku_id}", tag = "catalogue",
    responses((status = 200, description = "Withdrawn", body = SkuRef)))]
pub(crate) async fn withdraw_sku(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id, sku_id)): Ids<(ProductId, SkuId)>,
) -> Answer {
    let reach = Reach::of(&who)?;
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        reach.product(unit, product_id)?;
        seen_version::<Product>(unit, &product_id, seen)?;
        unit.execute::<Product>(&product_id, &ProductCommand::WithdrawSku { sku_id })?;
        Ok(SkuRef { product_id, sku_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
