//! `POST /returns/{return_id}/reject`.

use domain::ReturnId;
use domain::product_return::{ProductReturn, ReturnCommand};

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::routes::acting::{Reach, change, seen_order};
use crate::routes::orders::standing::OrderStanding;
use crate::wire::{Body, Ids, request};

request! {
    /// Why not.
    RejectReturn {
        note: String = String,
    }
}

/// Turns a return down. Harmless when repeated.
#[utoipa::path(post, path = "/returns/{return_id}/reject", tag = "orders",
    request_body = RejectReturn,
    responses((status = 200, description = "How the order stands", body = OrderStanding)))]
pub(crate) async fn reject_return(
    who: Who<{ SELLER | ADMIN }>,
    Ids((return_id,)): Ids<(ReturnId,)>,
    body: Body<RejectReturn>,
) -> Answer {
    let note = body.value.note;
    crate::routes::bounded("note", &note, 1_000)?;
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        let record = unit.state::<ProductReturn>(&return_id)?.as_ref();
        let asked = commands::known(record, "return", return_id)?.clone();
        let order_id = asked.order_id;
        let lines = asked.lines.iter().map(|units| units.line);
        let order = reach.order_of(unit, order_id, "return", return_id)?;
        reach.goods(order, "return", return_id, lines)?;
        seen_order(unit, order_id, seen)?;
        unit.execute::<ProductReturn>(&return_id, &ReturnCommand::Reject { note: note.clone() })?;
        OrderStanding::read(unit, order_id)
    })
    .await?;
    OrderStanding::answer(&who, &done)
}
