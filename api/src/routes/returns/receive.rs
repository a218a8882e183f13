//! `POST /returns/{return_id}/receive`.

use domain::product_return::{ProductReturn, ReceivedUnits};
use domain::{LineNumber, Quantity, ReturnId, WarehouseId};
use sagas::returns::{self, Arrival};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::problem::{Problem, catalogue};
use crate::reply::Answer;
use crate::routes::acting::{Reach, act, seen_order};
use crate::routes::orders::standing::OrderStanding;
use crate::wire::{Body, Ids, request};

/// What was found of one line.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceivedLine {
    line: LineNumber,
    #[schema(value_type = u32)]
    quantity: Quantity,
    /// Of these, how many can be sold again; all, if left out.
    resellable: Option<u32>,
}

request! {
    /// What arrived.
    ReceiveReturn {
        /// Everything asked for, all of it resellable, if left out.
        lines: Option<Vec<ReceivedLine>> = Option<Vec<ReceivedLine>>,
        /// Where it is put; the first warehouse that has had the SKU, if left out.
        warehouse_id: Option<WarehouseId> = Option<Uuid>,
        /// What to pay back instead of what the units are worth; admins only.
        refund_minor: Option<i64> = Option<i64>,
    }
}

/// Takes goods back: stock goes up, and their worth is refunded. Harmless when repeated.
#[utoipa::path(post, path = "/returns/{return_id}/receive", tag = "orders",
    request_body = ReceiveReturn,
    responses((status = 200, description = "How the order stands", body = OrderStanding)))]
pub(crate) async fn receive_return(
    who: Who<{ SELLER | ADMIN }>,
    Ids((return_id,)): Ids<(ReturnId,)>,
    body: Body<ReceiveReturn>,
) -> Answer {
    let ReceiveReturn { lines, warehouse_id, refund_minor } = body.value;
    let lines = lines.map(|lines| {
        let received = |of: ReceivedLine| ReceivedUnits {
            line: of.line,
            quantity: of.quantity,
            resellable: of.resellable.unwrap_or(of.quantity.get()),
        };
        lines.into_iter().map(received).collect()
    });
    if refund_minor.is_some() && !who.is_admin() {
        return Err(Problem::new(catalogue::FORBIDDEN, "only an admin says what to pay back"));
    }
    let arrival = Arrival { lines, warehouse_id, refund_minor };
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let done = act(&who, who.request_key(&body.bytes)?, move |unit| {
        let record = unit.state::<ProductReturn>(&return_id)?.as_ref();
        let asked = commands::known(record, "return", return_id)?.clone();
        let order_id = asked.order_id;
        let lines = asked.lines.iter().map(|units| units.line);
        let order = reach.order_of(unit, order_id, "return", return_id)?;
        reach.goods(order, "return", return_id, lines)?;
        seen_order(unit, order_id, seen)?;
        if let Some(warehouse_id) = arrival.warehouse_id {
            let warehouse = unit.state::<domain::warehouse::Warehouse>(&warehouse_id)?.as_ref();
            commands::known(warehouse, "warehouse", warehouse_id)?;
        }
        let calls = returns::receive(unit, return_id, &arrival)?;
        Ok((OrderStanding::read(unit, order_id)?, calls))
    })
    .await?;
    OrderStanding::answer(&who, &done)
}
