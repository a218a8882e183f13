//! Past orders from CSV: one row for each line.
//!
//! Columns: `order_ref` (rows with the same one are one order), `placed_at` (RFC 3339, the same on
//! all rows of an order), `customer_ref` (empty for a guest), `currency` (ISO 4217), `sku_ref` (as
//! in the catalogue), `quantity` (whole units, 1 or more), `unit_price` (major units, as agreed
//! then). Each order is placed, paid in the sandbox, shipped and delivered at its time; its goods
//! leave the stock there is, so the stock must be there first. A second run changes nothing.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use commands::carts::offer;
use commands::{Caller, Runs, Stop};
use domain::cart::CartOwner;
use domain::inventory::Inventory;
use domain::order::Order;
use domain::{CartId, Currency, SkuId};

use super::error::{ImportError, ROWS_NAMED_MAX, RowError};
use super::progress::Watch;
use super::report::{Report, RuleCount};
use super::{ImportInto, order_flow, stock};
use rows::{OrdersFile, PastLine};

/// Imports the file. Nothing is written unless every row is right, every SKU is for sale in the
/// order's currency, and there is stock for all orders that are not there yet.
///
/// # Errors
/// `File`, `Cut`, `Header`, `Rows` before anything is written; `Refused`, `Keys` and `Payment`
/// when the engine cannot go on, with everything before that durable; `Books` when the engine's
/// totals are not the file's.
pub async fn run(into: &ImportInto, path: &Path, watch: Watch<'_>) -> Result<Report, ImportError> {
    let began = Instant::now();
    let file = OrdersFile::read(path)?;
    let skus: Vec<(u64, &str, SkuId)> =
        file.lines.iter().map(|line| (line.row, &*line.sku_ref, line.sku_id)).collect();
    stock::all_known(into, path, &skus).await?;
    can_be_met(into, path, &file).await?;

    let bus = into.engine.bus();
    let head = bus.journal().head();
    let total = file.orders.len() as u64;
    let flown = order_flow::run(into, file.steps(), total, watch).await?;
    if let Some(last) = file.orders.last() {
        into.clock.advance_to(last.at);
        let carts: BTreeSet<CartId> = file.steps().filter_map(|step| step.cart_id()).collect();
        order_flow::end_carts(into, carts.into_iter(), last.at).await?;
    }
    if flown.orders_value_minor != file.value_minor {
        let (file, engine) = (file.value_minor, flown.orders_value_minor);
        let why = format!("orders: {file} minor units in the file, {engine} in the engine");
        return Err(ImportError::Books(why));
    }
    Ok(Report {
        rows: file.rows,
        rules: vec![RuleCount {
            rule: "sold",
            what_happens: "a line of its order",
            became_orders: true,
            rows: file.lines.len() as u64,
            units: file.lines.iter().map(|line| i64::from(line.quantity.get())).sum(),
            value_thousandths: file.thousandths(),
        }],
        customers: file.customers,
        orders: flown.orders,
        order_lines: flown.order_lines,
        orders_value_minor: flown.orders_value_minor,
        already_there: flown.already_there,
        events_written: bus.journal().head().0.saturating_sub(head.0),
        elapsed: began.elapsed(),
        ..Report::default()
    })
}

/// Names the lines that could not become orders: not for sale in that currency, or short of stock.
async fn can_be_met(into: &ImportInto, path: &Path, file: &OrdersFile) -> Result<(), ImportError> {
    let bus = into.engine.bus();
    let mut wanted: BTreeMap<(SkuId, Currency), Vec<&PastLine>> = BTreeMap::new();
    for order in &file.orders {
        let there = bus.journal().stream_version(&Order::stream(&order.order_id)).await;
        let there = there.map_err(|e| ImportError::refused(&order.reference)(e.into()))? > 0;
        for line in file.lines_of(order).filter(|_| !there) {
            wanted.entry((line.sku_id, order.currency)).or_default().push(line);
        }
    }
    let caller = Caller::named("import");
    let mut left: BTreeMap<SkuId, i64> = BTreeMap::new();
    let (mut named, mut more) = (Vec::new(), 0);
    for ((sku_id, currency), lines) in wanted {
        let Some(first) = lines.first() else { continue };
        let policy = into.engine.policy().carts.clone();
        let looked = bus.run(&caller, move |unit| {
            let refused = match offer(unit, &policy, CartOwner::Guest, sku_id, currency) {
                Ok(_) => None,
                Err(Stop::Refused(refused)) => Some(refused.message),
                Err(stop) => return Err(stop),
            };
            let now = unit.now();
            let stock = unit.state::<Inventory>(&sku_id)?;
            let units = if stock.policy.backorder { i64::MAX } else { stock.available_total(now) };
            Ok((refused, units))
        });
        let looked = looked.await.map_err(ImportError::refused(&first.sku_ref))?.value;
        let (refused, units) = looked;
        let left = left.entry(sku_id).or_insert(units);
        for line in lines {
            *left = left.saturating_sub(i64::from(line.quantity.get()));
            let rule = match &refused {
                Some(_) => "a SKU for sale in the order's currency",
                None if *left < 0 => "a SKU with stock for all orders of the file",
                None => continue,
            };
            let (field, rule) = ("sku_ref".to_owned(), rule.to_owned());
            if named.len() < ROWS_NAMED_MAX {
                let seen = line.sku_ref.to_string();
                named.push(RowError { line: line.row, field, rule, seen });
            } else {
                more += 1;
            }
        }
    }
    if named.is_empty() {
        return Ok(());
    }
    named.sort_by_key(|row| row.line);
    Err(ImportError::Rows { path: path.display().to_string(), named, more })
}
