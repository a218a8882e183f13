//! `GET /metrics`.

use actix_web::HttpResponse;

use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::metrics::exposition;
use crate::reply::Answer;

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operators",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
pub(crate) async fn show_metrics(who: Who<ADMIN>) -> Answer {
    let text = exposition(who.services());
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text))
}
