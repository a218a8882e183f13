//! The real orders through the real engine, then every proof that holds over the result.
//!
//! The file is no part of the repository: `TILLROLL_TEST_DATA` names the directory that has
//! `online-retail/online_retail.csv.gz` in it. Without the file these tests say loudly that they
//! checked nothing. In a debug build only the first invoices are imported, which takes seconds;
//! a release build imports all of them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tillroll::compose::Node;
use tillroll::compose::Stores;
use tillroll::import::{ImportClock, ImportInto, Progress, Report, online_retail};
use tillroll::replay::{self, AsOf, Reveal, Telling};
use tillroll::verify;

/// Invoices of a debug build: enough for returns, credits and stock written off.
const DEBUG_INVOICES: usize = 300;
const ROWS: u64 = 541_909;
/// Sum of quantity × price over the file, in thousandths of a pound.
const VALUE_THOUSANDTHS: i64 = 9_747_747_934;
const PATIENCE: Duration = Duration::from_secs(600);

#[allow(clippy::print_stderr, reason = "what a test left out must be seen")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn data_file() -> Option<PathBuf> {
    let directory = std::env::var_os("TILLROLL_TEST_DATA").map(PathBuf::from);
    let file = directory.map(|d| d.join("online-retail/online_retail.csv.gz"));
    let found = file.filter(|file| file.is_file());
    if found.is_none() {
        say(
            "NOT CHECKED: the import of the real orders. TILLROLL_TEST_DATA must name the directory",
        );
        say(
            "             with online-retail/online_retail.csv.gz in it (the README says where it is).",
        );
    }
    found
}

fn invoices_max() -> Option<usize> {
    if !cfg!(debug_assertions) {
        return None;
    }
    say(&format!("PARTLY CHECKED: the first {DEBUG_INVOICES} invoices; a release build takes all"));
    Some(DEBUG_INVOICES)
}

fn quiet(_: Progress) {}

struct Shop {
    node: Node,
    into: ImportInto,
}

impl Shop {
    fn open(data: &Path) -> Self {
        let clock = Arc::new(ImportClock::default());
        let node = Node::open(&ImportInto::node_options(data, &clock)).unwrap();
        let into = ImportInto {
            engine: node.engine.clone(),
            keys: Arc::clone(&node.keys) as _,
            gateway: Arc::clone(&node.sandbox) as _,
            clock,
        };
        Self { node, into }
    }

    fn head(&self) -> journal::Position {
        self.into.engine.bus().journal().head()
    }

    async fn close(self) {
        drop(self.into);
        self.node.close().await.unwrap();
    }
}

#[test]
fn every_row_of_the_file_meets_one_rule() {
    let Some(file) = data_file() else { return };
    let report = online_retail::plan(&file, online_retail::Options::default(), &quiet).unwrap();
    assert_eq!(report.rows, ROWS);
    assert_eq!(report.rows_accounted(), ROWS);
    assert_eq!(report.value_thousandths(), VALUE_THOUSANDTHS);
    // All that the orders are worth but the four prices of a tenth of a penny.
    let below = report.rule("sold_below_a_penny").unwrap();
    assert_eq!((below.rows, below.value_thousandths), (4, 4));
    assert_eq!(report.orders_value_minor * 10 + 4, report.ordered_thousandths());
    assert_eq!(report.rule("not_understood").unwrap().rows, 0);
}

#[tokio::test]
async fn the_real_orders_leave_a_shop_that_every_law_holds_for() {
    let Some(file) = data_file() else { return };
    let options = online_retail::Options { invoices_max: invoices_max() };
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");

    let shop = Shop::open(&data);
    let first = online_retail::run(&shop.into, &file, options, &quiet).await.unwrap();
    assert_eq!(first.rows_accounted(), first.rows);
    let head = shop.head();
    shop.node.reads.wait_for(head, PATIENCE).await.unwrap();
    shop.close().await;

    // Opened anew: what a second run knows, it knows from the disk.
    let shop = Shop::open(&data);
    nothing_is_left_to_rank(&shop);
    let second = online_retail::run(&shop.into, &file, options, &quiet).await.unwrap();
    assert_eq!(shop.head(), head, "a second run changed something");
    let same = |report: &Report| (report.orders, report.orders_value_minor, report.refunded_minor);
    assert_eq!(same(&first), same(&second));
    shop.node.reads.wait_for(head, PATIENCE).await.unwrap();
    the_first_invoice_is_told(&shop).await;
    bought_together_agrees(&shop, &file, directory.path(), options);
    shop.close().await;

    // The laws, and every read model built again and compared row by row.
    let found =
        verify::run(&Stores::in_directory(&data), verify::Options::default(), &mut |_| {}).unwrap();
    for law in found.laws.iter().filter(|law| !law.holds()) {
        say(&format!("BROKEN: {}: {:?}", law.name, law.violations));
    }
    assert!(found.is_clean());
    assert_eq!(found.head, head);
}

/// By its number in the file, in words and with all its lines.
async fn the_first_invoice_is_told(shop: &Shop) {
    let journal = shop.node.journal.as_ref();
    assert_eq!(replay::orders_by_reference(journal, "nobody's").await.unwrap(), []);
    let found = replay::orders_by_reference(journal, "536365").await.unwrap();
    assert_eq!(found.len(), 1);
    let told = replay::order(journal, found[0], &AsOf::now(), Reveal::No, &[]).await.unwrap();
    let text = told.to_text(Telling::Summed);
    assert!(text.starts_with(&format!("Order {}, reference 536365\n", found[0])), "{text}");
    for part in [
        "stock held: 7 articles, 40 units (to @",
        "order placed: 7 lines, 40 units; total 139.12 GBP",
        "shipped: all 7 lines, 40 units",
        "\nstatus    delivered\n",
        "\npaid      139.12 GBP\n",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

/// An import that has ended has worked out what goes together.
fn nothing_is_left_to_rank(shop: &Shop) {
    use projections::Projector;
    use projections::frequently_bought_together::{FrequentlyBoughtTogether, stale_products};
    assert_eq!(shop.node.reads.read(FrequentlyBoughtTogether::NAME, stale_products).unwrap(), 0);
}

/// Compares the engine's table with a count that shares no code with it.
fn bought_together_agrees(
    shop: &Shop,
    file: &Path,
    directory: &Path,
    options: online_retail::Options,
) {
    if Command::new("python3").arg("--version").output().is_err() {
        say("NOT CHECKED: what was bought together, against the independent count: no python3");
        return;
    }
    let table = directory.join("bought_together.ndjson");
    let mut dump = std::io::BufWriter::new(std::fs::File::create(&table).unwrap());
    let model = <projections::frequently_bought_together::FrequentlyBoughtTogether as projections::Projector>::NAME;
    let pairs = shop.node.reads.read(model, |connection| {
        let mut pairs = 0_u64;
        for pair in projections::frequently_bought_together::all_pairs(connection, 1)? {
            let pair = pair?;
            let (a, b, orders) = (pair.first, pair.second, pair.together);
            writeln!(dump, "{{\"a\":\"{a}\",\"b\":\"{b}\",\"orders\":{orders}}}").unwrap();
            pairs += 1;
        }
        Ok(pairs)
    });
    assert!(pairs.unwrap() > 0);
    dump.into_inner().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent/bought_together.py");
    let mut count = Command::new("python3");
    count.arg(script).arg(file).arg("--dump").arg(&table);
    if let Some(most) = options.invoices_max {
        count.arg("--invoices-max").arg(most.to_string());
    }
    let counted = count.output().unwrap();
    let said = String::from_utf8_lossy(&counted.stdout);
    assert!(counted.status.success(), "{said}{}", String::from_utf8_lossy(&counted.stderr));
}
