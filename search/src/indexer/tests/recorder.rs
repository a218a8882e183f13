//! An engine that remembers what it is told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::ProductId;
use tokio::sync::Semaphore;

use crate::{Changes, Filled, Findings, Question, Refilling, SearchEngine, SearchError};

type Names = BTreeMap<ProductId, String>;

#[derive(Default)]
struct State {
    serving: Option<(Filled, Names)>,
    next: Option<Names>,
    swaps: usize,
    /// What each `apply` was told: products, and what it said that it is then.
    applied: Vec<(Vec<String>, Filled)>,
    is_requested: bool,
    fail_next: Option<SearchError>,
}

pub(super) struct Recorder {
    keeps_requests: bool,
    state: Mutex<State>,
    /// Each `fill` waits for a permit while it is slow, and gives one of the other when it begins.
    pub(super) is_slow: AtomicBool,
    pub(super) may_fill: Semaphore,
    pub(super) fills: Semaphore,
}

impl Recorder {
    pub(super) fn new(keeps_requests: bool) -> Self {
        Self {
            keeps_requests,
            state: Mutex::default(),
            is_slow: AtomicBool::new(false),
            may_fill: Semaphore::new(0),
            fills: Semaphore::new(0),
        }
    }

    pub(super) fn swaps(&self) -> usize {
        self.state.lock().unwrap().swaps
    }

    pub(super) fn served(&self) -> Filled {
        self.state.lock().unwrap().serving.as_ref().unwrap().0
    }

    /// Somebody else writes.
    pub(super) fn set_served(&self, filled: Filled) {
        self.state.lock().unwrap().serving.as_mut().unwrap().0 = filled;
    }

    /// Of the products that are found, by id.
    pub(super) fn names(&self) -> Vec<String> {
        self.state.lock().unwrap().serving.as_ref().unwrap().1.values().cloned().collect()
    }

    pub(super) fn fail_next(&self, error: SearchError) {
        self.state.lock().unwrap().fail_next = Some(error);
    }

    pub(super) fn take_applied(&self) -> Vec<(Vec<String>, Filled)> {
        std::mem::take(&mut self.state.lock().unwrap().applied)
    }
}

fn put(names: &mut Names, changes: Changes) -> Vec<String> {
    for id in &changes.removed {
        names.remove(id);
    }
    let mut told = Vec::new();
    for document in changes.documents {
        told.push(document.name.clone());
        names.insert(document.product_id, document.name);
    }
    told
}

#[async_trait]
impl SearchEngine for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    async fn filled(&self) -> Result<Option<Filled>, SearchError> {
        Ok(self.state.lock().unwrap().serving.as_ref().map(|(filled, _)| *filled))
    }

    async fn apply(
        &self,
        changes: Changes,
        before: Filled,
        filled: Filled,
    ) -> Result<(), SearchError> {
        let mut state = self.state.lock().unwrap();
        if let Some(error) = state.fail_next.take() {
            return Err(error);
        }
        let (serving, names) = state.serving.as_mut().expect("something serves");
        if *serving != before {
            return Err(SearchError::Unavailable("somebody else writes".to_owned()));
        }
        *serving = filled;
        let told = put(names, changes);
        state.applied.push((told, filled));
        Ok(())
    }

    async fn begin(&self) -> Result<(), SearchError> {
        self.state.lock().unwrap().next = Some(Names::new());
        Ok(())
    }

    async fn fill(&self, changes: Changes) -> Result<(), SearchError> {
        if self.is_slow.load(Ordering::Relaxed) {
            self.fills.add_permits(1);
            self.may_fill.acquire().await.unwrap().forget();
        }
        put(self.state.lock().unwrap().next.as_mut().expect("begun"), changes);
        Ok(())
    }

    async fn swap(&self, filled: Filled) -> Result<(), SearchError> {
        let mut state = self.state.lock().unwrap();
        let next = state.next.take().expect("begun");
        state.serving = Some((filled, next));
        state.swaps += 1;
        state.is_requested = false;
        Ok(())
    }

    async fn request_refill(&self) -> Result<bool, SearchError> {
        self.state.lock().unwrap().is_requested = self.keeps_requests;
        Ok(self.keeps_requests)
    }

    async fn refilling(&self) -> Result<Refilling, SearchError> {
        let is_requested = self.state.lock().unwrap().is_requested;
        Ok(Refilling { is_requested, ..Refilling::default() })
    }

    async fn search(&self, _: &Question) -> Result<Findings, SearchError> {
        Err(SearchError::Unavailable("it only remembers".to_owned()))
    }
}
