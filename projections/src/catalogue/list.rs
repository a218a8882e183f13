//! Pages of products, by page number or from a cursor on.

mod cursor;
mod statement;

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::Connection;
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, ProductId, SellerId, Timestamp};
use serde::Serialize;

pub use cursor::{Cursor, CursorError};

use super::product_row::{Content, Stars};
use super::product_view::lowest_prices;
use crate::StoreError;
use crate::id_column::id;
use cursor::SortValue;
use statement::Statement;

/// Most products on a page.
pub const LIMIT_MAX: usize = 100;

/// Which products: those that meet all of what is given. The default is what the public sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// In this category or below it.
    pub category: Option<CategoryId>,
    pub brand: Option<String>,
    /// With all of these.
    pub tags: BTreeSet<String>,
    pub price: Option<PriceRange>,
    pub in_stock: Option<bool>,
    /// `None` for any status, which is for staff.
    pub status: Option<ProductStatus>,
    pub seller: Option<SellerId>,
}

/// Bounds on the lowest retail price that holds now, both included, in minor units of
/// `currency`. Products without a price in that currency are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceRange {
    pub currency: Currency,
    pub min_minor: Option<i64>,
    pub max_minor: Option<i64>,
}

/// An order of products; what is equal by it goes by age, so that it is the same every time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    /// Without regard to case.
    Name,
    /// By the lowest retail price that holds now. Lists only products with a price in that
    /// currency.
    PriceAscending(Currency),
    PriceDescending(Currency),
    /// The best mean first, then by number of ratings; products without ratings last.
    Rating,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// By number, from 1. Products that come or go in between move others from page to page.
    Page { sort: Sort, page: u32 },
    /// Behind the last product of another page, in the same order.
    After(Cursor),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub filter: Filter,
    pub start: Start,
    /// 1 to [`LIMIT_MAX`]; what is outside is brought in.
    pub limit: usize,
    /// Decides which sales hold.
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub products: Vec<ProductSummary>,
    /// Products on all pages.
    pub total: u64,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

/// What a list shows of a product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductSummary {
    pub product_id: ProductId,
    pub name: String,
    pub category_id: Option<CategoryId>,
    pub brand: Option<String>,
    pub tags: BTreeSet<String>,
    pub status: ProductStatus,
    pub seller_id: SellerId,
    /// The lowest retail price that holds now, in minor units, for each currency.
    pub lowest_prices: BTreeMap<Currency, i64>,
    pub in_stock: bool,
    pub stars: Stars,
    pub created_at: Timestamp,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            category: None,
            brand: None,
            tags: BTreeSet::new(),
            price: None,
            in_stock: None,
            status: Some(ProductStatus::Active),
            seller: None,
        }
    }
}

/// One page of products, all of it from one state of the store.
pub fn list(connection: &Connection, request: &Request) -> Result<Page, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let sort = match &request.start {
        Start::Page { sort, .. } => *sort,
        Start::After(cursor) => cursor.sort(),
    };
    let count = Statement::count(&request.filter, sort, request.now);
    let total = connection
        .prepare_cached(&count.sql)?
        .query_row(count.values.as_slice(), |row| row.get(0))?;

    let limit = request.limit.clamp(1, LIMIT_MAX);
    // One more than asked for tells whether there is a next page.
    let select = Statement::page(request, sort, limit + 1, limit);
    let mut statement = connection.prepare_cached(&select.sql)?;
    let mut rows = statement.query(select.values.as_slice())?;
    let mut products = Vec::with_capacity(limit);
    let mut last = Vec::new();
    let mut more = false;
    while let Some(row) = rows.next()? {
        if products.len() == limit {
            more = true;
            break;
        }
        let found = Found {
            number: row.get(0)?,
            product_id: id(&row, 1)?,
            in_stock: row.get(2)?,
            stars: Stars { sum: row.get(3)?, count: row.get(4)? },
        };
        last = (0..sort.columns().len())
            .map(|index| SortValue::read(row.get_ref(5 + index)?))
            .collect::<Result<_, StoreError>>()?;
        products.push(found.summary(connection, request.now)?);
    }
    Ok(Page { products, total, next: more.then(|| Cursor::new(sort, last)) })
}

/// A product's columns, before its content is read.
struct Found {
    number: i64,
    product_id: ProductId,
    in_stock: bool,
    stars: Stars,
}

impl Found {
    fn summary(
        self,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<ProductSummary, StoreError> {
        let content: String = connection
            .prepare_cached("SELECT content FROM product_content WHERE number = ?1")?
            .query_row([self.number], |row| row.get(0))?;
        let Content { created_at, product, .. } = serde_json::from_str(&content)?;
        Ok(ProductSummary {
            product_id: self.product_id,
            name: product.details.name,
            category_id: product.details.category_id,
            brand: product.details.brand,
            tags: product.details.tags,
            status: product.status,
            seller_id: product.seller_id,
            lowest_prices: lowest_prices(connection, self.number, now)?,
            in_stock: self.in_stock,
            stars: self.stars,
            created_at,
        })
    }
}
