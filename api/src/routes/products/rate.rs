//! `POST /products/{product_id}/ratings`.

use commands::catalogue;
use domain::{OrderId, ProductId};

use super::create::ProductRef;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, Ids, request};

request! {
    /// What a buyer thinks of a product.
    RateProduct {
        /// An order of the customer's that holds the product.
        order_id: OrderId = Uuid,
        /// 1 to 5.
        stars: u8 = u8,
    }
}

/// Rates a product; a later rating by the same buyer replaces the earlier one.
#[utoipa::path(post, path = "/products/{product_id}/ratings", tag = "catalogue",
    request_body = RateProduct,
    responses((status = 201, description = "Rated", body = ProductRef)))]
pub(crate) async fn rate_product(
    who: Who<SHOPPER>,
    Ids((product_id,)): Ids<(ProductId,)>,
    body: Body<RateProduct>,
) -> Answer {
    let customer = who.shops_for()?.ok_or_else(|| {
        Problem::field("Tillroll-Customer", "required", "name the customer who rates")
    })?;
    let RateProduct { order_id, stars } = body.value;
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        catalogue::rate_product(unit, product_id, customer, order_id, stars)?;
        Ok(ProductRef { product_id })
    })
    .await?;
    Reply::created(&format!("/products/{product_id}"))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
