//! A product as the catalogue keeps it: what was said about it in one JSON text, and beside it
//! the columns that lists filter and sort by.
//!
//! A product's number is the position of its first event: short in every index, growing, and
//! the same after every rebuild.

use std::collections::BTreeSet;

use crate::sql::{Connection, OptionalExtension, params};
use domain::pricing::{PriceBook, Prices, Tier};
use domain::product::{Product, ProductOnRecord, ProductStatus};
use domain::rating::RatingEvent;
use domain::{Decider, ProductId, Timestamp};
use schemas::AnyEvent;
use serde::{Deserialize, Serialize};

use super::price_spans::{PriceSpan, spans};
use super::{TierPrice, changes, stock};
use crate::{Envelope, StoreError};

pub(super) const TABLES: &str = "
    CREATE TABLE product (
        number INTEGER PRIMARY KEY, product_id BLOB NOT NULL UNIQUE, seller_id BLOB NOT NULL,
        category_id BLOB, brand TEXT, status INTEGER NOT NULL, created_us INTEGER NOT NULL,
        name_key TEXT NOT NULL, in_stock INTEGER NOT NULL, stars_mean_e9 INTEGER NOT NULL,
        stars_count INTEGER NOT NULL, stars_sum INTEGER NOT NULL);
    CREATE INDEX product_by_created ON product (status, created_us, number);
    CREATE INDEX product_by_name ON product (status, name_key, number);
    CREATE INDEX product_by_stars ON product (status, stars_mean_e9, stars_count, number);
    CREATE INDEX product_by_category ON product (category_id, status);
    CREATE INDEX product_by_brand ON product (brand, status);
    CREATE INDEX product_by_seller ON product (seller_id, status);
    CREATE TABLE product_content (number INTEGER PRIMARY KEY, content TEXT NOT NULL);
    CREATE TABLE sku (
        sku_id BLOB PRIMARY KEY, number INTEGER NOT NULL, withdrawn INTEGER NOT NULL)
        WITHOUT ROWID;
    CREATE INDEX sku_of_product ON sku (number);
    CREATE TABLE tag (tag TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tag, number))
        WITHOUT ROWID;
    CREATE TABLE price (
        currency TEXT NOT NULL, minor INTEGER NOT NULL, number INTEGER NOT NULL,
        from_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL,
        PRIMARY KEY (currency, minor, number, from_ns)) WITHOUT ROWID;
    CREATE INDEX price_of_product ON price (number, currency);";

/// Ratings of a product: an exact sum of whole stars and how many gave them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stars {
    pub sum: u32,
    pub count: u32,
}

impl Stars {
    /// 1 to 5; `None` without ratings.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| f64::from(self.sum) / f64::from(self.count))
    }

    /// The mean in thousand-millionths of a star, for sorting; 0 without ratings.
    fn mean_e9(self) -> i64 {
        (i64::from(self.sum) * 1_000_000_000).checked_div(i64::from(self.count)).unwrap_or(0)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProductRow {
    pub(super) number: i64,
    pub(super) content: Content,
    pub(super) stars: Stars,
}

/// What the product's own stream says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) version: u64,
    pub(super) created_at: Timestamp,
    pub(super) product: ProductOnRecord,
}

impl ProductRow {
    pub(super) fn fold(row: Option<Box<Self>>, event: &Envelope) -> Option<Box<Self>> {
        match &event.event {
            AnyEvent::Product(product) => {
                let (number, created_at, stars, mut state) = match row {
                    Some(row) => (
                        row.number,
                        row.content.created_at,
                        row.stars,
                        Some(Box::new(row.content.product)),
                    ),
                    None => {
                        (event.position.0.cast_signed(), event.occurred, Stars::default(), None)
                    }
                };
                Product::evolve(&mut state, product);
                state.map(|product| {
                    Box::new(Self {
                        number,
                        content: Content { version: event.version, created_at, product: *product },
                        stars,
                    })
                })
            }
            AnyEvent::Rating(rating) => row.map(|mut row| {
                row.stars = row.stars.after(rating);
                row
            }),
            _ => row,
        }
    }

    fn spans(&self) -> Vec<PriceSpan> {
        let (base, on_sale) = self.content.prices();
        spans(Tier::Retail, base, on_sale)
    }
}

impl Content {
    /// Base prices, and those of the SKUs on sale.
    fn prices(&self) -> (&Prices, impl Iterator<Item = &PriceBook> + Clone) {
        let on_sale = self.product.skus.values().filter(|sku| !sku.withdrawn);
        (&self.product.base_prices, on_sale.map(|sku| &sku.prices))
    }

    /// The lowest price that each tier pays, as a function of time.
    pub(super) fn tier_prices(&self) -> Vec<TierPrice> {
        let (base, on_sale) = self.prices();
        let of = |tier: Tier| {
            let price = move |span: PriceSpan| TierPrice {
                tier: tier.into(),
                currency: span.currency,
                from_ns: span.from_ns,
                until_ns: span.until_ns,
                minor: span.minor,
            };
            spans(tier, base, on_sale.clone()).into_iter().map(price)
        };
        of(Tier::Retail).chain(of(Tier::Wholesale)).collect()
    }
}

impl Stars {
    fn after(self, event: &RatingEvent) -> Self {
        match event {
            RatingEvent::Given { stars, .. } => Self {
                sum: self.sum.saturating_add(u32::from(*stars)),
                count: self.count.saturating_add(1),
            },
            RatingEvent::Changed { previous_stars, stars, .. } => Self {
                sum: self
                    .sum
                    .saturating_add(u32::from(*stars))
                    .saturating_sub(u32::from(*previous_stars)),
                ..self
            },
        }
    }
}

/// Statuses as the table holds them.
pub(super) fn status_number(status: ProductStatus) -> i64 {
    match status {
        ProductStatus::Active => 0,
        ProductStatus::Inactive => 1,
        ProductStatus::Deleted => 2,
    }
}

/// Names sort without regard to case.
fn name_key(name: &str) -> String {
    name.to_lowercase()
}

pub(super) fn load(
    connection: &Connection,
    id: ProductId,
) -> Result<Option<ProductRow>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT number, stars_sum, stars_count, content
             FROM product JOIN product_content USING (number) WHERE product_id = ?1",
        )?
        .query_row([id.uuid().into_bytes()], |row| {
            let stars = Stars { sum: row.get(1)?, count: row.get(2)? };
            Ok((row.get(0)?, stars, row.get::<String>(3)?))
        })
        .optional()?;
    let Some((number, stars, content)) = found else {
        return Ok(None);
    };
    Ok(Some(ProductRow { number, content: serde_json::from_str(&content)?, stars }))
}

/// Writes what differs from `before`.
pub(super) fn save(
    connection: &Connection,
    before: Option<&ProductRow>,
    after: &ProductRow,
) -> Result<(), StoreError> {
    if before.is_none_or(|before| before.content != after.content) {
        save_content(connection, after)?;
        save_skus(connection, before, after)?;
        save_tags(connection, before, after)?;
        save_prices(connection, before, after)?;
    }
    if before.map_or(Stars::default(), |before| before.stars) != after.stars {
        connection
            .prepare_cached(
                "UPDATE product SET stars_mean_e9 = ?2, stars_count = ?3, stars_sum = ?4
                 WHERE number = ?1",
            )?
            .execute(params![
                after.number,
                after.stars.mean_e9(),
                after.stars.count,
                after.stars.sum
            ])?;
    }
    // Also where it is as before: it may have been otherwise in the middle of the batch.
    changes::mark_product(connection, after.number)
}

fn save_content(connection: &Connection, after: &ProductRow) -> Result<(), StoreError> {
    let product = &after.content.product;
    connection
        .prepare_cached(
            "INSERT INTO product VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, 0, 0)
             ON CONFLICT (number) DO UPDATE SET
                 seller_id = ?3, category_id = ?4, brand = ?5, status = ?6, name_key = ?8",
        )?
        .execute(params![
            after.number,
            product.product_id.uuid().into_bytes(),
            product.seller_id.uuid().into_bytes(),
            product.details.category_id.map(|id| id.uuid().into_bytes()),
            product.details.brand,
            status_number(product.status),
            after.content.created_at.timestamp_micros(),
            name_key(&product.details.name)
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO product_content VALUES (?1, ?2)
             ON CONFLICT (number) DO UPDATE SET content = excluded.content",
        )?
        .execute(params![after.number, serde_json::to_string(&after.content)?])?;
    Ok(())
}

fn save_skus(
    connection: &Connection,
    before: Option<&ProductRow>,
    after: &ProductRow,
) -> Result<(), StoreError> {
    let mut changed = false;
    for (id, sku) in &after.content.product.skus {
        let known = before.and_then(|before| before.content.product.skus.get(id));
        if known.is_none_or(|known| known.withdrawn != sku.withdrawn) {
            connection
                .prepare_cached(
                    "INSERT INTO sku VALUES (?1, ?2, ?3) ON CONFLICT (sku_id)
                     DO UPDATE SET number = excluded.number, withdrawn = excluded.withdrawn",
                )?
                .execute(params![id.uuid().into_bytes(), after.number, sku.withdrawn])?;
            changed = true;
        }
    }
    if changed {
        stock::refresh_product(connection, after.number)?;
    }
    Ok(())
}

fn save_tags(
    connection: &Connection,
    before: Option<&ProductRow>,
    after: &ProductRow,
) -> Result<(), StoreError> {
    let nothing = BTreeSet::new();
    let old = before.map_or(&nothing, |before| &before.content.product.details.tags);
    let new = &after.content.product.details.tags;
    for tag in old.difference(new) {
        connection
            .prepare_cached("DELETE FROM tag WHERE tag = ?1 AND number = ?2")?
            .execute(params![tag, after.number])?;
    }
    for tag in new.difference(old) {
        connection
            .prepare_cached("INSERT INTO tag VALUES (?1, ?2)")?
            .execute(params![tag, after.number])?;
    }
    Ok(())
}

fn save_prices(
    connection: &Connection,
    before: Option<&ProductRow>,
    after: &ProductRow,
) -> Result<(), StoreError> {
    let new = after.spans();
    match before.map(ProductRow::spans) {
        Some(old) if old == new => return Ok(()),
        Some(_) => {
            connection
                .prepare_cached("DELETE FROM price WHERE number = ?1")?
                .execute([after.number])?;
        }
        None => {}
    }
    let mut insert = connection.prepare_cached("INSERT INTO price VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for span in new {
        insert.execute(params![
            span.currency.code(),
            span.minor,
            after.number,
            span.from_ns,
            span.until_ns
        ])?;
    }
    Ok(())
}
