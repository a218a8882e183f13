//! `GET /problems/{code}`.

use actix_web::web;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::{Kind, Problem, catalogue};
use crate::reply::{Answer, Reply};

/// What a problem's code means, and what to do about it.
#[utoipa::path(get, path = "/problems/{code}", tag = "public",
    responses((status = 200, description = "The kind of problem", body = Kind)))]
pub(crate) async fn show_problem(_who: Who<PUBLIC>, code: web::Path<String>) -> Answer {
    let kind = catalogue::find(&code).ok_or_else(|| Problem::not_found("problem"))?;
    Reply::ok().shared_for(3_600).json(&kind)
}
