//! The orders of a real shop: the UCI "Online Retail" data set, row by row through the engine.
//!
//! Every row meets exactly one rule ([`rules`]); the report counts them. Each invoice becomes an
//! order of its own goods at its own prices, paid, shipped and delivered at its time; each
//! cancellation becomes a return with its refund, as far as the customer bought it before in the
//! same file. What the file calls stock corrections becomes stock written off.

mod countries;
mod ledger;
mod plan;
mod purchases;
mod rules;
mod shop;
mod steps;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use domain::{CartId, Timestamp};

use super::error::ImportError;
use super::progress::Watch;
use super::report::{Note, Report};
use super::{ImportInto, order_flow};
use ledger::Ledger;
use plan::{Plan, Planned};

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Only so many invoices, counted in time order; all if `None`. The whole file is read and
    /// checked all the same.
    pub invoices_max: Option<usize>,
}

/// Imports the file. Nothing is written unless all of it can be read; a second run, or one after
/// a run that was stopped, adds only what is missing.
///
/// # Errors
/// `File`, `Cut`, `Header`, `Rows` before anything is written; `Refused`, `Keys` and `Payment`
/// when the engine cannot go on, with everything before that durable; `Books` when the engine's
/// totals are not the file's.
pub async fn run(
    into: &ImportInto,
    path: &Path,
    options: Options,
    watch: Watch<'_>,
) -> Result<Report, ImportError> {
    let began = Instant::now();
    let ledger = Ledger::read(path, watch)?;
    let plan = Plan::of(&ledger, options.invoices_max);
    let mut report = planned(&ledger, &plan);
    if report.rows_accounted() != report.rows {
        let (rows, accounted) = (report.rows, report.rows_accounted());
        return Err(ImportError::Books(format!("{accounted} of {rows} rows met a rule")));
    }
    let Some((first, last)) = ends(&ledger, options) else {
        return Ok(report);
    };
    let head = into.engine.bus().journal().head();
    into.clock.advance_to(first);

    let shop = shop::Shop::of(&ledger, first);
    let opened = shop.open(into, &plan, watch).await?;
    report.products = opened.products;
    report.units_received = opened.units_received;

    let total = plan.steps.len() as u64;
    let steps = || plan.steps.iter().filter_map(|planned| steps::step(&ledger, &shop, planned));
    let flown = order_flow::run(into, steps(), total, watch).await?;
    into.clock.advance_to(last);
    let carts: BTreeSet<CartId> = steps().filter_map(|step| step.cart_id()).collect();
    order_flow::end_carts(into, carts.into_iter(), last).await?;
    let withdrawn = shop.take_off_sale(into, last).await?;

    report.orders = flown.orders;
    report.order_lines = flown.order_lines;
    report.orders_value_minor = flown.orders_value_minor;
    report.returns = flown.returns;
    report.credits = flown.credits;
    report.refunded_minor = flown.refunded_minor;
    report.already_there = flown.already_there + opened.already_there + withdrawn.already_there;
    report.events_written = into.engine.bus().journal().head().0.saturating_sub(head.0);
    report.elapsed = began.elapsed();
    let done = flown.orders + flown.returns + flown.credits + flown.losses;
    if done != total {
        return Err(ImportError::Books(format!("{done} of {total} documents were imported")));
    }
    books_agree(&plan, &report)?;
    Ok(report)
}

/// Reads the file and says what an import would do, without an engine.
///
/// # Errors
/// As [`run`] before anything is written.
pub fn plan(path: &Path, options: Options, watch: Watch<'_>) -> Result<Report, ImportError> {
    let began = Instant::now();
    let ledger = Ledger::read(path, watch)?;
    let plan = Plan::of(&ledger, options.invoices_max);
    Ok(Report {
        orders_value_minor: plan.orders_value_minor,
        refunded_minor: plan.refunds_minor,
        elapsed: began.elapsed(),
        ..planned(&ledger, &plan)
    })
}

/// Times of the first and the last invoice.
fn ends(ledger: &Ledger, options: Options) -> Option<(Timestamp, Timestamp)> {
    let taken = options.invoices_max.unwrap_or(usize::MAX).min(ledger.invoices.len());
    let invoices = ledger.invoices.get(..taken)?;
    Some((invoices.first()?.at, invoices.last()?.at))
}

fn planned(ledger: &Ledger, plan: &Plan) -> Report {
    let mut customers: Vec<u32> = Vec::new();
    let mut units_written_off = 0;
    for step in &plan.steps {
        match step {
            Planned::Order { invoice, .. } => {
                let invoice = ledger.invoices.get(*invoice as usize);
                customers.extend(invoice.and_then(|invoice| invoice.customer));
            }
            Planned::WriteOff { invoice, row } => {
                let invoice = ledger.invoices.get(*invoice as usize);
                let row = invoice.and_then(|invoice| invoice.rows.get(*row as usize));
                units_written_off += row.map_or(0, |row| u64::from(row.quantity.unsigned_abs()));
            }
            Planned::Return { .. } | Planned::Credit { .. } => {}
        }
    }
    customers.sort_unstable();
    customers.dedup();
    let pence = |minor: i64| u64::try_from(minor).unwrap_or(0);
    let notes = [
        ("rows with a code in lower case, taken for the one in upper case", ledger.codes_folded),
        ("rows without a description, under the code's usual one", ledger.without_description),
        ("rows without a customer", ledger.without_customer),
        ("rows dated minutes after their invoice's first row, taken as of that", ledger.redated),
        ("units cancelled beyond what was bought, on rows returned in part", plan.units_unmatched),
        ("pence cancelled beyond what orders had left to refund", pence(plan.not_refunded_minor)),
    ];
    Report {
        rows: plan.rows_taken(ledger),
        rules: plan.rule_counts(),
        notes: notes.map(|(note, count)| Note { note, count }).to_vec(),
        customers: customers.len() as u64,
        units_written_off,
        ..Report::default()
    }
}

/// What the engine holds is what the file says.
fn books_agree(plan: &Plan, report: &Report) -> Result<(), ImportError> {
    let agree = |what: &str, file: i64, engine: i64| {
        if file == engine {
            return Ok(());
        }
        Err(ImportError::Books(format!("{what}: {file} pence in the file, {engine} in the engine")))
    };
    agree("orders", plan.orders_value_minor, report.orders_value_minor)?;
    agree("refunds", plan.refunds_minor, report.refunded_minor)
}
