//! What a step does. Every part of it is harmless when repeated.

use std::future::Future;

use commands::{Caller, RequestKey, Stop, Unit};
use domain::OrderId;
use domain::inventory::{Inventory, InventoryCommand};
use domain::order::{Order, OrderStatus};
use domain::product_return::{ProductReturn, ReturnReason, ReturnStatus};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, ready};
use sagas::fulfilment::{self, Parcel};
use sagas::payment_call::PaymentCall;
use sagas::refunds;
use sagas::returns::{self, Arrival, ReturnRequest};

use super::place::place;
use super::prepare::Prepared;
use crate::import::ImportInto;
use crate::import::error::ImportError;
use crate::import::past::{Outcome, PastCredit, PastLoss, PastOrder, PastReturn, Step, What};
use crate::import::payments;

/// Whose request keys these are.
const REQUESTS: &str = "import";

type Ends<'a> = BoxFuture<'a, Result<Outcome, ImportError>>;

/// Submits what must be decided in file order, now, and returns the rest.
pub(super) fn start(into: &ImportInto, prepared: Prepared) -> Result<Ends<'_>, ImportError> {
    let Prepared { step, caller, status, sealed, .. } = prepared;
    let Step { reference, what, .. } = step;
    match what {
        What::Order(order) => {
            let placing = match status {
                None => Either::Left(place(into, &caller, &reference, &order, sealed)?),
                Some(_) => Either::Right(ready(Ok(()))),
            };
            Ok(async move {
                placing.await?;
                finish(into, &caller, &reference, &order, status).await
            }
            .boxed())
        }
        What::Return(back) => take_back(into, caller, reference.to_string(), back),
        What::Credit(credit) => pay_back(into, caller, reference.to_string(), credit),
        What::Loss(loss) => write_off(into, &caller, reference.to_string(), loss),
    }
}

/// Pays, ships and delivers what is not yet paid, shipped and delivered.
async fn finish(
    into: &ImportInto,
    caller: &Caller,
    reference: &str,
    order: &PastOrder,
    found: Option<OrderStatus>,
) -> Result<Outcome, ImportError> {
    let bus = into.engine.bus();
    let refused = || ImportError::refused(reference);
    let PastOrder { order_id, shipment_id, .. } = *order;
    if found == Some(OrderStatus::Pending) {
        let calls = bus.run(caller, move |unit| payments::left_over(unit, order_id)).await;
        payments::make(into, caller, reference, calls.map_err(refused())?.value).await?;
    }
    let ended = matches!(found, Some(OrderStatus::Delivered | OrderStatus::Returned));
    let mut delivered = None;
    if !ended {
        // Both are taken in at once; shipping what has left already is nothing.
        let parcel = Parcel::default();
        let shipped = bus.submit(caller, move |unit| {
            let status = unit.state::<Order>(&order_id)?.as_ref().map(|order| order.status);
            if matches!(status, Some(OrderStatus::Confirmed | OrderStatus::Processing)) {
                fulfilment::ship(unit, None, order_id, shipment_id, &parcel)?;
            }
            Ok(status)
        });
        let shipped = shipped.map_err(refused())?;
        delivered = Some(
            bus.submit(caller, move |unit| {
                fulfilment::deliver(unit, shipment_id)?;
                totals(unit, order_id)
            })
            .map_err(refused())?,
        );
        let status = shipped.await.map_err(refused())?.value;
        payments::is_paid(reference, status.unwrap_or(OrderStatus::Pending))?;
    }
    let (order_minor, order_lines) = match delivered {
        Some(delivered) => delivered.await.map_err(refused())?.value,
        None => bus.run(caller, move |unit| totals(unit, order_id)).await.map_err(refused())?.value,
    };
    Ok(Outcome { already_there: ended, order_minor, order_lines, refunded_minor: 0 })
}

/// The order's total in minor units, and its lines.
fn totals(unit: &mut Unit<'_>, order_id: OrderId) -> Result<(i64, u64), Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    Ok(order.map_or((0, 0), |order| (order.totals.total_minor, order.lines.len() as u64)))
}

fn take_back(
    into: &ImportInto,
    caller: Caller,
    reference: String,
    back: PastReturn,
) -> Result<Ends<'_>, ImportError> {
    let PastReturn { return_id, order_id, lines, refund_minor, .. } = back;
    let wanted = ReturnRequest {
        return_id: Some(return_id),
        order_id,
        lines,
        reason: ReturnReason::Other,
        note: format!("cancelled as {reference}"),
    };
    let taken = into.engine.bus().submit(&caller, move |unit| {
        let known = unit.state::<ProductReturn>(&return_id)?.as_ref().map(|back| back.status);
        if known.is_none() {
            returns::request(unit, None, &wanted)?;
        }
        if known != Some(ReturnStatus::Received) {
            let refund_minor = Some(refund_minor);
            let arrival = Arrival { lines: None, warehouse_id: None, refund_minor };
            returns::receive(unit, return_id, &arrival)?;
        }
        Ok((known.is_some(), payments::left_over(unit, order_id)?))
    });
    let taken = taken.map_err(ImportError::refused(&reference))?;
    Ok(refund(into, caller, reference, taken, refund_minor))
}

fn pay_back(
    into: &ImportInto,
    caller: Caller,
    reference: String,
    credit: PastCredit,
) -> Result<Ends<'_>, ImportError> {
    let PastCredit { order_id, amount_minor, reason } = credit;
    let said = format!("{order_id} {amount_minor}");
    let key = RequestKey::new(REQUESTS, &reference, &[b"credit", said.as_bytes()]);
    let paid = into.engine.bus().submit(&caller, move |unit| {
        let amount = Some(amount_minor);
        let (once, _) = refunds::request_once(unit, Some(&key), order_id, amount, &reason)?;
        Ok((once.replayed, payments::left_over(unit, order_id)?))
    });
    let paid = paid.map_err(ImportError::refused(&reference))?;
    Ok(refund(into, caller, reference, paid, amount_minor))
}

/// Makes the calls of a refund that is on record.
fn refund<'a>(
    into: &'a ImportInto,
    caller: Caller,
    reference: String,
    asked: impl Future<
        Output = Result<commands::Done<(bool, Vec<PaymentCall>)>, commands::CommandError>,
    > + Send
    + 'a,
    refunded_minor: i64,
) -> Ends<'a> {
    async move {
        let (known, calls) = asked.await.map_err(ImportError::refused(&reference))?.value;
        let already_there = known && calls.is_empty();
        payments::make(into, &caller, &reference, calls).await?;
        Ok(Outcome { already_there, refunded_minor, ..Outcome::default() })
    }
    .boxed()
}

fn write_off(
    into: &ImportInto,
    caller: &Caller,
    reference: String,
    loss: PastLoss,
) -> Result<Ends<'static>, ImportError> {
    let PastLoss { sku_id, warehouse_id, quantity, reason } = loss;
    let said = format!("{sku_id} {quantity}");
    let key = RequestKey::new(REQUESTS, &reference, &[b"write_off", said.as_bytes()]);
    let command = InventoryCommand::WriteOff { warehouse_id, quantity, reason };
    let done = into.engine.bus().submit(caller, move |unit| {
        let once = unit.once(Some(&key), |unit| unit.execute::<Inventory>(&sku_id, &command))?;
        Ok(once.replayed)
    });
    let done = done.map_err(ImportError::refused(&reference))?;
    Ok(async move {
        let already_there = done.await.map_err(ImportError::refused(&reference))?.value;
        Ok(Outcome { already_there, ..Outcome::default() })
    }
    .boxed())
}
