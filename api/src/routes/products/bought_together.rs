//! `GET /products/{product_id}/frequently-bought-together`.

use domain::ProductId;
use domain::pricing::Tier;
use projections::Projector;
use projections::frequently_bought_together::{
    FrequentlyBoughtTogether, Freshness, Recommendation, Score, TOP_MAX, top,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::on_show::{ProductOnShow, known_product};
use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::{Ids, Query, query};

query! {
    /// How many, and by what.
    BoughtTogether {
        /// cosine (the default), lift, jaccard or count.
        score: Score = String,
        /// 1 to 20, 10 if left out.
        #[param(minimum = 1, maximum = 20)]
        limit: usize = usize,
    }
}

/// A product that was bought together with the one asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartnerBody {
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    /// As everybody sees it, at retail prices.
    product: ProductOnShow,
    /// Orders with both.
    together: u32,
    /// Orders with this one.
    orders: u32,
    cosine: f64,
    lift: f64,
    jaccard: f64,
}

/// The best partners of a product that are for sale, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoughtTogetherBody {
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    /// Orders with the product asked for.
    orders: u32,
    partners: Vec<PartnerBody>,
}

/// What was bought together with a product, normalised by popularity.
#[utoipa::path(get, path = "/products/{product_id}/frequently-bought-together", tag = "catalogue",
    params(BoughtTogether),
    responses((status = 200, description = "Partners", body = BoughtTogetherBody)))]
pub(crate) async fn list_bought_together(
    who: Who<PUBLIC>,
    Ids((product_id,)): Ids<(ProductId,)>,
    Query(query): Query<BoughtTogether>,
) -> Answer {
    let limit = query.limit.unwrap_or(10);
    if !(1..=TOP_MAX).contains(&limit) {
        let message = format!("must be from 1 to {TOP_MAX}");
        return Err(Problem::field("limit", "invalid", message));
    }
    who.wait_for(&[FrequentlyBoughtTogether::NAME]).await?;
    who.wait_for_products().await?;
    known_product(&who, product_id).await?;
    let reads = who.services().reads.clone();
    let score = query.score.unwrap_or_default();
    let found = off_thread(move || {
        reads.read(FrequentlyBoughtTogether::NAME, |connection| {
            // All that are stored, since some may not be for sale any more.
            top(connection, product_id, TOP_MAX, score, Freshness::Stored)
        })
    });
    let found = found.await??;
    let services = who.services();
    let ids: Vec<ProductId> = found.partners.iter().map(|partner| partner.product_id).collect();
    let now = services.engine.bus().now();
    let summaries = services.search.shelf().summaries(&ids, Tier::Retail, now);
    let mut partners = found.partners.into_iter();
    let partners = summaries.into_iter().filter_map(|summary| {
        // Both are in one order.
        let of = partners.find(|partner| partner.product_id == summary.product_id)?;
        Some(PartnerBody::new(&of, ProductOnShow::new(summary, None)))
    });
    let partners = partners.take(limit).collect();
    Reply::ok().shared_unless_seen(&who, 60).json(&BoughtTogetherBody {
        product_id,
        orders: found.orders,
        partners,
    })
}

impl PartnerBody {
    fn new(of: &Recommendation, product: ProductOnShow) -> Self {
        Self {
            product_id: of.product_id,
            product,
            together: of.together,
            orders: of.orders,
            cosine: of.cosine,
            lift: of.lift,
            jaccard: of.jaccard,
        }
    }
}
