//! Every rule with made-up rows, and a whole small shop through a real engine.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::import::testing::{Fixture, quiet};
use crate::import::{ImportError, Report};

const HEADER: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
const DAY: &str = "2010-12-01";

/// A row: invoice, code, quantity, minute of the day, price, customer (none if empty).
fn row(
    invoice: &str,
    code: &str,
    quantity: i32,
    minute: u32,
    price: &str,
    customer: &str,
) -> String {
    let (hour, minute) = (8 + minute / 60, minute % 60);
    let customer = if customer.is_empty() { String::new() } else { format!("{customer}.0") };
    format!(
        "{invoice},{code},THING {code},{quantity},{DAY} {hour:02}:{minute:02}:00,{price},{customer},EIRE"
    )
}

fn file(directory: &Path, rows: &[String]) -> PathBuf {
    let path = directory.join("rows.csv");
    std::fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    path
}

fn planned(rows: &[String]) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let report = plan(&file(directory.path(), rows), Options::default(), &quiet).unwrap();
    assert_eq!(report.rows_accounted(), rows.len() as u64);
    report
}

/// Rules met, with their rows, those without rows left out.
fn met(rows: &[String]) -> Vec<(&'static str, u64)> {
    let report = planned(rows);
    report.rules.iter().filter(|r| r.rows > 0).map(|r| (r.rule, r.rows)).collect()
}

#[test]
fn sales_are_told_apart_by_what_they_are() {
    let rows = [
        row("500001", "90001A", 2, 0, "2.55", "70001"),
        row("500001", "90001a", 2, 1, "2.55", "70001"),
        row("500001", "90002", 1, 0, "1.25", "70001"),
        row("500001", "90002", 1, 0, "1.25", "70001"),
        row("500001", "POST", 1, 0, "18.0", "70001"),
        row("500001", "90003", 1, 0, "0.0", "70001"),
        row("500001", "90004", 1, 0, "0.001", "70001"),
        row("500002", "90003", 5, 2, "0.0", ""),
    ];
    let report = planned(&rows);
    let expected = [
        ("sold", 2),
        ("sold_repeated_line", 1),
        ("sold_service", 1),
        ("sold_below_a_penny", 1),
        ("given_free", 1),
        ("nothing_to_pay", 1),
    ];
    // The description differs in case with the code here, so only one of the pairs repeats.
    assert_eq!(met(&rows).iter().map(|(_, rows)| rows).sum::<u64>(), 8);
    for (rule, rows) in expected {
        let least = report.rule(rule).unwrap().rows;
        assert!(least >= rows, "{rule}: {least}");
    }
    assert_eq!(report.orders_value_minor, 2 * 255 + 2 * 255 + 125 + 125 + 1_800);
    assert_eq!(report.ordered_thousandths(), report.orders_value_minor * 10 + 1);
    assert_eq!(report.notes.iter().find(|n| n.note.contains("lower case")).unwrap().count, 1);
    assert_eq!(report.notes.iter().find(|n| n.note.contains("dated")).unwrap().count, 1);
}

#[test]
fn corrections_of_stock_and_accounts_are_no_orders() {
    let rows = [
        row("500001", "90001", -3, 0, "0.0", ""),
        row("A500002", "B", 1, 1, "-11.06", ""),
        row("500003", "90001", 1, 2, "-1.00", ""),
        row("500004", "90001", -1, 2, "1.00", ""),
    ];
    let expected = [("written_off", 1), ("bad_debt_adjusted", 1), ("not_understood", 2)];
    assert_eq!(met(&rows), expected);
}

#[test]
fn cancellations_are_matched_to_what_was_bought_before() {
    let rows = [
        row("C500000", "90001", -1, 0, "2.00", "70001"),
        row("500001", "90001", 5, 1, "2.00", "70001"),
        row("C500002", "90001", -2, 2, "2.00", "70001"),
        row("C500003", "90001", -9, 3, "2.00", "70001"),
        row("C500004", "90001", -1, 4, "2.00", ""),
        row("C500005", "90001", -1, 5, "2.00", "70002"),
    ];
    let expected = [
        ("sold", 1),
        ("returned", 1),
        ("returned_in_part", 1),
        ("cancelled_no_customer", 1),
        ("cancelled_no_purchase", 2),
    ];
    assert_eq!(met(&rows), expected);
    assert_eq!(planned(&rows).refunded_minor, 5 * 200);
}

#[test]
fn no_more_is_refunded_than_was_paid() {
    let rows = [
        row("500001", "90001", 2, 0, "2.00", "70001"),
        row("C500002", "90001", -2, 1, "3.00", "70001"),
    ];
    assert_eq!(met(&rows), [("sold", 1), ("returned_refund_capped", 1)]);
    let report = planned(&rows);
    assert_eq!(report.refunded_minor, 400);
    assert_eq!(report.notes.last().unwrap().count, 200);
}

#[test]
fn discounts_and_fees_are_credited_to_the_latest_order_that_can_bear_them() {
    let rows = [
        row("500001", "90001", 2, 0, "2.00", "70001"),
        row("C500002", "D", -1, 1, "3.99", "70001"),
        row("C500003", "M", -1, 2, "0.02", "70001"),
    ];
    assert_eq!(met(&rows), [("sold", 1), ("credited", 1), ("credit_unmatched", 1)]);
}

fn error_of(content: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.csv.gz");
    std::fs::write(&path, content).unwrap();
    plan(&path, Options::default(), &quiet).unwrap_err().to_string()
}

fn many() -> String {
    let rows: Vec<String> =
        (0..2_000).map(|n| row(&format!("{}", 500_000 + n), "90001", 1, 0, "2.00", "")).collect();
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_file_cut_anywhere_is_refused_and_says_where() {
    let text = many();
    let whole = packed(&text);
    for cut in [whole.len() / 2, whole.len() - 4] {
        let error = error_of(&whole[..cut]);
        assert!(error.contains("line ") && error.contains("nothing was imported"), "{error}");
        assert!(error.contains("ends in the middle"), "{error}");
    }
    // Plain text: in the middle of a row, and in the middle of its last field.
    let error = error_of(&text.as_bytes()[..text.len() - 30]);
    assert!(error.contains("line 2001") && error.contains("fields instead of 8"), "{error}");
    let error = error_of(&text.as_bytes()[..text.len() - 3]);
    assert!(error.contains("line 2001: Country") && error.contains("last row"), "{error}");
}

#[test]
fn a_wrong_header_or_row_is_named() {
    let error = error_of(b"Invoice,StockCode\n1,2\n");
    assert!(error.contains("the header must be `InvoiceNo,"), "{error}");
    let rows = [
        row("5x", "90001", 1, 0, "2.00", ""),
        row("500001", "90001", 1, 0, "2.0001", ""),
        row("500002", "90001", 0, 0, "2.00", ""),
        row("500003", "90001", 1, 0, "2.00", "7000x"),
    ];
    let error = error_of(format!("{HEADER}\n{}\n", rows.join("\n")).as_bytes());
    for field in
        ["line 2, InvoiceNo", "line 3, UnitPrice", "line 4, Quantity", "line 5, CustomerID"]
    {
        assert!(error.contains(field), "{error}");
    }
    let wrong: Vec<String> = (0..30).map(|_| row("x", "90001", 1, 0, "2.00", "")).collect();
    let error = error_of(format!("{HEADER}\n{}\n", wrong.join("\n")).as_bytes());
    assert!(error.contains("30 rows are not right") && error.contains("and 10 more"), "{error}");
}

/// A small shop with every kind of row.
fn small_shop() -> Vec<String> {
    let mut rows = vec![
        row("500001", "90001A", 2, 0, "2.55", "70001"),
        row("500001", "90001a", 1, 0, "1.55", "70001"),
        row("500001", "POST", 1, 0, "18.00", "70001"),
        row("500002", "90002", 12_540, 1, "0.00", ""),
        row("500003", "90002", -10, 2, "0.00", ""),
        row("500004", "90001A", 4, 3, "3.00", ""),
        row("C500005", "90001A", -2, 4, "2.55", "70001"),
        row("C500005", "D", -1, 4, "0.50", "70001"),
        row("500006", "90002", 3, 5, "0.85", "70001"),
        row("C500007", "90002", -3, 6, "0.85", "70001"),
        row("A500008", "B", 1, 7, "-5.00", ""),
    ];
    for n in 0..40 {
        let customer = format!("7{:04}", n % 3);
        rows.push(row(&format!("{}", 500_100 + n), "90001A", 1, 10 + n, "2.55", &customer));
        rows.push(row(&format!("{}", 500_100 + n), "90002", 2, 10 + n, "0.85", &customer));
    }
    rows
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let fixture = Fixture::open();
    let path = file(fixture.directory(), &small_shop());
    let first = run(&fixture.into, &path, Options::default(), &quiet).await.unwrap();
    assert_eq!((first.orders, first.returns, first.credits), (44, 2, 1));
    assert_eq!(first.refunded_minor, 2 * 255 + 50 + 3 * 85);
    let head = fixture.head();
    let second = run(&fixture.into, &path, Options::default(), &quiet).await.unwrap();
    assert_eq!(fixture.head(), head);
    assert_eq!(second.events_written, 0);
    assert_eq!(
        Report { already_there: 0, events_written: 0, elapsed: first.elapsed, ..second.clone() },
        Report { already_there: 0, events_written: 0, units_received: 0, ..first }
    );
    fixture.close().await;
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_where_it_ended() {
    let fixture = Fixture::open();
    let path = file(fixture.directory(), &small_shop());
    for invoices in [1, 6, 7, 20] {
        let options = Options { invoices_max: Some(invoices) };
        run(&fixture.into, &path, options, &quiet).await.unwrap();
    }
    // A run dropped in the middle leaves documents half way.
    for patience in [1, 5, 20] {
        let options = Options::default();
        let part = run(&fixture.into, &path, options, &quiet);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(patience), part).await;
        // A process that ends leaves nothing on its way; here the desk goes on until it is done.
        fixture.settle().await;
    }
    let whole = run(&fixture.into, &path, Options::default(), &quiet).await.unwrap();
    assert_eq!((whole.orders, whole.returns, whole.credits), (44, 2, 1));
    let head = fixture.head();
    run(&fixture.into, &path, Options::default(), &quiet).await.unwrap();
    assert_eq!(fixture.head(), head);
    fixture.close().await;
}

#[tokio::test]
async fn a_cut_file_leaves_the_journal_as_it_was() {
    let fixture = Fixture::open();
    let head = fixture.head();
    let path = fixture.directory().join("cut.csv.gz");
    let whole = packed(&many());
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = run(&fixture.into, &path, Options::default(), &quiet).await.unwrap_err();
    assert!(matches!(error, ImportError::Cut { .. }), "{error}");
    assert_eq!(fixture.head(), head);
    fixture.close().await;
}
