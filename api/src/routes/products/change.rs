//! `PATCH /products/{product_id}`.

use std::collections::BTreeSet;

use commands::{catalogue, known};
use domain::product::{Product, ProductDetails};
use domain::{CategoryId, ProductId};

use super::create::ProductRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    large
    /// What changes; what is left out stays.
    ChangeProduct {
        name: Option<String> = Option<String>,
        description: Option<String> = Option<String>,
        category_id: Option<CategoryId> = Option<Uuid>,
        /// Empty for none.
        brand: Option<String> = Option<String>,
        tags: Option<BTreeSet<String>> = Option<Vec<String>>,
    }
}

/// Changes what is said about a product.
#[utoipa::path(patch, path = "/products/{product_id}", tag = "catalogue",
    request_body = ChangeProduct,
    responses((status = 200, description = "Changed", body = ProductRef)))]
pub(crate) async fn change_product(
    who: Who<{ SELLER | ADMIN }>,
    Ids((product_id,)): Ids<(ProductId,)>,
    body: Body<ChangeProduct>,
) -> Answer {
    let body = body.value;
    let reach = Reach::of(&who)?;
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        reach.product(unit, product_id)?;
        seen_version::<Product>(unit, &product_id, seen)?;
        let product = unit.state::<Product>(&product_id)?.as_deref();
        let before = known(product, "product", product_id)?.details.clone();
        let body = body.clone();
        let details = ProductDetails {
            name: body.name.unwrap_or(before.name),
            description: body.description.unwrap_or(before.description),
            category_id: body.category_id.or(before.category_id),
            brand: body.brand.map_or(before.brand, |brand| Some(brand).filter(|b| !b.is_empty())),
            tags: body.tags.unwrap_or(before.tags),
        };
        catalogue::change_product(unit, product_id, &details)?;
        Ok(ProductRef { product_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
