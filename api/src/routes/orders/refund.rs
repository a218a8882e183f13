//! `POST /orders/{order_id}/refunds`.

use domain::{OrderId, RefundId};
use sagas::refunds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SUPPORT};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, act, seen_order};
use crate::routes::bounded;
use crate::wire::{Body, Ids, request};

request! {
    /// Money to give back.
    RefundOrder {
        /// Minor units of the order's currency; all that is left, if left out.
        amount_minor: Option<i64> = Option<i64>,
        /// 1 to 500 characters.
        reason: String = String,
    }
}

/// The refund; the provider's answer follows by itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RefundBody {
    #[schema(value_type = Uuid)]
    refund_id: RefundId,
    #[schema(value_type = Uuid)]
    order_id: OrderId,
}

/// Gives money back, in whole or in part; never more than was captured.
#[utoipa::path(post, path = "/orders/{order_id}/refunds", tag = "orders", request_body = RefundOrder,
    responses((status = 201, description = "The refund is intended and under way", body = RefundBody)))]
pub(crate) async fn refund_order(
    who: Who<{ SUPPORT | ADMIN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
    body: Body<RefundOrder>,
) -> Answer {
    let RefundOrder { amount_minor, reason } = body.value;
    if reason.trim().is_empty() {
        return Err(Problem::field("reason", "invalid", "must be 1 to 500 characters"));
    }
    bounded("reason", &reason, 500)?;
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let done = act(&who, who.request_key(&body.bytes)?, move |unit| {
        reach.order(unit, order_id)?;
        seen_order(unit, order_id, seen)?;
        let (once, calls) = refunds::request_once(unit, None, order_id, amount_minor, &reason)?;
        Ok((RefundBody { refund_id: once.value, order_id }, calls))
    })
    .await?;
    Reply::created(&format!("/orders/{order_id}"))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
