//! `GET /admin/checkouts`.

use ::projections::checkouts::{CheckoutInFlight, in_flight};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;

const CHECKOUTS_MAX: usize = 500;

/// Checkouts that are not over, the oldest first; at most 500.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckoutsInFlight {
    #[schema(value_type = Vec<crate::openapi::shapes::Checkout>)]
    checkouts: Vec<CheckoutInFlight>,
}

/// Checkouts that are not over, with the calls whose outcome nobody knows.
#[utoipa::path(get, path = "/admin/checkouts", tag = "operators",
    responses((status = 200, description = "Checkouts in flight", body = CheckoutsInFlight)))]
pub(crate) async fn list_checkouts(who: Who<{ SUPPORT | ADMIN }>) -> Answer {
    who.wait_for(&["checkouts"]).await?;
    let services = who.services();
    let (reads, now) = (services.reads.clone(), services.engine.bus().now());
    let checkouts = off_thread(move || in_flight(&reads, now, CHECKOUTS_MAX)).await??;
    Reply::ok().json(&CheckoutsInFlight { checkouts })
}
