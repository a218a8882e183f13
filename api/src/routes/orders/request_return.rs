//! `POST /orders/{order_id}/returns`.

use domain::order::LineUnits;
use domain::product_return::{ProductReturn, ReturnReason};
use domain::{OrderId, ReturnId};
use sagas::returns::{self, ReturnRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ship::LineUnitsBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_order};
use crate::routes::bounded;
use crate::wire::{Body, Ids, request};

request! {
    /// What is to come back, and why.
    RequestReturn {
        lines: Vec<LineUnitsBody> = Vec<LineUnitsBody>,
        /// damaged, wrong_item, not_as_described, too_late, changed_mind or other.
        reason: ReturnReason = crate::openapi::shapes::ReturnReason,
        /// At most 1,000 characters.
        note: Option<String> = Option<String>,
    }
}

/// The return, and the number to write on the parcel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReturnRequested {
    #[schema(value_type = Uuid)]
    return_id: ReturnId,
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    rma_number: String,
}

/// Asks to send delivered units back.
#[utoipa::path(post, path = "/orders/{order_id}/returns", tag = "orders", request_body = RequestReturn,
    responses((status = 201, description = "The return", body = ReturnRequested)))]
pub(crate) async fn request_return(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
    body: Body<RequestReturn>,
) -> Answer {
    let RequestReturn { lines, reason, note } = body.value;
    let note = note.unwrap_or_default();
    bounded("note", &note, 1_000)?;
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let lines: Vec<LineUnits> = lines.into_iter().map(LineUnits::from).collect();
    let wanted = ReturnRequest { return_id: None, order_id, lines, reason, note };
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        reach.order(unit, order_id)?;
        seen_order(unit, order_id, seen)?;
        let return_id = returns::request(unit, None, &wanted)?.value;
        let record = unit.state::<ProductReturn>(&return_id)?.as_ref();
        let rma_number = commands::known(record, "return", return_id)?.rma_number.clone();
        Ok(ReturnRequested { return_id, order_id, rma_number })
    })
    .await?;
    Reply::created(&format!("/orders/{order_id}"))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
