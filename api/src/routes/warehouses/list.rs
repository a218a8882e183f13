//! `GET /warehouses`.

use domain::WarehouseId;
use projections::Projector;
use projections::parties::{Parties, warehouses};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::WarehouseBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::routes::page::{ListParties, limit_of};
use crate::wire::Query;

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarehousePage {
    warehouses: Vec<WarehouseBody>,
    /// The `cursor` of the next page; null on the last.
    #[schema(value_type = Option<String>)]
    next: Option<WarehouseId>,
}

/// Warehouses, in the order in which they are drawn on.
#[utoipa::path(get, path = "/warehouses", tag = "stock", params(ListParties),
    responses((status = 200, description = "A page of warehouses", body = WarehousePage)))]
pub(crate) async fn list_warehouses(
    who: Who<{ SELLER | SUPPORT | ADMIN }>,
    Query(query): Query<ListParties>,
) -> Answer {
    who.wait_for(&[Parties::NAME]).await?;
    let (limit, after) = (limit_of(query.limit)?, query.cursor.map(WarehouseId::new));
    let reads = who.services().reads.clone();
    let page =
        off_thread(move || reads.read(Parties::NAME, |c| warehouses(c, after, limit))).await??;
    let warehouses = page.rows.into_iter().map(WarehouseBody::from).collect();
    Reply::ok().json(&WarehousePage { warehouses, next: page.next })
}
