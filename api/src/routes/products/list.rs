//! `GET /products`.

mod answer;
mod query;
mod understood;

use search::FindError;

use super::on_show::shopper;
use crate::auth::Who;
use crate::auth::roles::ANYBODY;
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::wire::Query;
use answer::FoundProducts;
use query::ProductSearch;
use understood::understood;

/// Seconds after which a search engine that is away may be back.
const SOON: u64 = 1;

/// Products that are for sale: found by what was typed, or all that pass the filter.
///
/// Every page of one question has the same total and the same counts. Prices are those of who asks.
#[utoipa::path(get, path = "/products", tag = "catalogue", params(ProductSearch),
    responses((status = 200, description = "A page of products", body = FoundProducts)))]
pub(crate) async fn list_products(who: Who<ANYBODY>, Query(query): Query<ProductSearch>) -> Answer {
    who.wait_for_search().await?;
    let services = who.services();
    let shopper = shopper(&who).await?;
    let request = understood(query, shopper, services.engine.bus().now())?;
    let found = match services.search.find(&request).await {
        Ok(found) => found,
        Err(FindError::Invalid { field, message }) => {
            return Err(Problem::field(&field, "invalid", message));
        }
        Err(FindError::Unavailable(why)) => {
            services.searches.failed();
            tracing::warn!(why, "a search got no answer");
            let detail = "products cannot be searched for now";
            return Err(Problem::new(catalogue::SEARCH_NOT_AVAILABLE, detail).retry_after(SOON));
        }
    };
    services.searches.answered(found.found_by);
    let shelf = services.search.shelf();
    Reply::ok().for_who_asks().json(&FoundProducts::new(found, &request, shelf))
}
