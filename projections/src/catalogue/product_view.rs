//! One product as its page shows it.

use std::collections::BTreeMap;

use crate::sql::{Connection, params};
use domain::pricing::{PriceBook, Prices};
use domain::product::{ProductDetails, ProductStatus, SkuDetails};
use domain::{Currency, ProductId, SellerId, SkuId, Timestamp};
use serde::Serialize;

use super::price_spans::nanoseconds;
use super::product_row::{self, Stars};
use super::{CategoryView, category, stock};
use crate::StoreError;

/// A product with its SKUs. Prices are the whole price book, wholesale too: who may see which
/// is for the caller to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductView {
    pub product_id: ProductId,
    /// Version of the product's stream; ratings and stock move without it.
    pub version: u64,
    pub seller_id: SellerId,
    pub status: ProductStatus,
    #[serde(flatten)]
    pub details: ProductDetails,
    /// `None` without a category, or where it was removed from the tree.
    pub category: Option<CategoryView>,
    /// Minor units by currency.
    pub base_prices: Prices,
    /// Withdrawn ones too, marked as such.
    pub skus: Vec<SkuView>,
    pub stars: Stars,
    /// Whether any SKU on sale has units.
    pub in_stock: bool,
    pub created_at: Timestamp,
}

/// A SKU and how many units of it can be promised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkuView {
    pub sku_id: SkuId,
    #[serde(flatten)]
    pub details: SkuDetails,
    pub prices: PriceBook,
    pub withdrawn: bool,
    /// Units at all warehouses that take part in new orders, soft holds not taken off.
    pub available: i64,
}

/// How many products there are, whatever their status.
pub fn products(connection: &Connection) -> Result<u64, StoreError> {
    connection.prepare_cached("SELECT count(*) FROM product")?.query_row([], |row| row.get(0))
}

/// The product with this id, whatever its status; `None` for an unknown one.
pub fn product(
    connection: &Connection,
    product_id: ProductId,
) -> Result<Option<ProductView>, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let Some(row) = product_row::load(connection, product_id)? else {
        return Ok(None);
    };
    let in_stock = connection
        .prepare_cached("SELECT in_stock FROM product WHERE number = ?1")?
        .query_row([row.number], |row| row.get(0))?;
    let record = row.content.product;
    let category = match record.details.category_id {
        Some(category_id) => category(connection, category_id)?,
        None => None,
    };
    let skus = record
        .skus
        .into_iter()
        .map(|(sku_id, sku)| {
            Ok(SkuView {
                sku_id,
                details: sku.details,
                prices: sku.prices,
                withdrawn: sku.withdrawn,
                available: stock::available(connection, sku_id)?,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Some(ProductView {
        product_id,
        version: row.content.version,
        seller_id: record.seller_id,
        status: record.status,
        details: record.details,
        category,
        base_prices: record.base_prices,
        skus,
        stars: row.stars,
        in_stock,
        created_at: row.content.created_at,
    }))
}

/// The lowest retail price of a product at `now` in each currency it has one in.
pub(super) fn lowest_prices(
    connection: &Connection,
    number: i64,
    now: Timestamp,
) -> Result<BTreeMap<Currency, i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT currency, minor FROM price
         WHERE number = ?1 AND from_ns <= ?2 AND ?2 < until_ns",
    )?;
    let mut rows = statement.query(params![number, nanoseconds(now)])?;
    let mut prices = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let code: String = row.get(0)?;
        let currency: Currency =
            code.parse().map_err(|error| StoreError::Other(format!("{error}")))?;
        prices.insert(currency, row.get(1)?);
    }
    Ok(prices)
}
