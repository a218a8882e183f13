//! `POST /orders/{order_id}/cancel`.

use domain::OrderId;
use sagas::checkout;

use super::standing::OrderStanding;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::reply::Answer;
use crate::routes::acting::{Reach, act, seen_order};
use crate::wire::{Body, Ids, request};

request! {
    /// Why it is cancelled.
    CancelOrder {
        /// At most 500 characters.
        reason: Option<String> = Option<String>,
    }
}

/// Cancels an order that is pending or confirmed; money that was taken goes back.
///
/// An order whose payment is under way is cancelled as soon as the provider has answered.
#[utoipa::path(post, path = "/orders/{order_id}/cancel", tag = "orders", request_body = CancelOrder,
    responses((status = 200, description = "How the order stands", body = OrderStanding)))]
pub(crate) async fn cancel_order(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
    body: Body<CancelOrder>,
) -> Answer {
    let note = body.value.reason.unwrap_or_default();
    crate::routes::bounded("reason", &note, 500)?;
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let done = act(&who, who.request_key(&body.bytes)?, move |unit| {
        reach.order(unit, order_id)?;
        seen_order(unit, order_id, seen)?;
        let calls = checkout::cancel(unit, order_id, &note)?;
        Ok((OrderStanding::read(unit, order_id)?, calls))
    })
    .await?;
    OrderStanding::answer(&who, &done)
}
