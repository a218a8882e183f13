//! `GET /admin/webhooks/parked`.

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SUPPORT};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;

/// Webhooks that wait for their order.
#[utoipa::path(get, path = "/admin/webhooks/parked", tag = "operators",
    responses((status = 200, description = "Parked webhooks", body = Object)))]
pub(crate) async fn list_parked_webhooks(who: Who<{ SUPPORT | ADMIN }>) -> Answer {
    let services = who.shared();
    let listed = off_thread(move || services.parked_webhooks.as_ref().map(|list| list())).await?;
    match listed {
        None => Err(Problem::not_found("list of parked webhooks")),
        Some(Ok(list)) => Reply::ok().json(&list),
        Some(Err(error)) => {
            tracing::error!(error, "parked webhooks cannot be listed");
            Err(Problem::new(catalogue::READ_MODEL_UNAVAILABLE, "the list cannot be read now"))
        }
    }
}
