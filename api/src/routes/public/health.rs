//! `GET /healthz`, `GET /readyz`.

use domain::OrderId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::services::Services;

/// The process is alive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
    version: String,
    uptime_seconds: u64,
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "public",
    responses((status = 200, description = "Alive", body = Health)))]
pub(crate) async fn healthz(who: Who<PUBLIC>) -> Answer {
    let services = who.services();
    let uptime_seconds = services.started.elapsed().as_secs();
    let version = services.build.version.clone();
    Reply::ok().json(&Health { status: "ok", version, uptime_seconds })
}

/// The engine takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    status: &'static str,
    journal_head: u64,
    read_models_position: u64,
    events_parked: usize,
}

/// Whether the engine takes requests: the journal answers, the read models keep up, and there is
/// room on the disk. 503 names what is missing.
#[utoipa::path(get, path = "/readyz", tag = "public",
    responses((status = 200, description = "Ready", body = Readiness)))]
pub(crate) async fn readyz(who: Who<PUBLIC>) -> Answer {
    let services = who.services();
    let reasons = reasons(services).await;
    if !reasons.is_empty() {
        return Err(Problem::new(catalogue::NOT_READY, reasons.join("; "))
            .with("reasons", reasons)
            .retry_after(5));
    }
    let events_parked = services.reads.parked().len();
    Reply::ok().json(&Readiness {
        // Some events are set aside: their streams' rows may be incomplete, all else is served.
        status: if events_parked == 0 { "ready" } else { "degraded" },
        journal_head: services.journal.head().0,
        read_models_position: services.reads.position().0,
        events_parked,
    })
}

async fn reasons(services: &Services) -> Vec<String> {
    let mut reasons = Vec::new();
    if services.is_stopping() {
        reasons.push("the engine is shutting down".to_owned());
    }
    if services.disk_is_full() {
        reasons.push("the disk is full".to_owned());
    }
    let nobody = OrderId::new(uuid::Uuid::nil());
    let stream = <domain::order::Order as commands::Runs>::stream(&nobody);
    if let Err(error) = services.journal.stream_version(&stream).await {
        reasons.push(format!("journal: {error}"));
    }
    let head = services.journal.head().0;
    let lag = head.saturating_sub(services.reads.position().0);
    if lag > services.limits.lag_events_max {
        reasons.push(format!("read models are {lag} events behind"));
    }
    for (name, check) in &services.checks {
        if let Err(why) = check() {
            reasons.push(format!("{name}: {why}"));
        }
    }
    reasons
}
