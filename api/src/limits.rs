//! Bounds on what one process takes on, and on what one caller may ask for.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::auth::{ApiKeyRole, Identity};
use crate::problem::{Problem, catalogue};

/// What one process takes on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests under way; more are refused at once.
    pub requests_in_flight_max: usize,
    /// Longest time from a request's head to its answer.
    pub request_timeout: Duration,
    /// Longest wait of `POST /orders` for the payment.
    pub settle_patience: Duration,
    /// Longest wait for read models to see a position.
    pub position_patience: Duration,
    /// Events the read models may be behind before the engine counts as not ready.
    pub lag_events_max: u64,
    pub rates: RateLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_in_flight_max: 8_192,
            request_timeout: Duration::from_secs(30),
            settle_patience: Duration::from_secs(10),
            position_patience: Duration::from_secs(2),
            lag_events_max: 100_000,
            rates: RateLimits::default(),
        }
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// Requests of one caller, by role; `None` is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct RateLimits {
    /// Each customer, and each holder of an order token.
    pub customer: Option<Rate>,
    pub storefront: Option<Rate>,
    pub seller: Option<Rate>,
    pub support: Option<Rate>,
    pub admin: Option<Rate>,
}

type Buckets = RateLimiter<String, HashMapStateStore<String>, DefaultClock>;

/// Buckets in use, one for each caller of late.
pub(crate) struct Rates {
    by_role: HashMap<Option<ApiKeyRole>, Buckets>,
    checks: AtomicU64,
}

/// Checks between two looks for buckets that are full again and can go.
const CLEAR_EVERY: u64 = 10_000;

impl Rates {
    pub(crate) fn new(limits: &RateLimits) -> Self {
        let roles = [
            (None, limits.customer),
            (Some(ApiKeyRole::Storefront), limits.storefront),
            (Some(ApiKeyRole::Seller), limits.seller),
            (Some(ApiKeyRole::Support), limits.support),
            (Some(ApiKeyRole::Admin), limits.admin),
        ];
        let buckets = |(role, rate): (Option<ApiKeyRole>, Option<Rate>)| {
            let rate = rate?;
            let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
            Some((role, RateLimiter::hashmap(quota)))
        };
        Self { by_role: roles.into_iter().filter_map(buckets).collect(), checks: AtomicU64::new(0) }
    }

    pub(crate) fn admit(&self, identity: &Identity) -> Result<(), Problem> {
        let Some(buckets) = self.by_role.get(&identity.role()) else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEAR_EVERY == CLEAR_EVERY - 1 {
            buckets.retain_recent();
        }
        buckets.check_key(&identity.actor().to_string()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = wait.as_secs().saturating_add(1);
            Problem::new(catalogue::RATE_LIMITED, "too many requests by this caller")
                .retry_after(seconds)
        })
    }
}
