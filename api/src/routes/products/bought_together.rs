//! `GET /products/{product_id}/frequently-bought-together`.

use domain::ProductId;
use projections::Projector;
use projections::frequently_bought_together::{
    FrequentlyBoughtTogether, Freshness, Score, TOP_MAX, top,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::{Ids, Query, query};

query! {
    /// How many.
    BoughtTogether {
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
    /// Orders with both.
    together: u32,
    /// Orders with this one.
    orders: u32,
    cosine: f64,
    lift: f64,
    jaccard: f64,
}

/// The best partners of a product, best first.
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
    let reads = who.services().reads.clone();
    let found = off_thread(move || {
        reads.read(FrequentlyBoughtTogether::NAME, |connection| {
            top(connection, product_id, limit, Score::default(), Freshness::Stored)
        })
    });
    let found = found.await??;
    let partners = found.partners.iter().map(|partner| PartnerBody {
        product_id: partner.product_id,
        together: partner.together,
        orders: partner.orders,
        cosine: partner.cosine,
        lift: partner.lift,
        jaccard: partner.jaccard,
    });
    let partners = partners.collect();
    Reply::ok().shared_for(60).json(&BoughtTogetherBody {
        product_id,
        orders: found.orders,
        partners,
    })
}
