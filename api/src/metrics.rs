//! What is counted about requests, and the text Prometheus reads.

mod exposition;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::Method;

use search::FoundBy;

use crate::auth::roles::RouteEntry;

pub(crate) use exposition::{ParkedNow, exposition};

/// Upper bounds of the latency buckets, in microseconds.
const BOUNDS_US: [u64; 13] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];
const STATUSES: [u16; 22] = [
    200, 201, 202, 204, 304, 400, 401, 402, 403, 404, 405, 408, 409, 412, 413, 415, 422, 428, 429,
    500, 503, 504,
];

/// Counters of one route.
#[derive(Default)]
struct RouteMetrics {
    method: String,
    path: &'static str,
    /// One for each of [`STATUSES`], and one for all others.
    statuses: [AtomicU64; STATUSES.len() + 1],
    buckets: [AtomicU64; BOUNDS_US.len()],
    sum_us: AtomicU64,
    count: AtomicU64,
}

/// Counters of all routes; the last is for what matches none.
pub(crate) struct HttpMetrics {
    routes: Vec<RouteMetrics>,
    /// Methods and indices by path.
    by_path: HashMap<&'static str, Vec<(Method, usize)>>,
}

impl HttpMetrics {
    pub(crate) fn new(table: &[RouteEntry]) -> Self {
        let mut by_path: HashMap<&'static str, Vec<(Method, usize)>> = HashMap::new();
        let mut routes = Vec::with_capacity(table.len() + 1);
        for route in table {
            by_path.entry(route.path).or_default().push((route.method.clone(), routes.len()));
            let method = route.method.to_string();
            routes.push(RouteMetrics { method, path: route.path, ..RouteMetrics::default() });
        }
        routes.push(RouteMetrics { path: "(none)", ..RouteMetrics::default() });
        Self { routes, by_path }
    }

    pub(crate) fn count(&self, pattern: &str, method: &Method, status: u16, took: Duration) {
        let known = self.by_path.get(pattern).and_then(|methods| {
            methods.iter().find(|(of, _)| of == method).map(|(_, index)| *index)
        });
        let Some(route) = self.routes.get(known.unwrap_or(self.routes.len() - 1)) else { return };
        let add = |counter: &AtomicU64, more| {
            counter.fetch_add(more, Ordering::Relaxed);
        };
        let status = STATUSES.iter().position(|known| *known == status);
        add(&route.statuses[status.unwrap_or(STATUSES.len())], 1);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS_US.iter().position(|bound| took_us <= *bound) {
            add(&route.buckets[bucket], 1);
        }
        add(&route.sum_us, took_us);
        add(&route.count, 1);
    }
}

/// Searches answered, by how.
#[derive(Default)]
pub(crate) struct SearchMetrics {
    answered: [AtomicU64; FoundBy::ALL.len()],
    /// Those the engine did not answer.
    failed: AtomicU64,
}

impl SearchMetrics {
    pub(crate) fn answered(&self, by: FoundBy) {
        let counter = FoundBy::ALL.iter().zip(&self.answered).find(|(of, _)| **of == by);
        if let Some((_, counter)) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}
