//! A catalogue from CSV: one row for each SKU and currency.
//!
//! Columns, all present, in this order:
//!
//! | column | says |
//! | --- | --- |
//! | `product_ref` | names the product; rows with the same one must say the same about it |
//! | `sku_ref` | names the SKU; a row for each further currency repeats it |
//! | `name`, `description`, `brand` | of the product; only the name is needed |
//! | `category` | path such as `Home > Candles`; made if it is not there; may be empty |
//! | `tags` | separated by `;` |
//! | `price`, `currency` | amount in major units such as `2.55`, and ISO 4217 code |
//! | `sale_price`, `sale_ends_at` | optional; the end is RFC 3339 and optional too |
//! | `wholesale_price` | optional |
//! | `weight_g` | whole grams, optional |
//! | `barcode` | optional |
//! | `attributes` | `colour=red;size=L` |
//!
//! What is there already is changed to what the file says; a second run changes nothing.

mod rows;

use std::path::Path;
use std::time::Instant;

use commands::{Caller, catalogue};
use domain::category::{Category, CategoryCommand, TreeId};
use domain::product::{Product, ProductCommand};
use domain::{SellerId, Timestamp};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::error::ImportError;
use super::progress::{Progress, Stage, Watch};
use super::report::Report;
use super::{ImportInto, warehouse};
use rows::{CatalogueFile, ProductRow};
pub(super) use rows::{id_of, read_amount};

/// Products written at once.
const PRODUCTS_IN_FLIGHT: usize = 128;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// When it takes effect.
    pub at: Timestamp,
    /// Registered under this name if there is no seller of this id.
    pub seller_id: SellerId,
    pub seller_name: String,
}

/// Imports the file; nothing is written unless every row of it is right.
///
/// # Errors
/// `File`, `Cut`, `Header`, `Rows` before anything is written; `Refused` and `Keys` when the
/// engine cannot go on, with everything before that durable.
pub async fn run(
    into: &ImportInto,
    path: &Path,
    options: Options,
    watch: Watch<'_>,
) -> Result<Report, ImportError> {
    let began = Instant::now();
    let file = CatalogueFile::read(path, options.seller_id)?;
    into.clock.advance_to(options.at);
    let bus = into.engine.bus();
    let head = bus.journal().head();
    let caller = Caller { occurred: Some(options.at), ..Caller::named("import") };
    warehouse::seller(into, &caller, options.seller_id, &options.seller_name).await?;

    // All of them or none: a path that does not fit the tree leaves nothing behind.
    let categories = file.categories.clone();
    let added = bus.run(&caller, move |unit| {
        for category in &categories {
            let known = unit.state::<Category>(&TreeId)?.nodes.contains_key(&category.id);
            if !known {
                let command = CategoryCommand::Add {
                    category_id: category.id,
                    parent_id: category.parent,
                    name: category.name.clone(),
                    slug: category.slug.clone(),
                };
                unit.execute::<Category>(&TreeId, &command)?;
            }
        }
        Ok(())
    });
    added.await.map_err(ImportError::refused("categories"))?;

    let total = Some(file.products.len() as u64);
    let mut report = Report { rows: file.rows, ..Report::default() };
    let mut written = stream::iter(&file.products)
        .map(|product| write(into, &caller, options.seller_id, product))
        .buffered(PRODUCTS_IN_FLIGHT);
    while let Some(events) = written.try_next().await? {
        report.products += 1;
        report.already_there += u64::from(events == 0);
        let (done, elapsed) = (report.products, began.elapsed());
        watch(Progress { stage: Stage::Catalogue, done, total, elapsed });
    }
    drop(written);
    report.events_written = bus.journal().head().0.saturating_sub(head.0);
    report.elapsed = began.elapsed();
    Ok(report)
}

/// Makes one product and its SKUs what the file says; returns the number of events.
async fn write(
    into: &ImportInto,
    caller: &Caller,
    seller_id: SellerId,
    product: &ProductRow,
) -> Result<usize, ImportError> {
    let what = product.reference.to_string();
    let product = product.clone();
    let done = into.engine.bus().run(caller, move |unit| {
        let id = product.id;
        let mut events = 0;
        if unit.state::<Product>(&id)?.is_none() {
            let (details, prices) = (&product.details, &product.base_prices);
            catalogue::create_product(unit, id, seller_id, details, prices)?;
            events += 1;
        } else {
            let details = ProductCommand::ChangeDetails(product.details.clone());
            events += unit.execute::<Product>(&id, &details)?;
            let prices = ProductCommand::Reprice(product.base_prices.clone());
            events += unit.execute::<Product>(&id, &prices)?;
        }
        for sku in &product.skus {
            let state = unit.state::<Product>(&id)?.as_ref();
            if state.is_none_or(|known| !known.skus.contains_key(&sku.id)) {
                catalogue::add_sku(unit, id, sku.id, &sku.details, &sku.prices)?;
                events += 1;
                continue;
            }
            let (sku_id, details) = (sku.id, sku.details.clone());
            let command = ProductCommand::ChangeSkuDetails { sku_id, details };
            events += unit.execute::<Product>(&id, &command)?;
            let command = ProductCommand::RepriceSku { sku_id, prices: sku.prices.clone() };
            events += unit.execute::<Product>(&id, &command)?;
        }
        Ok(events)
    });
    Ok(done.await.map_err(ImportError::refused(&what))?.value)
}
