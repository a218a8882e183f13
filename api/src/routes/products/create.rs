//! `POST /products`.

use std::collections::BTreeSet;

use commands::catalogue;
use domain::pricing::Prices;
use domain::product::ProductDetails;
use domain::{CategoryId, ProductId, SellerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::roles::{ADMIN, SELLER};
use crate::auth::{Asking, Who};
use crate::problem::{Problem, catalogue as problems};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    large
    /// A new product; it is for sale at once.
    CreateProduct {
        /// Whose it is; a seller's own, if left out.
        seller_id: Option<SellerId> = Option<Uuid>,
        name: String = String,
        description: Option<String> = Option<String>,
        category_id: Option<CategoryId> = Option<Uuid>,
        brand: Option<String> = Option<String>,
        tags: Option<BTreeSet<String>> = Option<Vec<String>>,
        /// Minor units by currency: `{"GBP": 1999}`.
        base_prices: Option<Prices> = Option<BTreeMap<String, i64>>,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ProductRef {
    #[schema(value_type = Uuid)]
    pub(crate) product_id: ProductId,
}

/// Creates a product.
#[utoipa::path(post, path = "/products", tag = "catalogue", request_body = CreateProduct,
    responses((status = 201, description = "The product's id", body = ProductRef)))]
pub(crate) async fn create_product(
    who: Who<{ SELLER | ADMIN }>,
    body: Body<CreateProduct>,
) -> Answer {
    let body_bytes = body.bytes;
    let body = body.value;
    let seller_id = seller_of(&who, body.seller_id)?;
    let details = ProductDetails {
        name: body.name,
        description: body.description.unwrap_or_default(),
        category_id: body.category_id,
        brand: body.brand,
        tags: body.tags.unwrap_or_default(),
    };
    let base_prices = body.base_prices.unwrap_or_default();
    let product_id = who.services().engine.bus().new_id();
    let done = change(&who, who.request_key(&body_bytes)?, move |unit| {
        catalogue::create_product(unit, product_id, seller_id, &details, &base_prices)?;
        Ok(ProductRef { product_id })
    })
    .await?;
    Reply::created(&format!("/products/{}", done.value.product_id))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}

/// A seller creates their own products; an admin says whose.
fn seller_of(who: &Asking, named: Option<SellerId>) -> Result<SellerId, Problem> {
    match (who.seller(), named) {
        (Some(own), named) if named.is_none_or(|id| id == own) => Ok(own),
        (Some(_), _) => {
            Err(Problem::new(problems::FORBIDDEN, "a seller creates their own products"))
        }
        (None, Some(named)) => Ok(named),
        (None, None) => Err(Problem::field("seller_id", "required", "is required")),
    }
}
