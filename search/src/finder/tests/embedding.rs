//! How many questions a model is asked at once, and how long it is waited for.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use journal::Position;

use super::shop::{Shop, id, numbers, text};
use crate::{
    Answer, FindError, Finder, FinderOptions, FinderParts, FoundBy, Freshness, Fusion, Mode,
    NearInMeaning, Neighbour, Request, SemanticError,
};

/// A model that takes its time: until it is let go.
#[derive(Default)]
struct Slow {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// Questions that it has before it, the most there ever were, and all it ever had.
    now: usize,
    most: usize,
    all: usize,
    is_let_go: bool,
}

impl Slow {
    fn state(&self) -> State {
        *self.state.lock().unwrap()
    }

    fn let_go(&self) {
        self.state.lock().unwrap().is_let_go = true;
        self.changed.notify_all();
    }

    async fn has(&self, now: usize) {
        while self.state().now != now {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl NearInMeaning for Slow {
    fn neighbours(&self, _: &str, _: usize) -> Result<Vec<Neighbour>, SemanticError> {
        let mut state = self.state.lock().unwrap();
        state.now += 1;
        state.all += 1;
        state.most = state.most.max(state.now);
        let mut state = self.changed.wait_while(state, |state| !state.is_let_go).unwrap();
        state.now -= 1;
        Ok(vec![Neighbour { product_id: id(1), similarity: 1.0 }])
    }

    fn fusion(&self) -> Fusion {
        Fusion::default()
    }
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(50);

fn finder(shop: &Shop, model: &Arc<Slow>, options: FinderOptions) -> Finder {
    Finder::new(FinderParts {
        engine: Arc::clone(&shop.engine) as _,
        shelf: shop.finder.shelf().clone(),
        vectors: Some(Arc::clone(model) as _),
        purchases: None,
        engine_at: Freshness::default(),
        shelf_at: Freshness::new(Position(1)),
        options,
    })
}

/// One for each processor, whoever asks: others wait, and what needs no model does not. A question
/// whose shopper is gone still counts until the model has answered it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_asked_as_many_questions_at_once_as_there_are_processors() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let shop = Shop::new(3).await;
    let model = Arc::new(Slow::default());
    let patient = FinderOptions { meaning_patience: LONG, ..FinderOptions::default() };
    let finder = Arc::new(finder(&shop, &model, patient));
    let ask = |number: usize| {
        let finder = Arc::clone(&finder);
        let request = Request { mode: Mode::Semantic, ..text(&format!("unseen {number}")) };
        tokio::spawn(async move { finder.find(&request).await })
    };
    let mut asked: Vec<tokio::task::JoinHandle<Result<Answer, FindError>>> =
        (0..processors).map(ask).collect();
    model.has(processors).await;
    let gone = asked.swap_remove(0);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    asked.extend((processors..processors + 3).map(ask));
    let words = finder.find(&Request { mode: Mode::Text, ..text("mug") }).await.unwrap();
    assert_eq!(words.total, 3, "found while the model is busy");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((model.state().now, model.state().all), (processors, processors));

    model.let_go();
    for answer in asked {
        assert_eq!(numbers(&answer.await.unwrap().unwrap()), [1]);
    }
    assert_eq!((model.state().most, model.state().all), (processors, processors + 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_a_model_takes_is_not_the_engines() {
    let shop = Shop::new(3).await;
    let model = Arc::new(Slow::default());
    let options = FinderOptions {
        engine_patience: Some(SHORT),
        meaning_patience: LONG,
        ..FinderOptions::default()
    };
    let finder = Arc::new(finder(&shop, &model, options));
    let ask = |mode| {
        let finder = Arc::clone(&finder);
        tokio::spawn(async move { finder.find(&Request { mode, ..text("mug") }).await })
    };
    for mode in [Mode::Semantic, Mode::Hybrid] {
        model.state.lock().unwrap().is_let_go = false;
        let asked = ask(mode);
        model.has(1).await;
        tokio::time::sleep(2 * SHORT).await;
        model.let_go();
        assert!(numbers(&asked.await.unwrap().unwrap()).contains(&1), "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_find_something_while_a_model_takes_too_long() {
    let shop = Shop::new(3).await;
    let model = Arc::new(Slow::default());
    let options = FinderOptions { meaning_patience: SHORT, ..FinderOptions::default() };
    let finder = finder(&shop, &model, options);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // Those that have the model before them, and those whose turn does not come.
    for _ in 0..=processors {
        for mode in [Mode::Auto, Mode::Hybrid] {
            let found = finder.find(&Request { mode, ..text("mug") }).await.unwrap();
            assert_eq!((numbers(&found), found.found_by), (vec![3, 2, 1], FoundBy::Text));
        }
    }
    assert_eq!(model.state().all, processors);
    match finder.find(&Request { mode: Mode::Semantic, ..text("mug") }).await {
        Err(FindError::Unavailable(why)) => {
            assert_eq!(why, "what is near in meaning could not be told within 50 ms");
        }
        other => panic!("{other:?}"),
    }
    model.let_go();
}
