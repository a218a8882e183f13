//! `PUT /products/{product_id}/prices`.

use domain::ProductId;
use domain::pricing::Prices;
use domain::product::{Product, ProductCommand};

use super::create::ProductRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// A product's base prices, all of them.
    RepriceProduct {
        /// Minor units by currency.
        base_prices: Prices = BTreeMap<String, i64>,
    }
}

/// Sets a product's base prices, which hold for SKUs without prices of their own.
#[utoipa::path(put, path = "/products/{product_id}/prices", tag = "catalogue",
    request_body = RepriceProduct,
    responses((status = 200, description = "Changed", body = ProductRef)))]
pub(crate) async fn reprice_product(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id,)): Ids<(ProductId,)>,
    body: Body<RepriceProduct>,
) -> Answer {
    let reach = Reach::of(&who)?;
    let command = ProductCommand::Reprice(body.value.base_prices);
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        reach.product(unit, product_id)?;
        seen_version::<Product>(unit, &product_id, seen)?;
        unit.execute::<Product>(&product_id, &command)?;
        Ok(ProductRef { product_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
