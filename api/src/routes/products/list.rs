//! `GET /products`.

use std::collections::BTreeSet;

use domain::{CategoryId, Currency, SellerId};
use projections::Projector;
use projections::catalogue::{
    Catalogue, Cursor, Filter, LIMIT_MAX, Page, PriceRange, Request, Sort, Start, list,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::ProductSummaryBody;
use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::{FieldError, Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::{Query, query};

const LIMIT: usize = 24;
/// Pages by number are for looking around; who wants everything follows the cursor.
const PAGE_MAX: u32 = 1_000;

query! {
    /// Which products; those that meet all of what is given.
    ListProducts {
        /// Full text; not available yet.
        q: String = String,
        /// In this category or below it.
        category: CategoryId = Uuid,
        brand: String = String,
        /// With all of these, separated by commas.
        tags: String = String,
        /// Lowest retail price from here, in minor units of `currency`.
        price_min: i64 = i64,
        /// Lowest retail price up to here.
        price_max: i64 = i64,
        /// For prices and for sorting by price.
        currency: Currency = String,
        in_stock: bool = bool,
        seller: SellerId = Uuid,
        /// newest (the default), name, price, -price or rating.
        sort: String = String,
        /// `next` of the page before, with the same filters.
        cursor: String = String,
        /// From 1 to 1000; instead of a cursor.
        #[param(minimum = 1, maximum = 1000)]
        page: u32 = u32,
        /// 1 to 100, 24 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductPage {
    products: Vec<ProductSummaryBody>,
    /// Products on all pages.
    total: u64,
    /// Where the next page begins; null on the last.
    next: Option<String>,
}

/// Products that are for sale.
#[utoipa::path(get, path = "/products", tag = "catalogue", params(ListProducts),
    responses((status = 200, description = "A page of products", body = ProductPage)))]
pub(crate) async fn list_products(who: Who<PUBLIC>, Query(query): Query<ListProducts>) -> Answer {
    if query.q.is_some() {
        let detail = "full-text search (`q`) is not available yet; use the filters";
        return Err(Problem::new(catalogue::SEARCH_NOT_AVAILABLE, detail));
    }
    who.wait_for(&[Catalogue::NAME]).await?;
    let request = understood(&who, query)?;
    let reads = who.services().reads.clone();
    let found = off_thread(move || reads.read(Catalogue::NAME, |c| list(c, &request)));
    let page = found.await??;
    Reply::ok().json(&ProductPage::from(page))
}

impl From<Page> for ProductPage {
    fn from(page: Page) -> Self {
        let next = page.next.map(|cursor| cursor.to_string());
        let products = page.products.into_iter().map(ProductSummaryBody::from).collect();
        Self { products, total: page.total, next }
    }
}

fn understood(who: &Who<PUBLIC>, query: ListProducts) -> Result<Request, Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError::new(field, "invalid", message));
    };
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        wrong("limit", &format!("must be from 1 to {LIMIT_MAX}"));
    }
    let page = query.page.unwrap_or(1);
    if !(1..=PAGE_MAX).contains(&page) {
        wrong("page", &format!("must be from 1 to {PAGE_MAX}"));
    }
    let bounded = query.price_min.is_some() || query.price_max.is_some();
    if bounded && query.currency.is_none() {
        wrong("currency", "is required with price_min or price_max");
    }
    if matches!((query.price_min, query.price_max), (Some(from), Some(to)) if from > to) {
        wrong("price_max", "must not be below price_min");
    }
    let sort = match (query.sort.as_deref(), query.currency) {
        (None | Some("newest"), _) => Sort::Newest,
        (Some("name"), _) => Sort::Name,
        (Some("rating"), _) => Sort::Rating,
        (Some("price"), Some(currency)) => Sort::PriceAscending(currency),
        (Some("-price"), Some(currency)) => Sort::PriceDescending(currency),
        (Some("price" | "-price"), None) => {
            wrong("currency", "is required to sort by price");
            Sort::Newest
        }
        (Some(_), _) => {
            wrong("sort", "must be newest, name, price, -price or rating");
            Sort::Newest
        }
    };
    let cursor: Option<Cursor> = match query.cursor.as_deref().map(str::parse).transpose() {
        Ok(cursor) => cursor,
        Err(_) => {
            wrong("cursor", "must be a `next` that was given out here");
            None
        }
    };
    if cursor.is_some() && (query.page.is_some() || query.sort.is_some()) {
        wrong("cursor", "carries its own sort and place: leave out `page` and `sort`");
    }
    crate::personal::checked(errors)?;
    let price = query.currency.filter(|_| bounded).map(|currency| PriceRange {
        currency,
        min_minor: query.price_min,
        max_minor: query.price_max,
    });
    let tags: BTreeSet<String> = query
        .tags
        .iter()
        .flat_map(|tags| tags.split(','))
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect();
    let filter = Filter {
        category: query.category,
        brand: query.brand,
        tags,
        price,
        in_stock: query.in_stock,
        seller: query.seller,
        ..Filter::default()
    };
    let start = cursor.map_or(Start::Page { sort, page }, Start::After);
    Ok(Request { filter, start, limit, now: who.services().engine.bus().now() })
}
