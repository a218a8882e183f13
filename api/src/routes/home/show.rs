//! `GET /home`.

use domain::Currency;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::ANYBODY;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::products::on_show::{ProductOnShow, shopper};
use crate::wire::{Query, query};

const LIMIT: usize = 24;
const LIMIT_MAX: usize = 100;

query! {
    /// How many, and in which currency.
    ShowHome {
        /// For `price`.
        currency: Currency = String,
        /// 1 to 100, 24 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

/// A product for the front page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuggestionBody {
    product: ProductOnShow,
    /// What it is ranked by; only to be compared within one answer.
    score: f32,
    /// Why it is here.
    because: String,
}

/// What to show first, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HomePage {
    products: Vec<SuggestionBody>,
}

/// What to show first: a customer what they may like, a stranger what many do.
#[utoipa::path(get, path = "/home", tag = "catalogue", params(ShowHome),
    responses((status = 200, description = "Products to show first", body = HomePage)))]
pub(crate) async fn show_home(who: Who<ANYBODY>, Query(query): Query<ShowHome>) -> Answer {
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("must be from 1 to {LIMIT_MAX}");
        return Err(Problem::field("limit", "invalid", message));
    }
    who.wait_for_search().await?;
    let shopper = shopper(&who).await?;
    let services = who.services();
    let now = services.engine.bus().now();
    let shelf = services.search.shelf();
    let found = services.recommend.home(shopper.customer, limit, now);
    let products = found.into_iter().filter_map(|suggestion| {
        let summary = shelf.summary(suggestion.product_id, shopper.tier, now)?;
        Some(SuggestionBody {
            product: ProductOnShow::new(summary, query.currency),
            score: suggestion.score,
            because: suggestion.because.to_string(),
        })
    });
    let products = products.collect();
    Reply::ok().for_who_asks().json(&HomePage { products })
}
