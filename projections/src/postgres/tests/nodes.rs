//! Several nodes: one writes, all answer, another goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Journal, MemoryJournal, Position};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::server::ask;
use crate::conformance::Store;
use crate::decode::decode;
use crate::runner::tests::{
    assert_same, catch_up, open, rows, rows_from_scratch, run_rebuild, tell_some,
};
use crate::story::{self, Teller};
use crate::{Directory, Follower, Options, ReadModels, RunnerError, StoreError, models, orders};

const SOON: Duration = Duration::from_secs(10);

fn told() -> (Arc<dyn Journal>, Teller) {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    (Arc::clone(&journal), Teller::new(journal))
}

/// A node, on a thread of its own as in a program.
struct Node {
    models: ReadModels,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), RunnerError>>,
}

fn node(journal: &Arc<dyn Journal>, directory: &Directory) -> Node {
    let options = Options::default();
    let node = Follower::open(Arc::clone(journal), directory, &models::all(), options).unwrap();
    let models = node.read_models();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(node.run(async move {
        let _ = stopped.await;
    }));
    Node { models, stop, running }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_nodes_answer_one_writes_and_the_next_goes_on() {
    let store = Store::in_postgres();
    let (journal, mut teller) = told();
    let nodes = [(store.again)(), (store.again)(), (store.again)()];
    let mut nodes: Vec<Node> = nodes.iter().map(|directory| node(&journal, directory)).collect();
    for number in 0..5 {
        teller.tell(story::bought(number, 2)).await;
        for node in &nodes {
            node.models.wait_for(journal.head(), SOON).await.unwrap();
            let found = orders::by_id(&node.models, story::order(number)).unwrap();
            assert!(found.is_some(), "a position that was told is there for all to read");
        }
    }
    // Each leaves in its turn, whether it writes or not.
    for number in 5..7 {
        let leaving = nodes.remove(0);
        leaving.stop.send(()).unwrap();
        leaving.running.await.unwrap().unwrap();
        teller.tell(story::bought(number, 2)).await;
        for node in &nodes {
            node.models.wait_for(journal.head(), SOON).await.unwrap();
            assert_eq!(node.models.positions().len(), models::all().len());
        }
    }
    assert_same(&rows(&nodes[0].models), &rows_from_scratch(&journal).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_writer_that_dies_is_followed_within_ten_seconds_from_the_checkpoint() {
    let (url, directory) = super::fresh();
    let (journal, mut teller) = told();
    tell_some(&mut teller, 0..5).await;
    let mut dying = open(&journal, &directory);
    catch_up(&mut dying).await;
    dying.store_positions().unwrap();
    let successor = node(&journal, &super::open(&url));
    // It dies in the middle of a batch, with its lease, and is never dropped.
    for feed in &mut dying.feeds {
        let items = decode(journal.read_all(feed.position(), 30).await.unwrap());
        feed.crash_in(&items);
    }
    std::mem::forget(dying);
    std::mem::forget(directory);
    ask(
        &url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> \
        pg_backend_pid() AND state = 'idle in transaction' AND datname = current_database()",
    );
    // The dead renew nothing.
    let epoch = "SELECT epoch FROM tillroll_read_meta.lease";
    ask(
        &url,
        "UPDATE tillroll_read_meta.lease SET epoch = epoch + 1, \
        until = clock_timestamp() + interval '6 seconds'",
    );
    let before: i64 = ask(&url, epoch)[0].parse().unwrap();
    let died = Instant::now();
    tell_some(&mut teller, 5..8).await;
    successor.models.wait_for(journal.head(), SOON).await.unwrap();
    assert!(died.elapsed() < SOON);
    let after: i64 = ask(&url, epoch)[0].parse().unwrap();
    assert_eq!(after, before + 1);
    assert_same(&rows(&successor.models), &rows_from_scratch(&journal).await);
}

#[tokio::test]
async fn a_writer_that_wakes_up_late_writes_nothing() {
    let (url, directory) = super::fresh();
    let (journal, mut teller) = told();
    tell_some(&mut teller, 0..5).await;
    let mut asleep = open(&journal, &directory);
    asleep.run_once(20).await.unwrap();
    // As if its lease had lapsed while it slept.
    ask(&url, "UPDATE tillroll_read_meta.lease SET until = '-infinity'");
    let mut awake = open(&journal, &super::open(&url));
    awake.run_once(10).await.unwrap();
    let before = rows(&awake.read_models());
    let fenced = |error: RunnerError| match error {
        RunnerError::Store { source, .. } | RunnerError::Directory(source) => {
            matches!(source, StoreError::Fenced)
        }
        _ => false,
    };
    // The first attempt may find that the rows are elsewhere; none may be written.
    let mut refused = asleep.run_once(10).await.expect_err("it does not write any more");
    if !fenced(refused) {
        refused = asleep.run_once(10).await.expect_err("it does not write any more");
        assert!(fenced(refused));
    }
    assert!(asleep.keep_house().await.is_err());
    assert!(matches!(asleep.directory.serve("orders", 9), Err(StoreError::Fenced)));
    assert_same(&rows(&awake.read_models()), &before);
    assert!(matches!(asleep.run(std::future::pending()).await, Err(RunnerError::InUse)));
    catch_up(&mut awake).await;
    assert_same(&rows(&awake.read_models()), &rows_from_scratch(&journal).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_reads_knows_what_is_parked_and_which_generation_serves() {
    let (url, directory) = super::fresh();
    let (journal, mut teller) = told();
    teller.tell(story::bought(1, 1)).await;
    teller.tell_nonsense(story::order(1).uuid(), "order.shipped").await;
    let mut runner = open(&journal, &directory);
    let reader = ReadModels::open(&super::open(&url), &models::all()).unwrap();
    catch_up(&mut runner).await;
    runner.store_positions().unwrap();
    reader.wait_for(journal.head(), SOON).await.unwrap();
    until(|| reader.parked().len() == runner.read_models().parked().len()).await;
    assert_eq!(reader.parked(), runner.read_models().parked());
    assert!(!reader.parked().is_empty());

    run_rebuild(&journal, &super::open(&url), &["carts"]).await.unwrap();
    runner.keep_house().await.unwrap();
    let sql = "SELECT count(*) FROM carts";
    let carts = || reader.read("carts", |rows| rows.query_row(sql, [], |row| row.get::<i64>(0)));
    let serving = "SELECT generation FROM tillroll_read.progress WHERE model = 'carts'";
    assert_eq!(ask(&url, serving), ["2"]);
    // The old rows are there until everybody has moved on, and gone then.
    assert!(carts().unwrap() > 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    ask(&url, "UPDATE tillroll_read_meta.generation SET retired = retired - interval '1 hour'");
    runner.keep_house().await.unwrap();
    let gone = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tillroll_read_carts_1'";
    assert_eq!(ask(&url, gone), ["0"]);
    assert!(carts().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_that_touch_no_row_are_waited_for_on_every_node() {
    let (url, directory) = super::fresh();
    let (journal, mut teller) = told();
    teller.tell(story::bought(1, 1)).await;
    let mut runner = open(&journal, &directory);
    let reader = ReadModels::open(&super::open(&url), &models::all()).unwrap();
    catch_up(&mut runner).await;
    // Nothing is stored of it for models that it does not touch, but they are told to be there.
    let stored = "SELECT min(position) FROM tillroll_read.progress";
    assert!(ask(&url, stored)[0].parse::<u64>().unwrap() < journal.head().0);
    until(|| reader.position() == journal.head()).await;
    assert!(reader.wait_for(Position(1 + journal.head().0), Duration::ZERO).await.is_err());
}

async fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SOON, "it does not come to be");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
