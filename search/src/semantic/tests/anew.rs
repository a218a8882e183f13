//! Vectors made anew because somebody asked: by whoever keeps them, and by a process of its own.

use super::*;
use crate::semantic::files::Saved;
use crate::semantic::{Placed, VectorsAnew};

#[test]
fn vectors_made_anew_take_the_place_of_the_old_in_one_step() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = trained(directory.path());
    let shop = catalogue(1, 200);
    vectors.apply(&Changes { documents: shop.clone(), ..Changes::default() });
    vectors.filled();
    settle(&vectors);
    vectors.save(now()).unwrap();
    let (near, before) = (found(&vectors, "bedside light"), serving(directory.path()));
    assert_eq!(vectors.take_changed().len(), 200);
    vectors.renew();
    assert_eq!(vectors.progress(), (0, 200));
    assert!(vectors.work(now()).unwrap() && vectors.is_renewing());
    assert_eq!((vectors.progress(), vectors.renewed()), ((0, 200), 0));
    while vectors.is_renewing() {
        assert_eq!(found(&vectors, "bedside light"), near, "the old ones serve");
        assert_eq!(serving(directory.path()), before, "also if it is killed now");
        assert!(vectors.work(now()).unwrap());
    }
    assert_eq!((vectors.progress(), vectors.renewed()), ((200, 200), 1));
    let after = serving(directory.path());
    assert!(after.model != before.model && after.vectors != before.vectors);
    assert_eq!(after.embedded, before.embedded, "and it is written down");
    assert_eq!(found(&vectors, "bedside light"), near, "the same shop gives the same");
    assert_eq!(vectors.take_changed().len(), 200, "whoever keeps lists makes them anew");
    settle(&vectors);
    drop(vectors);
    // Killed: nothing was saved since.
    let vectors = trained(directory.path());
    vectors.apply(&Changes { documents: shop, ..Changes::default() });
    vectors.filled();
    assert_eq!(vectors.progress(), (200, 200));
    assert!(!vectors.work(now()).unwrap());
}

fn serving(directory: &Path) -> Saved {
    Files::of(directory).unwrap().load().unwrap().unwrap()
}

#[test]
fn a_given_model_embeds_everything_again_when_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let embedder = Letters::new("letters");
    let vectors = given(directory.path(), &embedder);
    vectors.renew();
    vectors.filled();
    settle(&vectors);
    assert_eq!((vectors.is_renewing(), vectors.renewed()), (false, 1), "there is nothing");
    tell(&vectors, &SHOP);
    settle(&vectors);
    vectors.renew();
    // Changed while it goes on, and gone.
    assert!(vectors.work(now()).unwrap());
    tell(&vectors, &[(3, "money"), (4, "lampshade")]);
    vectors.apply(&Changes { removed: vec![SHOP_1], ..Changes::default() });
    settle(&vectors);
    assert_eq!((vectors.progress(), vectors.renewed(), embedder.texts()), ((3, 3), 2, 6));
    assert_eq!(found(&vectors, "lamp"), [2, 4]);
}

#[test]
fn a_model_that_refuses_everything_takes_nobodys_place() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = given(directory.path(), &Letters::new("letters"));
    tell(&vectors, &SHOP);
    vectors.filled();
    settle(&vectors);
    let broken = Letters { id: "letters", dimensions: 26, gives: 30, texts: AtomicUsize::new(0) };
    vectors.save(now()).unwrap();
    drop(vectors);
    let vectors = given(directory.path(), &Arc::new(broken));
    tell(&vectors, &SHOP);
    vectors.filled();
    vectors.renew();
    assert!(vectors.work(now()).unwrap());
    assert!(vectors.work(now()).is_err());
    assert_eq!((vectors.is_renewing(), vectors.renewed(), vectors.progress()), (false, 0, (3, 3)));
    assert!(!vectors.work(now()).unwrap());
    assert_eq!(vectors.similar_to(SHOP_1, 9, |_| true).len(), 2);
}

#[test]
fn a_process_of_its_own_makes_vectors_beside_those_that_serve() {
    let directory = tempfile::tempdir().unwrap();
    let choice = || EmbedderChoice::Trained { orders: None };
    let tell = |vectors: &ProductVectors| {
        vectors.apply(&Changes { documents: catalogue(1, 40), ..Changes::default() });
        vectors.filled();
    };
    let vectors = trained(directory.path());
    assert!(VectorsAnew::is_kept(directory.path()));
    assert!(VectorsAnew::begin(directory.path(), choice()).unwrap().is_none(), "to be asked");
    tell(&vectors);
    settle(&vectors);
    vectors.save(now()).unwrap();
    let (near, before) = (found(&vectors, "bedside light"), serving(directory.path()));
    drop(vectors);

    // One that is killed leaves the old ones, and does not keep the next from its work.
    let anew = VectorsAnew::begin(directory.path(), choice()).unwrap().unwrap();
    assert!(matches!(VectorsAnew::begin(directory.path(), choice()), Err(SemanticError::InUse(_))));
    tell(anew.vectors());
    settle(anew.vectors());
    anew.vectors().save(now()).unwrap();
    drop(anew);
    assert_eq!(serving(directory.path()), before);
    let anew = VectorsAnew::begin(directory.path(), choice()).unwrap().unwrap();
    assert_eq!(anew.vectors().progress(), (0, 0));
    tell(anew.vectors());
    settle(anew.vectors());
    assert_eq!(anew.take_place(now()).unwrap(), Placed::Serves);
    let after = serving(directory.path());
    assert_ne!((after.model, after.vectors), (before.model, before.vectors));
    let vectors = trained(directory.path());
    tell(&vectors);
    assert_eq!((vectors.progress(), found(&vectors, "bedside light")), ((40, 40), near));
    assert!(!directory.path().join("anew").exists());
}

#[test]
fn texts_that_are_refused_do_not_keep_the_others_from_taking_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = given(directory.path(), &Letters::new("letters"));
    tell(&vectors, &SHOP);
    settle(&vectors);
    vectors.save(now()).unwrap();
    drop(vectors);
    let before = serving(directory.path());
    let choice = || EmbedderChoice::Given {
        embedder: Letters::new("letters") as Arc<dyn Embedder>,
        floor: 0.5,
    };
    let refused = |of: std::ops::RangeInclusive<i64>, all: i64| -> Vec<SearchDocument> {
        let name =
            |number| if of.contains(&number) { REFUSED.to_string() } else { "lamp".to_owned() };
        (1..=all).map(|number| document(number, &name(number))).collect()
    };
    // No vector at all: the old ones stay.
    let anew = VectorsAnew::begin(directory.path(), choice()).unwrap().unwrap();
    anew.vectors().apply(&Changes { documents: refused(1..=130, 130), ..Changes::default() });
    anew.vectors().filled();
    assert!(matches!(anew.make(now, |_, _| {}), Err(SemanticError::Embed(_))));
    drop(anew);
    assert_eq!(serving(directory.path()), before);
    // The last batch, and the first.
    for (of, of_all) in [(65..=65, 65), (1..=64, 130)] {
        let made = of_all - of.clone().count();
        let anew = VectorsAnew::begin(directory.path(), choice()).unwrap().unwrap();
        let documents = refused(of, of_all as i64);
        anew.vectors().apply(&Changes { documents, ..Changes::default() });
        anew.vectors().filled();
        let mut last = (0, 0);
        anew.make(now, |done, total| last = (done, total)).unwrap();
        assert_eq!(last, (made, of_all));
        assert_eq!(anew.take_place(now()).unwrap(), Placed::Serves);
        assert_eq!(serving(directory.path()).embedded.len(), made);
    }
}

#[test]
fn where_nothing_is_for_sale_nothing_takes_the_place_of_the_old() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = trained(directory.path());
    vectors.apply(&Changes { documents: catalogue(1, 40), ..Changes::default() });
    vectors.filled();
    settle(&vectors);
    vectors.save(now()).unwrap();
    drop(vectors);
    let before = serving(directory.path());
    let choice = EmbedderChoice::Trained { orders: None };
    let anew = VectorsAnew::begin(directory.path(), choice).unwrap().unwrap();
    anew.vectors().filled();
    anew.make(now, |_, _| {}).unwrap();
    assert_eq!(anew.take_place(now()).unwrap(), Placed::Nothing);
    assert_eq!(serving(directory.path()), before);
    assert!(!directory.path().join("anew").exists());
}

#[test]
fn a_process_that_makes_vectors_is_not_taken_for_one_that_serves() {
    let directory = tempfile::tempdir().unwrap();
    let begin = || VectorsAnew::begin(directory.path(), EmbedderChoice::Trained { orders: None });
    let files = Files::of(directory.path()).unwrap();
    // It begins, or looks whether another serves.
    let lock = files.lock().unwrap().unwrap();
    let other = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(60));
        drop(lock);
    });
    let anew = begin().unwrap().expect("nobody serves");
    other.join().unwrap();
    // It puts its own in place; or a server started beside it.
    let lock = files.lock().unwrap().expect("not locked while vectors are made");
    assert!(matches!(begin(), Err(SemanticError::InUse(_))));
    drop(anew);
    assert!(begin().unwrap().is_none(), "whoever serves is to be asked");
    drop(lock);
    assert!(begin().unwrap().is_some());
}
