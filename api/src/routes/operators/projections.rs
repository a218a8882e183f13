//! `GET /admin/projections`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};

/// How far one read model is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadModelBody {
    name: &'static str,
    position: u64,
    lag_events: u64,
    /// Which file serves; it grows with each rebuild.
    generation: Option<u64>,
}

/// An event no read model could digest.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParkedEventBody {
    model: &'static str,
    /// Place in the journal.
    position: u64,
    /// Such as `order-0190…`.
    stream: String,
    error: String,
}

/// All read models.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadModelsBody {
    journal_head: u64,
    models: Vec<ReadModelBody>,
    parked: Vec<ParkedEventBody>,
}

/// How far each read model is, and what was set aside.
#[utoipa::path(get, path = "/admin/projections", tag = "operators",
    responses((status = 200, description = "Read models", body = ReadModelsBody)))]
pub(crate) async fn list_projections(who: Who<ADMIN>) -> Answer {
    let services = who.services();
    let head = services.journal.head().0;
    let reads = &services.reads;
    let models = reads
        .positions()
        .iter()
        .map(|at| ReadModelBody {
            name: at.model,
            position: at.position.0,
            lag_events: head.saturating_sub(at.position.0),
            generation: reads.directory().serving(at.model).ok().flatten(),
        })
        .collect();
    let parked = reads.parked();
    let parked = parked.iter().map(|event| ParkedEventBody {
        model: event.model,
        position: event.position.0,
        stream: event.stream.to_string(),
        error: event.error.clone(),
    });
    Reply::ok().json(&ReadModelsBody { journal_head: head, models, parked: parked.collect() })
}
