//! `GET /home`.

use domain::{Currency, ProductId};
use search::{Because, RecommendError, Shelf, Shopper, Suggestion};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::roles::ANYBODY;
use crate::auth::{Asking, Who};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::routes::products::on_show::{ProductOnShow, shopper};
use crate::wire::{Query, query};

const LIMIT: usize = 24;
const LIMIT_MAX: usize = 50;

query! {
    /// How many, and in which currency.
    ShowHome {
        /// For `price`.
        currency: Currency = String,
        /// 1 to 50, 24 if left out.
        #[param(minimum = 1, maximum = 50)]
        limit: usize = usize,
    }
}

/// The reason that counted most.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The customer bought it before.
    BoughtAgain,
    /// The customer looked at it before.
    ViewedBefore,
    /// Bought by the same people as what the customer bought.
    SimilarToBought,
    /// Bought by the same people as what the customer looked at.
    SimilarToViewed,
    /// Often in one order with what the customer bought.
    OftenBoughtWith,
    /// Many buy it now.
    Popular,
    /// New in the shop.
    New,
}

/// Why a product is shown.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct BecauseBody {
    reason: Reason,
    /// Of the customer's, if the reason is one.
    #[schema(value_type = Option<Uuid>)]
    product_id: Option<ProductId>,
}

/// A product for the front page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuggestionBody {
    product: ProductOnShow,
    /// What it is ranked by; only to be compared within one answer.
    score: f32,
    because: BecauseBody,
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
    who.wait_for_products().await?;
    let shopper = shopper(&who).await?;
    let suggested = suggested(&who, shopper, limit).await?;
    let now = who.services().engine.bus().now();
    let shelf = who.services().search.shelf();
    let products = suggested.into_iter().filter_map(|suggestion| {
        let summary = shelf.summary(suggestion.product_id, shopper.tier, now)?;
        Some(SuggestionBody {
            product: ProductOnShow::new(summary, query.currency),
            score: suggestion.score,
            because: suggestion.because.into(),
        })
    });
    let products = products.collect();
    Reply::ok().for_who_asks().json(&HomePage { products })
}

async fn suggested(
    who: &Asking,
    shopper: Shopper,
    limit: usize,
) -> Result<Vec<Suggestion>, Problem> {
    let services = who.shared();
    let now = services.engine.bus().now();
    let suggest = move || {
        let shelf: &Shelf = services.search.shelf();
        services.recommend.home(shopper.customer, limit, now, &|id| shelf.is_in_stock(id))
    };
    let suggested = match shopper.customer {
        // Ready in memory.
        None => suggest(),
        // What they bought may have to be read.
        Some(_) => off_thread(suggest).await?,
    };
    suggested.map_err(|error| match error {
        RecommendError::Purchases(_) | RecommendError::Index(_) => {
            tracing::error!(%error, "there is no front page");
            let detail = "what to show cannot be told for now";
            Problem::new(catalogue::READ_MODEL_UNAVAILABLE, detail).retry_after(1)
        }
    })
}

impl From<Because> for BecauseBody {
    fn from(because: Because) -> Self {
        let (reason, product_id) = match because {
            Because::BoughtAgain => (Reason::BoughtAgain, None),
            Because::ViewedBefore => (Reason::ViewedBefore, None),
            Because::SimilarToBought(id) => (Reason::SimilarToBought, Some(id)),
            Because::SimilarToViewed(id) => (Reason::SimilarToViewed, Some(id)),
            Because::OftenBoughtWith(id) => (Reason::OftenBoughtWith, Some(id)),
            Because::Popular => (Reason::Popular, None),
            Because::New => (Reason::New, None),
        };
        Self { reason, product_id }
    }
}
