//! Old events in archives: everything is read as before, and what is missing or damaged is told.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "shared/varied.rs"]
mod varied;

use std::path::PathBuf;

use journal::{
    ArchiveBefore, CopyOptions, Journal, JournalError, MemoryJournal, Options, Position, Recorded,
    Removed, Sealed, SqliteJournal, copy, remove_archived, seal, verify,
};
use tempfile::TempDir;
use varied::{everything, seeded, varied};

const EVENTS: u64 = 6_000;

/// A journal in a file that is closed, and a place for archives.
struct Shop {
    _dir: TempDir,
    path: PathBuf,
    archives: PathBuf,
    events: Vec<Recorded>,
}

impl Shop {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (path, archives) = (dir.path().join("journal.db"), dir.path().join("cold"));
        std::fs::create_dir(&archives).unwrap();
        let mut shop = Self { _dir: dir, path, archives, events: Vec::new() };
        shop.grow_to(&varied(EVENTS).await).await;
        shop
    }

    async fn grow_to(&mut self, source: &MemoryJournal) {
        let options = Options { id: Some(source.id()), ..Options::default() };
        let journal = SqliteJournal::open(&self.path, options).unwrap();
        copy(source, &journal, &CopyOptions::default(), &mut |_| ()).await.unwrap();
        journal.close().await.unwrap();
        self.events = everything(source).await;
    }

    fn seal(&self, before: u64) -> Result<Option<Sealed>, JournalError> {
        let before = ArchiveBefore::Position(Position(before));
        seal(&self.path, &self.archives, before, &mut |_, _| ())
    }

    fn remove(&self) -> Result<Removed, JournalError> {
        remove_archived(&self.path, &self.archives, &mut |_, _| ())
    }

    fn read_only(&self) -> SqliteJournal {
        SqliteJournal::open_read_only(&self.path, Options::default()).unwrap()
    }

    async fn reads_as_before(&self, journal: &SqliteJournal) {
        assert_eq!(everything(journal).await, self.events);
        let mut back = journal.read_back(None, usize::MAX).await.unwrap();
        back.reverse();
        assert_eq!(back, self.events);
        let page = journal.read_all(Position(4_321), 7).await.unwrap();
        assert_eq!(page, self.events[4_321..4_328]);
        let mut streams = std::collections::BTreeMap::new();
        for event in &self.events {
            streams.entry(event.stream.clone()).or_insert_with(Vec::new).push(event.clone());
        }
        for (stream, events) in streams {
            assert_eq!(journal.stream_version(&stream).await.unwrap(), events.len() as u64);
            let read = journal.read_stream(&stream, 0, usize::MAX).await.unwrap();
            assert_eq!(read, events);
            let early = journal.read_stream(&stream, 1, 3).await.unwrap();
            assert_eq!(early, events.iter().skip(1).take(3).cloned().collect::<Vec<_>>());
        }
    }

    /// Bodies that are not in the file.
    fn emptied(&self) -> i64 {
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        let sql = "SELECT count(*) FROM chunk WHERE length(body) = 0";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[tokio::test]
async fn sealing_leaves_the_journal_as_it_is_and_goes_on_where_it_ended() {
    let shop = Shop::new().await;
    let before = std::fs::read(&shop.path).unwrap();
    // Beside whoever writes.
    let writer = SqliteJournal::open(&shop.path, Options::default()).unwrap();
    let first = shop.seal(2_001).unwrap().unwrap();
    assert_eq!(first.first, Position(1));
    assert!(first.last.0 <= 2_000 && first.last.0 > 1_900, "{first:?}");
    assert!(first.bytes * 3 < first.chunk_bytes, "it is compressed: {first:?}");
    assert_eq!(shop.seal(first.last.0 + 1).unwrap(), None, "nothing new is that old");
    let second = shop.seal(4_001).unwrap().unwrap();
    assert_eq!(second.first.0, first.last.0 + 1);
    writer.close().await.unwrap();
    drop(writer);
    assert_eq!(std::fs::read(&shop.path).unwrap(), before);
    let sums = std::process::Command::new("sha256sum")
        .args(["--check", "--strict"])
        .args(std::fs::read_dir(&shop.archives).unwrap().filter_map(|entry| {
            let path = entry.unwrap().path();
            path.extension().is_some_and(|ending| ending == "sha256").then_some(path)
        }))
        .current_dir(&shop.archives)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
}

#[tokio::test]
async fn what_was_taken_out_is_read_as_before_and_the_journal_goes_on() {
    let mut shop = Shop::new().await;
    shop.seal(4_001).unwrap().unwrap();
    let removed = shop.remove().unwrap();
    assert_eq!(removed.archives, 1);
    assert!(removed.bytes_after * 2 < removed.bytes_before, "{removed:?}");
    assert!(shop.emptied() > 0);
    shop.reads_as_before(&shop.read_only()).await;
    let report = verify(&shop.path, |_, _| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.events, shop.events.len() as u64);
    // It grows, and another part is taken out.
    shop.grow_to(&varied(9_000).await).await;
    let second = shop.seal(8_001).unwrap().unwrap();
    assert_eq!(second.first.0, removed.through.0 + 1);
    let again = shop.remove().unwrap();
    assert_eq!((again.archives, again.through), (1, second.last));
    let writer = SqliteJournal::open(&shop.path, Options::default()).unwrap();
    shop.reads_as_before(&writer).await;
    writer.close().await.unwrap();
    drop(writer);
    assert!(verify(&shop.path, |_, _| ()).unwrap().is_sound());
    // Nothing is left to do, and doing it is no error.
    assert_eq!(shop.remove().unwrap().archives, 0);
}

#[tokio::test]
async fn events_are_old_by_when_they_were_recorded() {
    let shop = Shop::new().await;
    let at = shop.events[3_000].recorded;
    let before = ArchiveBefore::Time(at);
    let sealed = seal(&shop.path, &shop.archives, before, &mut |_, _| ()).unwrap().unwrap();
    let last = sealed.last.0 as usize;
    assert!(shop.events[..last].iter().all(|event| event.recorded < at));
    assert!(last > 2_800, "{last}");
    let never = ArchiveBefore::Time(shop.events[0].recorded);
    let other = TempDir::new().unwrap();
    assert_eq!(seal(&shop.path, other.path(), never, &mut |_, _| ()).unwrap(), None);
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "nothing is left lying there");
}

#[tokio::test]
async fn an_archive_that_is_away_is_named_and_found_beside_the_journal() {
    let shop = Shop::new().await;
    let sealed = shop.seal(4_001).unwrap().unwrap();
    shop.remove().unwrap();
    let away = shop.archives.join("away");
    std::fs::rename(&sealed.file, &away).unwrap();
    let journal = shop.read_only();
    let said = journal.read_all(Position(0), 10).await.unwrap_err().to_string();
    let name = sealed.file.file_name().unwrap().to_string_lossy().into_owned();
    for word in [&*name, "positions 1 to ", "bring it back"] {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(verify(&shop.path, |_, _| ()).is_err(), "what is not there is not proven");
    // What is not in it is read all the same, and more is appended.
    assert_eq!(journal.read_all(sealed.last, 5).await.unwrap().len(), 5);
    let beside = shop.path.with_file_name("archive");
    std::fs::create_dir(&beside).unwrap();
    std::fs::rename(&away, beside.join(&name)).unwrap();
    shop.reads_as_before(&journal).await;
}

#[tokio::test]
async fn a_damaged_archive_is_told_and_never_taken_for_the_truth() {
    let shop = Shop::new().await;
    let sealed = shop.seal(4_001).unwrap().unwrap();
    let sound = std::fs::read(&sealed.file).unwrap();
    for at in [9, sound.len() / 2, sound.len() - 100, sound.len() - 40] {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        std::fs::write(&sealed.file, &bytes).unwrap();
        let said = shop.remove().unwrap_err();
        assert!(matches!(said, JournalError::Corrupt { .. }), "byte {at}: {said}");
        assert_eq!(shop.emptied(), 0, "nothing was taken out");
    }
    std::fs::write(&sealed.file, &sound[..sound.len() - 1]).unwrap();
    assert!(matches!(shop.remove().unwrap_err(), JournalError::Corrupt { .. }));
    std::fs::write(&sealed.file, &sound).unwrap();
    shop.remove().unwrap();
    for at in [9, sound.len() / 2, sound.len() - 100, sound.len() - 40] {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        std::fs::write(&sealed.file, &bytes).unwrap();
        let journal = shop.read_only();
        let read = journal.read_all(Position(0), usize::MAX).await;
        assert!(matches!(read, Err(JournalError::Corrupt { .. })), "byte {at}: {read:?}");
        let verified = verify(&shop.path, |_, _| ());
        assert!(verified.is_err(), "byte {at}: {verified:?}");
    }
    std::fs::write(&sealed.file, &sound).unwrap();
    assert!(verify(&shop.path, |_, _| ()).unwrap().is_sound());
}

#[tokio::test]
async fn an_archive_of_another_journal_takes_nothing_out() {
    let shop = Shop::new().await;
    let mut other = Shop::new().await;
    other.path = other.path.with_file_name("other.db");
    other.grow_to(&seeded(EVENTS, 99).await).await;
    // The same id, so the same name, and other events.
    let theirs = other.seal(4_001).unwrap().unwrap();
    std::fs::copy(&theirs.file, shop.archives.join(theirs.file.file_name().unwrap())).unwrap();
    let said = shop.remove().unwrap_err();
    assert!(said.to_string().contains("differs from the journal"), "{said}");
    assert_eq!(shop.emptied(), 0);
}

#[tokio::test]
async fn taking_out_needs_the_journal_for_itself() {
    let shop = Shop::new().await;
    shop.seal(4_001).unwrap().unwrap();
    let writer = SqliteJournal::open(&shop.path, Options::default()).unwrap();
    let said = shop.remove().unwrap_err();
    assert!(matches!(said, JournalError::InUse { .. }), "{said}");
    assert_eq!(shop.emptied(), 0);
    writer.close().await.unwrap();
    drop(writer);
    shop.remove().unwrap();
}

#[tokio::test]
async fn taking_out_that_was_cut_off_harms_nobody_and_is_finished_by_the_next_run() {
    let shop = Shop::new().await;
    let whole = shop.path.with_file_name("whole.db");
    std::fs::copy(&shop.path, &whole).unwrap();
    shop.seal(4_001).unwrap().unwrap();
    shop.remove().unwrap();
    let emptied = shop.emptied();
    // The archive is on record, and only some of its chunks are gone.
    let connection = rusqlite::Connection::open(&shop.path).unwrap();
    connection.execute("ATTACH ?1 AS whole", [whole.to_str().unwrap()]).unwrap();
    let put_back = connection
        .execute(
            "UPDATE chunk SET body = (SELECT w.body FROM whole.chunk w WHERE w.first = chunk.first) \
             WHERE first > 1500",
            [],
        )
        .unwrap();
    assert!(put_back > 0);
    drop(connection);
    assert!(shop.emptied() > 0 && shop.emptied() < emptied);
    shop.reads_as_before(&shop.read_only()).await;
    assert!(verify(&shop.path, |_, _| ()).unwrap().is_sound());
    shop.remove().unwrap();
    assert_eq!(shop.emptied(), emptied);
    shop.reads_as_before(&shop.read_only()).await;
}

#[tokio::test]
async fn a_program_that_knows_no_archives_does_not_open_it() {
    let shop = Shop::new().await;
    let format = || -> i64 {
        let connection = rusqlite::Connection::open(&shop.path).unwrap();
        let sql = "SELECT value FROM meta WHERE name = 'format'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(format(), 1, "as long as everything is in it");
    shop.seal(4_001).unwrap().unwrap();
    assert_eq!(format(), 1);
    shop.remove().unwrap();
    assert_eq!(format(), 2);
}
