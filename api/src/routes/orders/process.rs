//! `POST /orders/{order_id}/process`.

use domain::OrderId;
use sagas::fulfilment;

use super::standing::OrderStanding;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::routes::acting::{Reach, change, seen_order};
use crate::wire::{Body, Ids, Nothing};

/// Starts work on a confirmed order. Harmless when repeated.
#[utoipa::path(post, path = "/orders/{order_id}/process", tag = "orders", request_body = Nothing,
    responses((status = 200, description = "How the order stands", body = OrderStanding)))]
pub(crate) async fn process_order(
    who: Who<{ SELLER | ADMIN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
    body: Body<Nothing>,
) -> Answer {
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        reach.order(unit, order_id)?;
        seen_order(unit, order_id, seen)?;
        fulfilment::start_processing(unit, order_id)?;
        OrderStanding::read(unit, order_id)
    })
    .await?;
    OrderStanding::answer(&who, &done)
}
