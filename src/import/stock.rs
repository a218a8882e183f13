//! Stock from CSV: how many units of each SKU are on hand, by warehouse.
//!
//! Columns: `sku_ref` (as in the catalogue), `warehouse` (its name; opened if it is not there),
//! `on_hand` (units, 0 or more). On hand is set, not added to, so a second run changes nothing.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Instant;

use commands::Caller;
use domain::inventory::{Inventory, InventoryCommand};
use domain::{Quantity, SkuId, Timestamp, WarehouseId};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::catalogue::id_of;
use super::csv_file::CsvFile;
use super::error::{ImportError, ROWS_NAMED_MAX, RowError};
use super::progress::{Progress, Stage, Watch};
use super::report::Report;
use super::{ImportInto, warehouse};

const COLUMNS: [&str; 3] = ["sku_ref", "warehouse", "on_hand"];
/// SKUs written at once.
const SKUS_IN_FLIGHT: usize = 128;

/// How to import.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// When it was counted.
    pub at: Timestamp,
}

struct CountRow {
    line: u64,
    sku_ref: Box<str>,
    sku_id: SkuId,
    warehouse: Box<str>,
    on_hand: u32,
}

/// Imports the file; nothing is written unless every row of it is right and names a SKU there is.
///
/// # Errors
/// `File`, `Cut`, `Header`, `Rows` before anything is written; `Refused` when the engine cannot
/// go on, with everything before that durable.
pub async fn run(
    into: &ImportInto,
    path: &Path,
    options: Options,
    watch: Watch<'_>,
) -> Result<Report, ImportError> {
    let began = Instant::now();
    let rows = read(path)?;
    let skus: Vec<(u64, &str, SkuId)> =
        rows.iter().map(|row| (row.line, &*row.sku_ref, row.sku_id)).collect();
    all_known(into, path, &skus).await?;

    into.clock.advance_to(options.at);
    let bus = into.engine.bus();
    let head = bus.journal().head();
    let caller = Caller { occurred: Some(options.at), ..Caller::named("import") };
    let mut warehouses: BTreeMap<&str, WarehouseId> = BTreeMap::new();
    for row in &rows {
        let name = &*row.warehouse;
        if !warehouses.contains_key(name) {
            let id = id_of("warehouse", name);
            warehouse::warehouse(into, &caller, id, name).await?;
            warehouses.insert(name, id);
        }
    }
    let mut report = Report { rows: rows.len() as u64, ..Report::default() };
    let total = Some(report.rows);
    let mut counted = stream::iter(&rows)
        .map(|row| {
            let warehouse_id = id_of("warehouse", &row.warehouse);
            let (sku_id, on_hand) = (row.sku_id, row.on_hand);
            let reason = "stock import".to_owned();
            let command = InventoryCommand::Count { warehouse_id, on_hand, expected: None, reason };
            let caller = &caller;
            async move {
                let done = bus.execute::<Inventory>(caller, sku_id, command).await;
                Ok::<_, ImportError>(done.map_err(ImportError::refused(&row.sku_ref))?.value)
            }
        })
        .buffered(SKUS_IN_FLIGHT);
    let mut done = 0;
    while let Some(events) = counted.try_next().await? {
        done += 1;
        report.already_there += u64::from(events == 0);
        watch(Progress { stage: Stage::Catalogue, done, total, elapsed: began.elapsed() });
    }
    drop(counted);
    report.events_written = bus.journal().head().0.saturating_sub(head.0);
    report.elapsed = began.elapsed();
    Ok(report)
}

fn read(path: &Path) -> Result<Vec<CountRow>, ImportError> {
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    CsvFile::open(path, &COLUMNS)?.each(|fields| {
        let reference =
            |text: &str| (1..=100).contains(&text.chars().count()).then(|| Box::<str>::from(text));
        let sku_ref = fields.value(0, "1 to 100 characters", reference)?;
        let warehouse = fields.value(1, "1 to 100 characters", reference)?;
        let rule = "a whole number from 0 to 1,000,000,000";
        let on_hand = fields.value(2, rule, |text| {
            text.parse().ok().filter(|units: &u32| *units <= Quantity::MAX)
        })?;
        if !seen.insert((sku_ref.clone(), warehouse.clone())) {
            return Err(fields.wrong(0, "named once for each warehouse"));
        }
        let sku_id = id_of("sku", &sku_ref);
        rows.push(CountRow { line: fields.line, sku_ref, sku_id, warehouse, on_hand });
        Ok(())
    })?;
    Ok(rows)
}

/// Names the lines whose SKU the engine does not have.
pub(super) async fn all_known(
    into: &ImportInto,
    path: &Path,
    skus: &[(u64, &str, SkuId)],
) -> Result<(), ImportError> {
    let bus = into.engine.bus();
    let mut looked = stream::iter(skus)
        .map(|(line, sku_ref, sku_id)| async move {
            let known = bus.read::<Inventory, _>(*sku_id, |stock| stock.product_id.is_some()).await;
            let known = known.map_err(ImportError::refused(sku_ref))?.value;
            Ok::<_, ImportError>((!known).then(|| RowError {
                line: *line,
                field: "sku_ref".to_owned(),
                rule: "a SKU that is in the catalogue".to_owned(),
                seen: (*sku_ref).to_owned(),
            }))
        })
        .buffered(SKUS_IN_FLIGHT);
    let (mut named, mut more) = (Vec::new(), 0);
    while let Some(unknown) = looked.try_next().await? {
        match unknown {
            Some(row) if named.len() < ROWS_NAMED_MAX => named.push(row),
            Some(_) => more += 1,
            None => {}
        }
    }
    if named.is_empty() {
        return Ok(());
    }
    Err(ImportError::Rows { path: path.display().to_string(), named, more })
}
