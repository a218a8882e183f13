//! `GET /openapi.json`.

use std::sync::OnceLock;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::openapi::openapi;
use crate::reply::{Answer, Reply};

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "public",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn show_openapi(_who: Who<PUBLIC>) -> Answer {
    static DOCUMENT: OnceLock<serde_json::Value> = OnceLock::new();
    Reply::ok().shared_for(300).json(DOCUMENT.get_or_init(openapi))
}
