//! What everybody may look at, as it is for who looks: their prices, and nobody else's answers.

use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{Currency, ProductId};
use projections::Projector;
use projections::catalogue::{Catalogue, ProductSummary, product};
use projections::parties::{Parties, customer};
use projections::purchases::Purchases;
use search::Shopper;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::ProductSummaryBody;
use crate::auth::Asking;
use crate::problem::Problem;
use crate::routes::off_thread;

/// A product that is for sale, as it is for who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductOnShow)]
pub(crate) struct ProductOnShow {
    #[serde(flatten)]
    summary: ProductSummaryBody,
    /// The lowest price in the currency asked for; null without a currency, or without a price in it.
    price: Option<i64>,
}

impl ProductOnShow {
    pub(crate) fn new(of: ProductSummary, currency: Option<Currency>) -> Self {
        let price = currency.and_then(|currency| of.lowest_prices.get(&currency).copied());
        Self { summary: of.into(), price }
    }
}

/// Who looks: a guest, or a customer with the terms they buy on. One who was erased, or whom the
/// shop does not know, is a guest.
pub(crate) async fn shopper(who: &Asking) -> Result<Shopper, Problem> {
    let Some(customer_id) = who.shops_for()? else { return Ok(Shopper::default()) };
    who.wait_for(&[Parties::NAME, Purchases::NAME]).await?;
    let reads = who.services().reads.clone();
    let found = off_thread(move || reads.read(Parties::NAME, |c| customer(c, customer_id)));
    let found = found.await??.filter(|customer| !customer.erased);
    Ok(Shopper {
        tier: found.as_ref().map_or(Tier::Retail, |customer| customer.tier),
        customer: found.map(|customer| customer.customer_id),
    })
}

/// Refuses a product that there never was, or that was deleted.
pub(crate) async fn known_product(who: &Asking, product_id: ProductId) -> Result<(), Problem> {
    let services = who.services();
    if services.search.shelf().contains(product_id) {
        return Ok(());
    }
    // Not for sale; it may be all the same.
    who.wait_for(&[Catalogue::NAME]).await?;
    let reads = services.reads.clone();
    let found = off_thread(move || reads.read(Catalogue::NAME, |c| product(c, product_id)));
    let found = found.await??.filter(|found| found.status != ProductStatus::Deleted);
    found.map(drop).ok_or_else(|| Problem::not_found("product"))
}
