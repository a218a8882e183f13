//! A whole data directory, as `tillroll verify` sees it.

use std::path::Path;
use std::sync::Arc;

use journal::{Group, Journal, NewEvent, Recorded, SqliteJournal, Unit};
use projections::{Directory, Runner};

use super::history::Shop;
use super::{Options, Phase, VerifyError, VerifyReport, run};
use crate::block_on::block_on;
use crate::compose::{JOURNAL_FILE, READ_MODELS, SANDBOX_FILE, Stores};

/// Writes the same events to a journal on disk, command by command.
fn on_disk(events: &[Recorded], path: &Path) -> Arc<SqliteJournal> {
    let journal = SqliteJournal::open(path, journal::Options::default()).unwrap();
    let mut units: Vec<Unit> = Vec::new();
    let mut versions = std::collections::BTreeMap::new();
    for event in events {
        let version = versions.entry(event.stream.clone()).or_insert(0_u64);
        let new = NewEvent {
            id: event.id,
            event_type: event.event_type,
            schema_version: event.schema_version,
            payload: Arc::clone(&event.payload),
            occurred: event.occurred,
        };
        let mut together = units
            .last_mut()
            .filter(|unit| unit.metadata == event.metadata && event.metadata.contains("command"));
        let group = together.as_mut().and_then(|unit| unit.groups.last_mut());
        match group.filter(|group| group.stream == event.stream) {
            Some(group) => group.events.push(new),
            None => {
                let (stream, expected) = (event.stream.clone(), *version);
                let group = Group { stream, expected, events: vec![new] };
                match together {
                    Some(unit) => unit.groups.push(group),
                    None => units.push(Unit::new(vec![group], Arc::clone(&event.metadata))),
                }
            }
        }
        *version += 1;
    }
    block_on(journal.append(units)).unwrap();
    Arc::new(journal)
}

/// Everything a node keeps, of a shop with a good history.
fn data() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::good_history();
    let journal: Arc<dyn Journal> = on_disk(&shop.events(), &data.path().join(JOURNAL_FILE));
    on_disk(&shop.ledger_events(), &data.path().join(SANDBOX_FILE));
    let directory = Directory::on_disk(&data.path().join(READ_MODELS)).unwrap();
    let models = projections::models::all();
    let options = projections::Options::default();
    let mut runner = Runner::open(Arc::clone(&journal), &directory, &models, options).unwrap();
    while block_on(runner.run_once(7)).unwrap().events > 0 {}
    runner.store_positions().unwrap();
    data
}

fn verified(data: &Path) -> VerifyReport {
    run(&Stores::in_directory(data), Options::default(), &mut |_| {}).unwrap()
}

#[test]
fn a_good_directory_is_clean() {
    let data = data();
    let mut phases = Vec::new();
    let report = run(&Stores::in_directory(data.path()), Options::default(), &mut |progress| {
        assert!(progress.done <= progress.total);
        phases.push(progress.phase);
    })
    .unwrap();
    for law in &report.laws {
        assert_eq!((law.name, &law.violations), (law.name, &vec![]));
        assert!(law.checked > 0, "{} looked at nothing", law.name);
    }
    assert!(report.is_clean());
    assert_eq!(report.events, report.head.0);
    let names: Vec<_> = report.laws.iter().map(|law| law.name).collect();
    assert!(["file", "provider", "read_models"].iter().all(|name| names.contains(name)));
    phases.dedup();
    assert_eq!(phases, [Phase::File, Phase::Laws, Phase::ReadModels]);
}

#[test]
fn a_row_that_no_event_explains_is_caught() {
    let data = data();
    let models = data.path().join(READ_MODELS);
    let orders = models.join("orders-1.db");
    let changed = rusqlite::Connection::open(&orders)
        .unwrap()
        .execute("DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)", [])
        .unwrap();
    assert_eq!(changed, 1);
    let report = verified(data.path());
    let law = report.laws.iter().find(|law| law.name == "read_models").unwrap();
    assert!(!law.holds());
    assert!(law.violations.iter().any(|violation| violation.seen == "no such row"), "{law:?}");
    assert_eq!(report.violations(), law.violation_count);
    let quick = Options { read_models: false, ..Options::default() };
    assert!(run(&Stores::in_directory(data.path()), quick, &mut |_| {}).unwrap().is_clean());
}

#[test]
fn money_that_moved_at_the_provider_alone_is_caught() {
    let data = data();
    let mut shop = Shop::open();
    shop.order(101, "tok_ok", [2, 1]);
    // The ledger knows one order; the journal of the directory has more.
    std::fs::remove_file(data.path().join(SANDBOX_FILE)).unwrap();
    on_disk(&shop.ledger_events(), &data.path().join(SANDBOX_FILE));
    let report = verified(data.path());
    let law = report.laws.iter().find(|law| law.name == "provider").unwrap();
    // Of 101 the refund is missing, of 102 and 104 everything; 103 was declined.
    assert_eq!(law.violation_count, 3, "{law:?}");
}

#[test]
fn a_directory_without_a_journal_cannot_be_checked() {
    let data = tempfile::tempdir().unwrap();
    let error =
        run(&Stores::in_directory(data.path()), Options::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, VerifyError::NoJournal(_)));
}
