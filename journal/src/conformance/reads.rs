//! Checks of what reading, waiting and closing promise.

use chrono::DateTime;

use super::sample::{all, append, assert_sound, cart, committed, named, read_from, single, stream};
use super::{Factory, Task, still_waits, together};
use crate::{Journal, JournalError, Position, Unit};

pub(super) async fn a_stream_is_read_after_and_up_to(journal: &dyn Journal) {
    for n in 0..10 {
        committed(journal, single(&cart(1), n, 1)).await;
        committed(journal, single(&cart(2), n * 2, 2)).await;
    }
    for after in 0..12 {
        for max in [0, 1, 3, 10, usize::MAX] {
            let read = journal.read_stream(&cart(1), after, max).await.expect("a read");
            let versions: Vec<_> = read.iter().map(|e| e.version).collect();
            let wanted: Vec<_> = (after + 1..=10).take(max).collect();
            assert_eq!(versions, wanted, "after {after}, at most {max}");
            assert!(read.iter().all(|e| e.stream == cart(1)));
        }
    }
    assert!(stream(journal, &cart(3)).await.is_empty(), "an unknown stream is empty");
    let far = journal.read_stream(&cart(1), u64::MAX, usize::MAX).await.expect("a read");
    assert!(far.is_empty());
}

pub(super) async fn a_long_stream_is_read_page_by_page(journal: &dyn Journal) {
    for n in 0..30 {
        committed(journal, single(&cart(1), n * 100, 100)).await;
        committed(journal, single(&named("other"), n, 1)).await;
    }
    let mut version = 0;
    loop {
        let page = journal.read_stream(&cart(1), version, 77).await.expect("a read");
        for event in &page {
            version += 1;
            assert_eq!(event.version, version, "pages join without gap or repeat");
        }
        if page.len() < 77 {
            break;
        }
    }
    assert_eq!(version, 3000);
}

pub(super) async fn the_whole_is_read_without_gaps_while_it_grows(journal: &dyn Journal) {
    let dense = journal.properties().dense_positions;
    let mut tasks: Vec<Task<'_, Vec<crate::Recorded>>> = Vec::new();
    for n in 1..=4 {
        tasks.push(Box::pin(async move {
            for round in 0..100 {
                committed(journal, single(&cart(n), round * 2, 2)).await;
            }
            Vec::new()
        }));
    }
    for page in [1, 7, 1000] {
        tasks.push(Box::pin(async move {
            let mut seen: Vec<crate::Recorded> = Vec::new();
            while seen.len() < 800 {
                let after = seen.last().map_or(Position(0), |event| event.position);
                journal.wait_past(after).await.expect("the head moves on");
                let read = journal.read_all(after, page).await.expect("a read");
                assert!(!read.is_empty() && read.len() <= page, "past the wait there is more");
                seen.extend(read);
                assert!(journal.head() >= seen[seen.len() - 1].position);
            }
            seen
        }));
    }
    let seen = together(tasks).await;
    let whole = all(journal).await;
    assert_sound(&whole, dense);
    for reader in &seen[4..] {
        assert_eq!(*reader, whole, "a reader sees each event once and in order");
    }
}

pub(super) async fn the_whole_is_read_backwards(journal: &dyn Journal) {
    assert!(journal.read_back(None, 10).await.expect("a read").is_empty());
    for n in 0..50 {
        committed(journal, single(&cart(n), 0, 3)).await;
    }
    let mut forwards = all(journal).await;
    let mut backwards = Vec::new();
    let mut before = None;
    loop {
        let page = journal.read_back(before, 11).await.expect("a read");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 11);
        before = Some(last.position);
        backwards.extend(page);
    }
    forwards.reverse();
    assert_eq!(backwards, forwards, "backwards is forwards turned round");
    assert!(journal.read_back(Some(Position(0)), 5).await.expect("a read").is_empty());
    let beyond = journal.read_back(Some(Position(u64::MAX)), 1).await.expect("a read");
    assert_eq!(beyond, forwards[..1]);
}

pub(super) async fn waiting_ends_when_the_head_is_past(journal: &dyn Journal) {
    let mut waiting: Task<'_, _> = journal.wait_past(Position(0));
    assert!(still_waits(&mut waiting).await, "an empty journal is past nothing");
    let (_, last) = committed(journal, single(&cart(1), 0, 3)).await;
    assert_eq!(waiting.await.expect("the head"), Position(last));
    assert_eq!(journal.wait_past(Position(0)).await.expect("the head"), Position(last));
    let mut waiting: Task<'_, _> = journal.wait_past(Position(last));
    assert!(still_waits(&mut waiting).await, "the head itself is not past the head");
    assert!(read_from(journal, last).await.is_empty());
}

pub(super) async fn closing_ends_everything(journal: &dyn Journal) {
    let mut waiting: Task<'_, _> = journal.wait_past(Position(1_000));
    assert!(still_waits(&mut waiting).await);
    let mut queued: Task<'_, _> = journal.append(vec![single(&cart(1), 0, 3)]);
    still_waits(&mut queued).await;
    journal.close().await.expect("a close");
    assert!(matches!(waiting.await, Err(JournalError::Closed)), "closing ends the wait");
    journal.close().await.expect("closing twice is closing");
    let late = journal.append(vec![single(&cart(1), 3, 1)]).await;
    assert!(matches!(late, Err(JournalError::Closed)), "{late:?}");
    let wait = journal.wait_past(Position(0)).await;
    assert!(matches!(wait, Err(JournalError::Closed)), "{wait:?}");
}

pub(super) async fn reopening_keeps_everything(factory: &dyn Factory) {
    let journal = factory.fresh().await;
    for n in 0..40 {
        append(&*journal, vec![single(&cart(n), 0, 2), single(&named("all"), n as u64, 1)]).await;
    }
    // Under the same metadata, yet recorded elsewhere at different times.
    let copied = (0..3).map(|n| Unit {
        metadata: "{}".into(),
        recorded: DateTime::from_timestamp_micros(1_600_000_000_000_000 + n),
        ..single(&named("copied"), n as u64, 1)
    });
    append(&*journal, copied.collect()).await;
    let before = all(&*journal).await;
    let recorded: Vec<_> = before[120..].iter().map(|event| event.recorded).collect();
    assert!(recorded[0] < recorded[1] && recorded[1] < recorded[2], "{recorded:?}");
    let (id, head) = (journal.id(), journal.head());
    journal.close().await.expect("a close");
    let Some(journal) = factory.reopen(journal).await else {
        return;
    };
    assert_eq!(journal.id(), id, "a journal keeps its id");
    assert_eq!(journal.head(), head);
    assert_eq!(all(&*journal).await, before);
    assert_eq!(stream(&*journal, &named("all")).await.len(), 40);
    let (first, _) = committed(&*journal, single(&named("all"), 40, 1)).await;
    assert!(first > head.0, "positions go on where they were");
    committed(&*journal, single(&cart(3), 2, 1)).await;
    assert_sound(&all(&*journal).await, journal.properties().dense_positions);
}
