//! A server that speaks Meilisearch's published protocol over real sockets and keeps everything in
//! memory. It can be told to fail in all the ways a server and its operator do.
//!
//! It also has the traps of the real one: signs alone find everything, a minus leaves out, strings are
//! filtered and counted without regard to case and accents and cut off at 468 bytes, numbers of hits
//! are bounded, and every change is a task.

mod filter;
mod routes;
mod search;
mod serve;
mod store;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use store::Store;
use tokio::sync::Notify;

use crate::host::Host;

/// The key that may do everything.
pub const MASTER_KEY: &str = "a-master-key-of-32-characters-1234";

/// What becomes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskFate {
    Succeed,
    /// With an internal error.
    Fail,
    Cancel,
    /// It is never done, nor any after it.
    Stick,
}

pub struct Shared {
    store: Mutex<Store>,
    /// What becomes of the next tasks, one by one; then they succeed.
    pub tasks: Mutex<VecDeque<TaskFate>>,
    /// Each task takes so long, in microseconds.
    pub task_micros: AtomicU64,
    /// Each search is answered so much later, in milliseconds.
    pub search_millis: AtomicU64,
    /// Every call is answered with 500.
    pub broken: AtomicBool,
    /// Calls to paths with this in them are taken in and never answered; with "", all.
    hangs_at: Mutex<Option<&'static str>>,
    /// What `/version` says.
    pub version: Mutex<String>,
    /// Rights by key; the master key's are all.
    pub keys: Mutex<BTreeMap<String, Vec<String>>>,
    /// Requests, searches in them, and bytes of the largest body and of the largest answer.
    pub requests: AtomicU64,
    pub searches: AtomicU64,
    pub largest_body: AtomicU64,
    pub largest_answer: AtomicU64,
    queued: Notify,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    pub fn next_task(&self, fate: TaskFate) {
        self.tasks.lock().unwrap().push_back(fate);
    }

    /// From now on calls to paths with this in them hang, as behind a firewall that drops packets.
    pub fn hang_at(&self, part: Option<&'static str>) {
        *self.hangs_at.lock().unwrap() = part;
    }

    fn hangs(&self, path: &str) -> bool {
        self.hangs_at.lock().unwrap().is_some_and(|part| path.contains(part))
    }

    /// Whether all tasks are done.
    pub fn is_idle(&self) -> bool {
        self.store().is_idle()
    }

    /// As if the volume had been lost and another put in its place.
    pub fn lose_everything(&self) {
        self.store().indexes.clear();
    }

    /// Takes all documents out of an index, which stays.
    pub fn empty(&self, index: &str) {
        if let Some(index) = self.store().indexes.get_mut(index) {
            index.documents.clear();
        }
    }

    /// Takes out one document.
    pub fn lose(&self, index: &str, id: &str) {
        self.store().indexes.get_mut(index).unwrap().documents.remove(id).unwrap();
    }

    /// Names of all indexes.
    pub fn indexes(&self) -> Vec<String> {
        self.store().indexes.keys().cloned().collect()
    }

    /// Documents in an index.
    pub fn documents(&self, index: &str) -> usize {
        self.store().indexes.get(index).map_or(0, |index| index.documents.len())
    }
}

/// One server. Dropping it stops it.
pub struct Double {
    pub shared: Arc<Shared>,
    host: Host,
}

impl Double {
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            store: Mutex::default(),
            tasks: Mutex::default(),
            task_micros: AtomicU64::new(200),
            search_millis: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            hangs_at: Mutex::default(),
            version: Mutex::new("1.50.0".to_owned()),
            keys: Mutex::default(),
            requests: AtomicU64::new(0),
            searches: AtomicU64::new(0),
            largest_body: AtomicU64::new(0),
            largest_answer: AtomicU64::new(0),
            queued: Notify::new(),
        });
        let mut double = Self { shared, host: Host::new() };
        double.run();
        double
    }

    /// Starts it again after [`Self::stop`], with all it had.
    pub fn run(&mut self) {
        let shared = self.shared.clone();
        self.host.run(|listener| {
            tokio::spawn(serve::accept(shared.clone(), listener));
            tokio::spawn(work(shared));
        });
    }

    /// The server dies: all connections break, and nobody listens any more.
    pub fn stop(&mut self) {
        self.host.stop();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.host.address())
    }
}

/// Does tasks one by one, in their order.
async fn work(shared: Arc<Shared>) {
    loop {
        let next = shared.store().start_next();
        let Some(uid) = next else {
            shared.queued.notified().await;
            continue;
        };
        tokio::time::sleep(Duration::from_micros(shared.task_micros.load(Ordering::Relaxed))).await;
        let fate = shared.tasks.lock().unwrap().pop_front().unwrap_or(TaskFate::Succeed);
        if fate == TaskFate::Stick {
            std::future::pending::<()>().await;
        }
        shared.store().finish(uid, fate);
    }
}
