//! Everything the routes stand on, made once by whoever composes the program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use commands::browsing::BrowsingLog;
use domain::Timestamp;
use journal::Journal;
use projections::ReadModels;
use sagas::engine::Engine;
use sagas::standard_webhooks::WebhookSecrets;
use search::{Finder, Recommender};

use crate::auth::{ApiKeys, CustomerTokens, SignedTokens};
use crate::limits::{Limits, Rates};
use crate::metrics::{HttpMetrics, SearchMetrics};

/// Something the program needs that can be broken: `Err` says what, in words for the operator.
pub type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Webhooks that wait to be applied, those that wait longest first, at most so many: the id each
/// has in the inbox, and since when. It blocks its thread while it looks.
pub type ParkedWebhooks =
    Box<dyn Fn(usize) -> Result<Vec<(String, Timestamp)>, String> + Send + Sync>;

/// A figure of something that the routes do not know, for `/metrics`. Those of one name follow each
/// other.
pub struct Gauge {
    /// Without the `tillroll_` that comes before it.
    pub name: &'static str,
    pub help: &'static str,
    /// Name and value of its label.
    pub label: (&'static str, &'static str),
    pub read: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// What was built, for operators.
#[derive(Debug, Clone)]
pub struct Build {
    pub version: String,
    pub commit: Option<String>,
}

/// What [`Services`] is made of.
pub struct ServicesParts {
    pub engine: Engine,
    pub reads: ReadModels,
    pub journal: Arc<dyn Journal>,
    /// What shoppers look at; `None`: it is taken in and forgotten.
    pub browsing: Option<BrowsingLog>,
    pub api_keys: ApiKeys,
    /// Sessions of guests and tokens of orders.
    pub tokens: SignedTokens,
    /// `None`: no customer can sign in by a token of their own.
    pub customers: Option<CustomerTokens>,
    /// Secrets of each payment provider's webhooks, by the provider's name.
    pub webhooks: BTreeMap<String, WebhookSecrets>,
    pub limits: Limits,
    pub build: Build,
    /// Asked by `/readyz`, by name.
    pub checks: Vec<(String, Check)>,
    pub parked_webhooks: ParkedWebhooks,
    pub gauges: Vec<Gauge>,
    /// Finds products.
    pub search: Arc<Finder>,
    /// Knows what is like a product, and what to show first.
    pub recommend: Arc<Recommender>,
}

/// What the routes stand on.
pub struct Services {
    pub(crate) engine: Engine,
    pub(crate) reads: ReadModels,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) browsing: Option<BrowsingLog>,
    pub(crate) api_keys: ApiKeys,
    pub(crate) tokens: SignedTokens,
    pub(crate) customers: Option<CustomerTokens>,
    pub(crate) webhooks: BTreeMap<String, WebhookSecrets>,
    pub(crate) limits: Limits,
    pub(crate) rates: Rates,
    pub(crate) build: Build,
    pub(crate) checks: Vec<(String, Check)>,
    pub(crate) parked_webhooks: ParkedWebhooks,
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) search: Arc<Finder>,
    pub(crate) recommend: Arc<Recommender>,
    pub(crate) searches: SearchMetrics,
    pub(crate) metrics: HttpMetrics,
    pub(crate) started: Instant,
    pub(crate) in_flight: AtomicUsize,
    stopping: AtomicBool,
    /// Milliseconds since the start, plus one, when a command last found the disk full.
    disk_full_ms: AtomicU64,
}

/// How long a full disk counts as full without being met again.
const DISK_FULL_MS: u64 = 15_000;

impl Services {
    #[must_use]
    pub fn new(parts: ServicesParts) -> Self {
        Self {
            engine: parts.engine,
            reads: parts.reads,
            journal: parts.journal,
            browsing: parts.browsing,
            api_keys: parts.api_keys,
            tokens: parts.tokens,
            customers: parts.customers,
            webhooks: parts.webhooks,
            rates: Rates::new(&parts.limits.rates),
            limits: parts.limits,
            build: parts.build,
            checks: parts.checks,
            parked_webhooks: parts.parked_webhooks,
            gauges: parts.gauges,
            search: parts.search,
            recommend: parts.recommend,
            searches: SearchMetrics::default(),
            metrics: HttpMetrics::new(&crate::routes::table()),
            started: Instant::now(),
            in_flight: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            disk_full_ms: AtomicU64::new(0),
        }
    }

    /// From now on `/readyz` says no, so that no new clients come.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn met_full_disk(&self) {
        self.disk_full_ms.store(self.uptime_ms().saturating_add(1), Ordering::Relaxed);
    }

    pub(crate) fn disk_is_full(&self) -> bool {
        let met = self.disk_full_ms.load(Ordering::Relaxed);
        met > 0 && self.uptime_ms().saturating_sub(met) < DISK_FULL_MS
    }

    fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
