//! The engine in its directory: what every engine promises, and what survives a crash or damage.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::conformance::{self, Subject, checks, everything, filled, shop, text};
use crate::text::TextSettings;
use crate::{Changes, EmbeddedEngine, SearchEngine, SearchError, Shelf};

async fn fresh() -> Subject {
    let directory = tempfile::tempdir().unwrap();
    let shelf = Shelf::default();
    let engine = open(directory.path(), &shelf);
    let (told, told_all) = (shelf.clone(), shelf);
    Subject {
        tell: Box::new(move |changes| told.apply(changes)),
        tell_all: Box::new(move |documents, categories| told_all.replace(documents, categories)),
        keeps: Box::new(directory),
        ..Subject::new(Arc::new(engine))
    }
}

checks! { fresh }

fn open(directory: &Path, shelf: &Shelf) -> EmbeddedEngine {
    EmbeddedEngine::open(directory, TextSettings::default(), shelf.clone()).unwrap()
}

fn full_shelf() -> Shelf {
    let shelf = Shelf::default();
    shelf.replace(&shop::documents(), &shop::categories());
    shelf
}

async fn fill(engine: &EmbeddedEngine, position: u64) {
    engine.begin().await.unwrap();
    engine.fill(Changes { documents: shop::documents(), ..Changes::default() }).await.unwrap();
    engine.swap(filled(position)).await.unwrap();
}

/// Names of what is in the directory, but for the lock.
fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "owner.lock");
    names.sort();
    names
}

#[tokio::test]
async fn what_served_serves_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let shelf = full_shelf();
    let engine = open(directory.path(), &shelf);
    fill(&engine, 1).await;
    let before = engine.search(&text("lantern")).await.unwrap();
    assert!(before.total > 0);
    let changed = Changes { documents: vec![shop::document(1)], ..Changes::default() };
    engine.apply(changed, filled(1), filled(7)).await.unwrap();
    drop(engine);

    let engine = open(directory.path(), &shelf);
    assert_eq!(engine.filled().await.unwrap(), Some(filled(7)));
    let after = engine.search(&text("lantern")).await.unwrap();
    assert_eq!((after.total, after.hits.len()), (before.total, before.hits.len()));
}

#[tokio::test]
async fn an_index_says_nothing_before_the_shelf_was_filled() {
    let directory = tempfile::tempdir().unwrap();
    fill(&open(directory.path(), &full_shelf()), 1).await;
    let shelf = Shelf::default();
    let engine = open(directory.path(), &shelf);
    for question in [everything(), text("lantern")] {
        let answer = engine.search(&question).await;
        assert!(matches!(answer, Err(SearchError::Unavailable(_))), "{answer:?}");
    }
    shelf.replace(&shop::documents(), &shop::categories());
    assert!(engine.search(&text("lantern")).await.unwrap().total > 0);
}

#[tokio::test]
async fn only_the_serving_index_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), &full_shelf());
    fill(&engine, 1).await;
    fill(&engine, 2).await;
    assert_eq!(entries(directory.path()), ["2", "serving"]);
    engine.begin().await.unwrap();
    engine.begin().await.unwrap();
    let names = entries(directory.path());
    assert_eq!((names.len(), names.contains(&"2".to_owned())), (3, true), "{names:?}");
    // As after a crash: what was begun stays until the next beginning.
    drop(engine);
    let engine = open(directory.path(), &full_shelf());
    assert_eq!(engine.filled().await.unwrap(), Some(filled(2)));
    fs::write(directory.path().join("notes.txt"), "not ours").unwrap();
    fill(&engine, 3).await;
    let names = entries(directory.path());
    assert_eq!(names[1..], ["notes.txt", "serving"], "{names:?}");
    assert_eq!(engine.filled().await.unwrap(), Some(filled(3)));
}

/// Whatever became of the files, the engine opens, says that it has to be filled, and can be.
#[tokio::test]
async fn what_is_damaged_or_foreign_is_filled_anew() {
    let damages: [fn(&Path); 6] = [
        |directory| fs::remove_dir_all(directory.join("1")).unwrap(),
        |directory| fs::write(directory.join("serving"), "nonsense").unwrap(),
        |directory| fs::write(directory.join("serving"), [0xff, 0xfe]).unwrap(),
        |directory| fs::write(directory.join("serving"), "77").unwrap(),
        |directory| fs::write(directory.join("1/meta.json"), "{").unwrap(),
        |directory| {
            for entry in fs::read_dir(directory.join("1")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|ending| ending == "term" || ending == "idx") {
                    let length = fs::metadata(&path).unwrap().len();
                    fs::write(&path, vec![7; length as usize]).unwrap();
                }
            }
        },
    ];
    for (damage, index) in damages.iter().zip(0..) {
        let directory = tempfile::tempdir().unwrap();
        fill(&open(directory.path(), &full_shelf()), 1).await;
        damage(directory.path());
        let engine = open(directory.path(), &full_shelf());
        assert_eq!(engine.filled().await.unwrap(), None, "damage {index}");
        let answer = engine.search(&text("lantern")).await;
        assert!(matches!(answer, Err(SearchError::Unavailable(_))), "damage {index}: {answer:?}");
        fill(&engine, 2).await;
        drop(engine);
        let engine = open(directory.path(), &full_shelf());
        assert_eq!(engine.filled().await.unwrap(), Some(filled(2)), "damage {index}");
        assert!(engine.search(&text("lantern")).await.unwrap().total > 0, "damage {index}");
    }
}

#[tokio::test]
async fn another_language_is_another_index() {
    let directory = tempfile::tempdir().unwrap();
    fill(&open(directory.path(), &full_shelf()), 1).await;
    let german = TextSettings { language: "german".parse().unwrap(), ..TextSettings::default() };
    let engine = EmbeddedEngine::open(directory.path(), german, full_shelf()).unwrap();
    assert_eq!(engine.filled().await.unwrap(), None);
}

#[tokio::test]
async fn two_processes_cannot_write_one_index() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path(), &full_shelf());
    fill(&engine, 1).await;
    let second = EmbeddedEngine::open(directory.path(), TextSettings::default(), full_shelf());
    assert!(matches!(second.err(), Some(SearchError::Unavailable(_))));
    assert!(engine.search(&text("lantern")).await.unwrap().total > 0);
}

/// Nor delete what another fills or serves for not being able to read it.
#[tokio::test]
async fn two_processes_cannot_have_one_directory_whatever_is_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let open_as = |language: &str| {
        let language = language.parse().unwrap();
        let settings = TextSettings { language, ..TextSettings::default() };
        EmbeddedEngine::open(directory.path(), settings, full_shelf())
    };
    let first = open_as("english").unwrap();
    let refused = |second: Result<EmbeddedEngine, SearchError>| {
        assert!(matches!(second.err(), Some(SearchError::Unavailable(_))));
    };
    refused(open_as("english"));
    first.begin().await.unwrap();
    refused(open_as("english"));
    first.fill(Changes { documents: shop::documents(), ..Changes::default() }).await.unwrap();
    first.swap(filled(1)).await.unwrap();
    refused(open_as("german"));
    assert!(first.search(&text("lantern")).await.unwrap().total > 0);
    drop(first);
    assert!(open_as("german").is_ok());
}

#[tokio::test]
async fn an_index_somebody_deleted_is_damaged_and_can_be_filled_anew() {
    let directory = tempfile::tempdir().unwrap();
    let words = directory.path().join("search/words");
    let engine = open(&words, &full_shelf());
    fill(&engine, 1).await;
    fs::remove_dir_all(directory.path().join("search")).unwrap();
    let removed = vec![shop::product_id(3)];
    let changes = || Changes { removed: removed.clone(), ..Changes::default() };
    for attempt in 0..2 {
        let refused = engine.apply(changes(), filled(1), filled(2)).await;
        assert!(matches!(refused, Err(SearchError::Damaged(_))), "{attempt}: {refused:?}");
    }
    fill(&engine, 2).await;
    engine.apply(changes(), filled(2), filled(3)).await.unwrap();
    drop(engine);
    assert_eq!(open(&words, &full_shelf()).filled().await.unwrap(), Some(filled(3)));
}

#[tokio::test]
async fn what_is_not_on_the_shelf_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    let shelf = full_shelf();
    let engine = open(directory.path(), &shelf);
    fill(&engine, 1).await;
    let before = conformance::numbers(&engine.search(&text("lantern")).await.unwrap());
    let removed = vec![shop::product_id(before[0])];
    shelf.apply(&Changes { removed, ..Changes::default() });
    let after = conformance::numbers(&engine.search(&text("lantern")).await.unwrap());
    assert_eq!(after, before[1..]);
}
