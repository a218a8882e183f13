//! `GET /metrics`.

use actix_web::HttpResponse;

use super::parked_webhooks::parked;
use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::metrics::{ParkedNow, exposition};
use crate::reply::Answer;

/// Enough to count: more than these is a number an operator acts on all the same.
const COUNTED_MAX: usize = 10_000;

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operators",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(crate) async fn show_metrics(who: Who<ADMIN>) -> Answer {
    let now = who.services().engine.bus().now();
    // Metrics are there also when this one cannot be told.
    let parked = parked(&who, COUNTED_MAX).await.ok().map(|parked| ParkedNow {
        count: parked.len(),
        oldest_seconds: parked.first().map_or(0, |(_, since)| (now - *since).num_seconds().max(0)),
    });
    let text = exposition(who.services(), parked);
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text))
}
