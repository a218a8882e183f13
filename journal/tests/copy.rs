//! Copies of a journal: what they keep, how they go on, and what they refuse.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "shared/varied.rs"]
mod varied;

use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use journal::{
    Category, Copied, CopyError, CopyOptions, CopyProgress, CopyStage, Group, Journal,
    JournalError, MemoryJournal, NewEvent, Options, Position, SqliteJournal, Storage, StreamId,
    Unit, check_copy, copy, verify,
};
use tempfile::TempDir;
use uuid::Uuid;
use varied::{everything, seeded, varied};

fn file(path: &Path, id: Uuid) -> SqliteJournal {
    SqliteJournal::open(path, Options { id: Some(id), ..Options::default() }).unwrap()
}

fn small() -> CopyOptions {
    CopyOptions { batch_events: 97 }
}

async fn copied(source: &dyn Journal, target: &dyn Journal) -> Result<Copied, CopyError> {
    copy(source, target, &small(), &mut |_| ()).await
}

async fn checked(copied: &Copied, target: &dyn Journal) -> Result<(), CopyError> {
    check_copy(copied, target, &small(), &mut |_| ()).await
}

fn in_memory(id: Uuid) -> MemoryJournal {
    MemoryJournal::over(Arc::new(Storage::new(id)))
}

#[tokio::test]
async fn a_copy_in_a_file_is_equal_event_by_event() {
    let source = varied(2_000).await;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal");
    let target = file(&path, source.id());
    let mut stages = Vec::new();
    let done = copy(&source, &target, &small(), &mut |at| stages.push(at)).await.unwrap();
    assert_eq!((done.journal, done.through, done.found), (source.id(), source.head(), 0));
    assert!(stages.iter().all(|at| at.stage == CopyStage::Copying && at.total == done.through.0));
    assert!(stages.windows(2).all(|pair| pair[0].done < pair[1].done));
    assert_eq!(stages.last().unwrap().done, done.through.0);
    target.close().await.unwrap();
    let target = SqliteJournal::open_read_only(&path, Options::default()).unwrap();
    checked(&done, &target).await.unwrap();
    assert_eq!(target.id(), source.id());
    let events = everything(&source).await;
    assert_eq!(everything(&target).await, events);
    for stream in [&events[0].stream, &events[777].stream, &events[1_999].stream] {
        let ours = source.read_stream(stream, 0, usize::MAX).await.unwrap();
        assert_eq!(target.read_stream(stream, 0, usize::MAX).await.unwrap(), ours);
    }
    assert!(verify(&path, |_, _| ()).unwrap().is_sound());
}

#[tokio::test]
async fn events_of_an_empty_journal_are_copied_too() {
    let source = in_memory(Uuid::from_u128(1));
    let target = in_memory(Uuid::from_u128(1));
    let done = copied(&source, &target).await.unwrap();
    checked(&done, &target).await.unwrap();
    assert_eq!(done.through, Position(0));
}

#[tokio::test]
async fn a_copy_goes_on_where_it_ended_and_takes_what_came_since() {
    let (part, whole) = (varied(500).await, varied(1_500).await);
    let target = in_memory(whole.id());
    let first = copied(&part, &target).await.unwrap();
    let mut stages = Vec::new();
    let done = copy(&whole, &target, &small(), &mut |at| stages.push(at.stage)).await.unwrap();
    assert_eq!(done.found, part.head().0);
    assert!(stages.contains(&CopyStage::Comparing) && stages.contains(&CopyStage::Copying));
    assert_eq!(everything(&target).await, everything(&whole).await);
    checked(&done, &target).await.unwrap();
    assert_ne!(done.digest, first.digest);
    // Over the same events it is the same, whether they were copied or found.
    let again = copied(&whole, &target).await.unwrap();
    assert_eq!((again.digest, again.found), (done.digest, whole.head().0));
    checked(&first, &target).await.unwrap();
}

#[tokio::test]
async fn what_is_no_copy_is_refused_and_left_alone() {
    let source = varied(300).await;
    let other = in_memory(Uuid::from_u128(7));
    let refused = copied(&source, &other).await.unwrap_err();
    assert!(matches!(refused, CopyError::OtherJournal { events: 0, .. }), "{refused}");
    let refused = copied(&source, &source).await.unwrap_err();
    assert!(matches!(refused, CopyError::Itself), "{refused}");

    let longer = varied(400).await;
    let refused = copied(&source, &longer).await.unwrap_err();
    assert!(matches!(refused, CopyError::SourceShorter { .. }), "{refused}");
    assert_eq!(longer.head(), varied(400).await.head());

    let different = seeded(100, 99).await;
    let head = different.head();
    let refused = copied(&source, &different).await.unwrap_err();
    assert!(matches!(refused, CopyError::Differs { at: Position(1), .. }), "{refused}");
    assert_eq!(different.head(), head);
}

#[tokio::test]
async fn a_target_that_is_written_to_by_another_is_noticed() {
    let source = varied(300).await;
    let target = in_memory(source.id());
    let mut wrote = false;
    let intruder = seeded(1, 99).await;
    let theirs = everything(&intruder).await.remove(0);
    let group = Group {
        stream: StreamId::of_text(Category::new("import"), "theirs"),
        expected: 0,
        events: vec![NewEvent {
            id: theirs.id,
            event_type: theirs.event_type,
            schema_version: 1,
            payload: theirs.payload,
            occurred: theirs.occurred,
        }],
    };
    let mut unit = Some(Unit::new(vec![group], theirs.metadata));
    let mut intrude = |at: CopyProgress| {
        if at.done > 0
            && let Some(unit) = unit.take()
        {
            wrote = true;
            // In memory an append is done when it is first polled.
            let appended = target.append(vec![unit]).now_or_never();
            assert!(appended.is_some());
        }
    };
    let refused = copy(&source, &target, &small(), &mut intrude).await.unwrap_err();
    assert!(matches!(refused, CopyError::Refused { at: Position(98), .. }), "{refused}");
    assert!(wrote);
    let refused = copied(&source, &target).await.unwrap_err();
    assert!(matches!(refused, CopyError::Differs { at: Position(98), .. }), "{refused}");
}

#[tokio::test]
async fn what_was_changed_behind_the_copy_is_found_by_the_check() {
    let source = varied(300).await;
    let done = copied(&source, &in_memory(source.id())).await.unwrap();
    let changed = seeded(400, 99).await;
    let refused = checked(&done, &changed).await.unwrap_err();
    assert!(matches!(refused, CopyError::NotAsCopied { .. }), "{refused}");
    let cut = varied(100).await;
    let refused = checked(&done, &cut).await.unwrap_err();
    let CopyError::Journal { error: JournalError::Corrupt { at, .. }, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(at, Some(Position(cut.head().0 + 1)));
}
