//! `GET /sellers`.

use domain::SellerId;
use projections::Projector;
use projections::parties::{Parties, sellers};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::SellerBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::routes::page::{ListParties, limit_of};
use crate::wire::Query;

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SellerPage {
    sellers: Vec<SellerBody>,
    /// The `cursor` of the next page; null on the last.
    #[schema(value_type = Option<String>)]
    next: Option<SellerId>,
}

/// Sellers, in the order in which they came.
#[utoipa::path(get, path = "/sellers", tag = "catalogue", params(ListParties),
    responses((status = 200, description = "A page of sellers", body = SellerPage)))]
pub(crate) async fn list_sellers(
    who: Who<{ STOREFRONT | SUPPORT | ADMIN }>,
    Query(query): Query<ListParties>,
) -> Answer {
    who.wait_for(&[Parties::NAME]).await?;
    let (limit, after) = (limit_of(query.limit)?, query.cursor.map(SellerId::new));
    let reads = who.services().reads.clone();
    let page =
        off_thread(move || reads.read(Parties::NAME, |c| sellers(c, after, limit))).await??;
    let mut sellers = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        sellers.push(SellerBody::open(&who, row.seller_id, row.version, row.details).await?);
    }
    Reply::ok().json(&SellerPage { sellers, next: page.next })
}
