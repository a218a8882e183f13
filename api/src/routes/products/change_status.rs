//! `POST /products/{product_id}/status`.

use domain::ProductId;
use domain::product::{Product, ProductCommand, ProductStatus};

use super::create::ProductRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// Whether it is for sale.
    ChangeProductStatus {
        /// active, inactive or deleted, which is for good.
        status: ProductStatus = crate::openapi::shapes::ProductStatus,
    }
}

/// Puts a product on sale, takes it off, or deletes it.
#[utoipa::path(post, path = "/products/{product_id}/status", tag = "catalogue",
    request_body = ChangeProductStatus,
    responses((status = 200, description = "Changed", body = ProductRef)))]
pub(crate) async fn change_product_status(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id,)): Ids<(ProductId,)>,
    body: Body<ChangeProductStatus>,
) -> Answer {
    let (reach, status) = (Reach::of(&who)?, body.value.status);
    let seen = who.if_match()?;
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        reach.product(unit, product_id)?;
        seen_version::<Product>(unit, &product_id, seen)?;
        unit.execute::<Product>(&product_id, &ProductCommand::ChangeStatus(status))?;
        Ok(ProductRef { product_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).replayed(done.replayed).json(&done.value)
}
