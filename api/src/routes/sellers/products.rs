//! `GET /sellers/{seller_id}/products`.

use domain::SellerId;
use domain::product::ProductStatus;
use projections::Projector;
use projections::catalogue::{Catalogue, Cursor, Filter, Page, Request, Sort, Start, list};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER, SUPPORT};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::routes::page::limit_of;
use crate::routes::products::body::ProductSummaryBody;
use crate::wire::{Ids, Query, query};

query! {
    /// Which products.
    ListSellersProducts {
        /// active, inactive or deleted; all, if left out.
        status: ProductStatus = crate::openapi::shapes::ProductStatus,
        /// `next` of the page before, with the same filters.
        cursor: String = String,
        /// 1 to 100, 50 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductPage {
    /// At retail prices.
    products: Vec<ProductSummaryBody>,
    /// Products on all pages.
    total: u64,
    /// Where the next page begins; null on the last.
    next: Option<String>,
}

impl From<Page> for ProductPage {
    fn from(page: Page) -> Self {
        let next = page.next.map(|cursor| cursor.to_string());
        let products = page.products.into_iter().map(ProductSummaryBody::from).collect();
        Self { products, total: page.total, next }
    }
}

/// A seller's products whatever their status, the newest first.
#[utoipa::path(get, path = "/sellers/{seller_id}/products", tag = "catalogue",
    params(ListSellersProducts),
    responses((status = 200, description = "A page of products", body = ProductPage)))]
pub(crate) async fn list_sellers_products(
    who: Who<{ SELLER | SUPPORT | ADMIN }>,
    Ids((seller_id,)): Ids<(SellerId,)>,
    Query(query): Query<ListSellersProducts>,
) -> Answer {
    if !who.is_staff() && who.seller() != Some(seller_id) {
        return Err(Problem::not_found("seller"));
    }
    who.wait_for(&[Catalogue::NAME]).await?;
    let limit = limit_of(query.limit)?;
    let bad = |_| Problem::field("cursor", "invalid", "must be a `next` that was given out here");
    let after = query.cursor.map(|text| text.parse::<Cursor>().map_err(bad)).transpose()?;
    let start = after.map_or(Start::Page { sort: Sort::Newest, page: 1 }, Start::After);
    let filter = Filter { status: query.status, seller: Some(seller_id), ..Filter::default() };
    let request = Request { filter, start, limit, now: who.services().engine.bus().now() };
    let reads = who.services().reads.clone();
    let page = off_thread(move || reads.read(Catalogue::NAME, |c| list(c, &request))).await??;
    Reply::ok().json(&ProductPage::from(page))
}
