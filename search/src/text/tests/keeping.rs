//! What is still there afterwards.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::SearchError;

fn open(directory: &Path) -> Result<Option<TextIndex>, SearchError> {
    TextIndex::open(directory, &TextSettings::default())
}

fn numbers(index: &TextIndex, text: &str) -> Vec<i64> {
    let mut found: Vec<_> =
        index.matches(text, false).unwrap().scores.iter().map(|(number, _)| *number).collect();
    found.sort_unstable();
    found
}

#[test]
fn what_is_applied_is_there_at_once_and_after_opening_again() {
    let Shop { index, directory } = Shop::new(&["lamp", "chair"]);
    index.apply(&[product(1, "table"), product(3, "lamp")], &[id(2)], "at 7\nof 9").unwrap();
    let check = |index: &TextIndex| {
        assert_eq!(numbers(index, "lamp "), [3]);
        assert_eq!(numbers(index, "table "), [1]);
        assert_eq!(numbers(index, "chair "), [0; 0]);
        assert_eq!((index.documents(), index.note()), (2, Some("at 7\nof 9".to_owned())));
        assert!(index.bytes() > 1_000);
    };
    check(&index);
    drop(index);
    check(&open(directory.path()).unwrap().unwrap());
}

#[test]
fn a_change_may_be_repeated_and_the_last_of_several_counts() {
    let Shop { index, directory: _kept } = Shop::new(&["lamp"]);
    for _ in 0..3 {
        index.apply(&[product(1, "chair"), product(1, "table")], &[id(9)], "n").unwrap();
    }
    assert_eq!(numbers(&index, "table "), [1]);
    assert_eq!(numbers(&index, "chair "), [0; 0]);
    assert_eq!(index.documents(), 1);
    index.apply(&[], &[], "only a note").unwrap();
    assert_eq!(index.note().as_deref(), Some("only a note"));
}

/// Whether this is the note that a crash would leave. Merging may write the file anew, but not that.
fn has_written(directory: &Path, note: &str) -> bool {
    fs::read_to_string(directory.join("meta.json")).unwrap().contains(note)
}

#[test]
fn what_is_so_already_is_not_written_and_its_note_is_not_lost() {
    let Shop { index, directory } = Shop::new(&["lamp", "chair"]);
    index.apply(&[product(1, "table")], &[], "first").unwrap();
    assert!(has_written(directory.path(), "first"));
    let mut sold_out = product(1, "table");
    sold_out.in_stock = !sold_out.in_stock;
    index.apply(&[sold_out, product(2, "chair")], &[id(9)], "second").unwrap();
    assert!(has_written(directory.path(), "first"));
    assert_eq!(index.note().as_deref(), Some("second"));
    drop(index);
    let index = open(directory.path()).unwrap().unwrap();
    assert_eq!(index.note().as_deref(), Some("second"), "written at the end");
    index.apply(&[product(1, "table")], &[], "third").unwrap();
    assert!(has_written(directory.path(), "second"), "known after opening again, too");
    index.apply(&[product(1, "sofa")], &[], "fourth").unwrap();
    assert!(has_written(directory.path(), "fourth"));
    assert_eq!((numbers(&index, "sofa "), numbers(&index, "table ")), (vec![1], vec![]));
}

#[test]
fn what_is_changed_and_changed_back_or_removed_at_once_is_as_told_last() {
    let Shop { index, directory: _kept } = Shop::new(&["lamp", "chair"]);
    index.apply(&[product(1, "sofa"), product(1, "lamp")], &[], "n").unwrap();
    assert_eq!((numbers(&index, "lamp "), numbers(&index, "sofa ")), (vec![1], vec![]));
    index.apply(&[product(1, "lamp"), product(3, "sofa")], &[id(1), id(3)], "n").unwrap();
    assert_eq!((numbers(&index, "lamp "), numbers(&index, "sofa ")), (vec![], vec![]));
    index.apply(&[product(1, "lamp")], &[], "n").unwrap();
    assert_eq!(numbers(&index, "lamp "), [1], "told again after it was removed");
}

#[test]
fn what_is_added_twice_to_a_new_index_is_there_once() {
    let directory = tempfile::tempdir().unwrap();
    let index = TextIndex::create(directory.path(), &TextSettings::default()).unwrap();
    index.add(&[product(1, "lamp"), product(2, "chair")], &[]).unwrap();
    index.add(&[product(1, "sofa")], &[]).unwrap();
    index.commit("n").unwrap();
    assert_eq!((numbers(&index, "sofa "), numbers(&index, "lamp ")), (vec![1], vec![]));
    assert_eq!(index.documents(), 2);
}

#[test]
fn what_is_taken_back_from_a_new_index_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let index = TextIndex::create(directory.path(), &TextSettings::default()).unwrap();
    index.add(&[product(1, "lamp"), product(2, "lamp"), product(3, "lamp")], &[id(9)]).unwrap();
    index.add(&[], &[id(1), id(2)]).unwrap();
    index.add(&[product(2, "sofa")], &[]).unwrap();
    index.commit("n").unwrap();
    assert_eq!((numbers(&index, "lamp "), numbers(&index, "sofa ")), (vec![3], vec![2]));
    assert_eq!(index.documents(), 2);
}

#[test]
fn what_was_not_committed_is_gone() {
    let Shop { index, directory } = Shop::new(&["lamp"]);
    index.apply(&[], &[], "first").unwrap();
    index.add(&[product(2, "lamp")], &[]).unwrap();
    assert_eq!(numbers(&index, "lamp "), [1]);
    drop(index);
    let index = open(directory.path()).unwrap().unwrap();
    assert_eq!((numbers(&index, "lamp "), index.note().as_deref()), (vec![1], Some("first")));
    index.add(&[product(2, "lamp")], &[]).unwrap();
    index.commit("second").unwrap();
    assert_eq!((numbers(&index, "lamp "), index.note().as_deref()), (vec![1, 2], Some("second")));
}

#[test]
fn what_could_not_be_written_is_told_and_never_half_there() {
    let Shop { index, directory } = Shop::new(&["lamp"]);
    index.add(&[product(2, "lamp")], &[]).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::rename(directory.path(), elsewhere.path().join("index")).unwrap();
    let error = index.commit("n").unwrap_err();
    assert!(matches!(error, SearchError::Damaged(_)), "nobody finds its files again: {error}");
    let error = index.commit("n").unwrap_err().to_string();
    assert!(error.contains("filled anew"), "{error}");
    let error = index.apply(&[product(3, "lamp")], &[], "n").unwrap_err();
    assert!(matches!(error, SearchError::Damaged(_)), "{error}");
    assert_eq!(numbers(&index, "lamp "), [1], "searches go on");
}

/// As after a crash: the files as they are at some moment, with a writer at work on them.
#[test]
fn files_copied_at_any_moment_are_the_last_commit() {
    let Shop { index, directory } = Shop::new(&[]);
    for round in 0..12_i64 {
        index.apply(&[product(round + 1, "lamp")], &[], &round.to_string()).unwrap();
        index.add(&[product(100 + round, "lamp")], &[]).unwrap();
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(directory.path()).unwrap() {
            let file = file.unwrap();
            // Merging deletes files meanwhile; only those of the last commit are needed.
            let _ = fs::copy(file.path(), copy.path().join(file.file_name()));
        }
        match open(copy.path()) {
            Ok(Some(copied)) => {
                let note: i64 = copied.note().unwrap().parse().unwrap();
                assert_eq!(note, round);
                assert!(numbers(&copied, "lamp ").contains(&(round + 1)));
            }
            // Only what merging took away while it was copied.
            Err(SearchError::Damaged(_)) => {}
            other => panic!("{:?}", other.map(|index| index.is_some())),
        }
    }
}

#[test]
fn nothing_to_open_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    assert!(open(directory.path()).unwrap().is_none());
    assert!(open(&directory.path().join("missing")).unwrap().is_none());
    let index = TextIndex::create(directory.path(), &TextSettings::default()).unwrap();
    assert_eq!((index.note(), index.documents()), (None, 0));
    assert!(numbers(&index, "lamp").is_empty());
    index.add(&[product(1, "lamp")], &[]).unwrap();
    drop(index);
    assert!(open(directory.path()).unwrap().is_none(), "never committed");
}

#[test]
fn another_language_needs_another_index() {
    let Shop { index, directory } = Shop::new(&["lamp"]);
    drop(index);
    let german = TextSettings { language: Language::German, ..TextSettings::default() };
    assert!(TextIndex::open(directory.path(), &german).unwrap().is_none());
    let synonyms = Synonyms::parse("lamp, light").unwrap();
    let synonyms = TextSettings { synonyms, ..TextSettings::default() };
    let index = TextIndex::open(directory.path(), &synonyms).unwrap().unwrap();
    assert_eq!(numbers(&index, "light "), [1], "synonyms are not in the index");
    drop(index);
    let index = TextIndex::create(directory.path(), &german).unwrap();
    assert_eq!((index.note(), index.documents()), (None, 0), "begun anew");
}

#[test]
fn a_second_writer_is_told_so() {
    let Shop { index, directory } = Shop::new(&["lamp"]);
    for result in [
        open(directory.path()).map(|_| ()),
        TextIndex::create(directory.path(), &TextSettings::default()).map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, SearchError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("written by somebody else"), "{error}");
    }
    assert_eq!(numbers(&index, "lamp "), [1], "and has harmed nothing");
}

#[test]
fn other_peoples_files_are_not_deleted() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("journal.db"), "precious").unwrap();
    let error = TextIndex::create(directory.path(), &TextSettings::default()).err().unwrap();
    assert!(matches!(error, SearchError::Misconfigured(_)), "{error:?}");
    assert!(directory.path().join("journal.db").is_file());
}

#[test]
fn damage_is_told_whatever_file_it_is_in() {
    // So little of a segment is removed that nothing is merged: all files are of the last commit.
    let Shop { index, directory } = Shop::new(&["lamp", "chair red", "table", "rug"]);
    index.apply(&[product(5, "lamp")], &[id(2)], "n").unwrap();
    drop(index);
    let mut files = BTreeMap::new();
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if !name.ends_with(".lock") {
            files.insert(name, fs::read(file.path()).unwrap());
        }
    }
    // Always in a directory of its own: files that may still be mapped must not be cut.
    let open_with = |name: &str, damage: Option<&[u8]>| {
        let directory = tempfile::tempdir().unwrap();
        for (other, sound) in &files {
            let content = if other == name { damage } else { Some(sound.as_slice()) };
            if let Some(content) = content {
                fs::write(directory.path().join(other), content).unwrap();
            }
        }
        let opened = open(directory.path());
        (opened, directory)
    };
    for (name, sound) in &files {
        let mut turned = sound.clone();
        for byte in turned.iter_mut().step_by(7) {
            *byte ^= 0x55;
        }
        let half = &sound[..sound.len() / 2];
        for damage in [Some(turned.as_slice()), Some(&[]), Some(half), None] {
            let size = damage.map(<[u8]>::len);
            let (opened, _directory) = open_with(name, damage);
            match opened {
                Err(SearchError::Damaged(_)) => {}
                // Without it there is no index; without the list of files some are never deleted.
                Ok(None) if name == "meta.json" && size.is_none() => {}
                Ok(Some(index)) if name == ".managed.json" => {
                    assert_eq!(numbers(&index, "lamp "), [1, 5]);
                }
                other => panic!("{name}, {size:?}: {:?}", other.map(|index| index.is_some())),
            }
        }
    }
    let (opened, _directory) = open_with("", None);
    assert_eq!(numbers(&opened.unwrap().unwrap(), "lamp "), [1, 5], "sound as it was");
}

#[test]
fn many_search_while_one_writes() {
    let Shop { index, directory: _kept } = Shop::new(&["lamp first"]);
    let done = AtomicBool::new(false);
    let searching = || {
        let mut most = 0;
        while !done.load(Ordering::Relaxed) {
            let found = numbers(&index, "lamp ").len();
            assert!(found >= most, "what was visible stays so");
            most = found;
        }
    };
    let writing = || {
        for number in 2..=21 {
            index.apply(&[product(number, "lamp")], &[], "n").unwrap();
            assert_eq!(numbers(&index, "lamp ").len() as i64, number);
        }
    };
    std::thread::scope(|scope| {
        let searchers = [(); 3].map(|()| scope.spawn(searching));
        let written = scope.spawn(writing).join();
        done.store(true, Ordering::Relaxed);
        written.unwrap();
        for searcher in searchers {
            searcher.join().unwrap();
        }
    });
}
