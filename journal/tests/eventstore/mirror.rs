//! The mirror: deleted, taken from elsewhere, behind the log and ahead of it.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use journal::{EventStoreJournal, Journal, JournalError};

use crate::sample::{
    Node, all, append, assert_same, assert_sound, cart, fresh_stream, options, unit,
};
use test_servers::eventstore::Double;

async fn fill(node: &Node, from: u128, units: u128) {
    let units = (from..from + units).map(|n| unit(&cart(n), 0, 10)).collect();
    node.journal.append(units).await.unwrap();
}

async fn reopen(
    double: &Double,
    stream: &str,
    node: &Node,
) -> Result<EventStoreJournal, JournalError> {
    let options = options(&node.directory.path().join("mirror"));
    EventStoreJournal::open(&double.url(stream), options).await
}

fn delete(node: &Node, but: &str) {
    for file in std::fs::read_dir(node.directory.path()).unwrap() {
        let path = file.unwrap().path();
        if !path.to_str().unwrap().ends_with(but) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn a_mirror_is_gone_on_with_and_made_again_when_it_is_deleted() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    for n in 0..8 {
        fill(&node, n * 200, 200).await;
    }
    let events = all(&*node.journal).await;
    assert_sound(&events);
    node.journal.close().await.unwrap();
    let pages = |before| double.shared.reads.load(Relaxed) - before;
    let before = double.shared.reads.load(Relaxed);
    let again = reopen(&double, &stream, &node).await.unwrap();
    assert!(pages(before) < 10, "only its end is looked at: {} reads", pages(before));
    assert_same(&all(&again).await, &events);
    append(&again, unit(&cart(7), 10, 1)).await;
    let events = all(&again).await;
    again.close().await.unwrap();
    drop(again);
    for spared in [".points", "mirror", "nothing"] {
        delete(&node, spared);
        let before = double.shared.reads.load(Relaxed);
        let again = reopen(&double, &stream, &node).await.unwrap();
        assert!(pages(before) > 16, "all is read: {} reads", pages(before));
        assert_same(&all(&again).await, &events);
        again.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_mirror_that_lost_its_end_gets_it_back() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    fill(&node, 0, 600).await;
    node.journal.close().await.unwrap();
    let mirror = node.directory.path().join("mirror");
    let old = std::fs::read(&mirror).unwrap();
    let again = reopen(&double, &stream, &node).await.unwrap();
    append(&again, unit(&cart(5), 10, 3)).await;
    let events = all(&again).await;
    again.close().await.unwrap();
    drop(again);
    std::fs::write(&mirror, old).unwrap();
    let again = reopen(&double, &stream, &node).await.unwrap();
    assert_same(&all(&again).await, &events);
}

#[tokio::test]
async fn the_mirror_of_another_log_is_refused() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    append(&*node.journal, unit(&cart(1), 0, 1)).await;
    node.journal.close().await.unwrap();
    let error = reopen(&double, &fresh_stream(), &node).await.unwrap_err().to_string();
    assert!(error.contains("is the mirror of another journal"), "{error}");
    assert!(error.contains("delete the file"), "{error}");
    let again = reopen(&double, &stream, &node).await.unwrap();
    assert_eq!(all(&again).await.len(), 1, "it was left untouched");
}

#[tokio::test]
async fn a_mirror_has_one_journal_at_a_time() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    let error = reopen(&double, &stream, &node).await.unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
}

#[tokio::test]
async fn a_log_restored_from_an_older_copy_is_noticed() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open(&double, &stream).await;
    fill(&node, 0, 10).await;
    node.journal.close().await.unwrap();
    double.shared.store().roll_back(&stream, 50);
    for others_went_on in [false, true] {
        if others_went_on {
            let other = Node::open(&double, &stream).await;
            fill(&other, 100, 30).await;
        }
        for spared in ["", "mirror"] {
            delete(&node, spared);
            let error = reopen(&double, &stream, &node).await.unwrap_err();
            assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
            assert!(error.to_string().contains("restored from an older copy"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_without_room_loses_nothing() {
    let (double, stream) = (Double::start(), fresh_stream());
    let node = Node::open_with(&double, &stream, |options| {
        options.patience = Duration::ZERO;
        options.embedded.pages_max = Some(60);
    })
    .await;
    let mut appended = 0;
    let error = loop {
        match node.journal.append(vec![unit(&cart(appended), 0, 100)]).await {
            Ok(_) => appended += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("has taken the append, but the mirror"), "{error}");
    assert!(error.contains("disk is full") && error.contains("may have taken effect"), "{error}");
    assert!(node.journal.stats().full > 0);
    assert!(appended > 0);
    assert_eq!(all(&*node.journal).await.len() as u128, appended * 100, "reads go on");
    node.journal.close().await.unwrap();
    let again = reopen(&double, &stream, &node).await.unwrap();
    let events = all(&again).await;
    assert_sound(&events);
    assert_eq!(events.len() as u128, (appended + 1) * 100, "what the server had is there");
}
