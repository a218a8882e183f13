//! `GET /products/{product_id}/similar`.

use domain::ProductId;
use domain::pricing::Tier;
use serde::Serialize;
use utoipa::ToSchema;

use super::on_show::{ProductOnShow, known_product};
use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::{Ids, Query, query};

const LIMIT: usize = 10;
const LIMIT_MAX: usize = 20;

query! {
    /// How many.
    ListSimilar {
        /// 1 to 20, 10 if left out.
        #[param(minimum = 1, maximum = 20)]
        limit: usize = usize,
    }
}

/// A product like the one asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarBody {
    /// As everybody sees it, at retail prices.
    product: ProductOnShow,
    /// Cosine of both products' vectors, -1 to 1.
    similarity: f32,
}

/// What is like a product, the most alike first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarProducts {
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    similar: Vec<SimilarBody>,
}

/// Products for sale that are like a product by what is said about them.
#[utoipa::path(get, path = "/products/{product_id}/similar", tag = "catalogue",
    params(ListSimilar),
    responses((status = 200, description = "Similar products", body = SimilarProducts)))]
pub(crate) async fn list_similar(
    who: Who<PUBLIC>,
    Ids((product_id,)): Ids<(ProductId,)>,
    Query(query): Query<ListSimilar>,
) -> Answer {
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("must be from 1 to {LIMIT_MAX}");
        return Err(Problem::field("limit", "invalid", message));
    }
    who.wait_for_products().await?;
    known_product(&who, product_id).await?;
    let services = who.shared();
    let is_ready = services.recommend.has_similar(product_id);
    let like = move || {
        let shelf = services.search.shelf();
        services.recommend.similar(product_id, limit, &|id| shelf.contains(id))
    };
    // Without a list that is ready all vectors are gone through.
    let found = if is_ready { like() } else { off_thread(like).await? };
    let services = who.services();
    let now = services.engine.bus().now();
    let shelf = services.search.shelf();
    let similar = found.into_iter().filter_map(|similar| {
        let summary = shelf.summary(similar.product_id, Tier::Retail, now)?;
        let product = ProductOnShow::new(summary, None);
        Some(SimilarBody { product, similarity: similar.similarity })
    });
    let similar = similar.collect();
    Reply::ok().shared_unless_seen(&who, 60).json(&SimilarProducts { product_id, similar })
}
