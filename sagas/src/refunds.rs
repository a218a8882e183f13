//! Money back, in whole or in part.

use commands::{Once, RequestKey, Stop, Unit, known};
use domain::order::Order;
use domain::payment::{Payment, PaymentCommand};
use domain::{OrderId, RefundId};
use serde::{Deserialize, Serialize};

use crate::payment_call::{PaymentCall, calls_of};

#[derive(Serialize, Deserialize)]
struct Requested {
    refund_id: RefundId,
}

/// Puts the intent to refund on record; refused beyond what was captured and not yet refunded.
pub fn request(
    unit: &mut Unit<'_>,
    order_id: OrderId,
    amount_minor: i64,
    reason: &str,
) -> Result<(RefundId, Vec<PaymentCall>), Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    let order = known(order, "order", order_id)?;
    let payment_id = *known(order.payment_id.as_ref(), "payment of order", order_id)?;
    let refund_id = unit.new_id();
    let reason = reason.to_owned();
    let command = PaymentCommand::RequestRefund { refund_id, amount_minor, reason };
    unit.execute::<Payment>(&payment_id, &command)?;
    let mut calls = calls_of(unit, payment_id)?;
    let mark = format!(":{refund_id}:");
    calls.retain(|call| call.key.contains(&mark));
    Ok((refund_id, calls))
}

/// Like [`request`], once for each request key. `None` refunds all that is left.
pub fn request_once(
    unit: &mut Unit<'_>,
    key: Option<&RequestKey>,
    order_id: OrderId,
    amount_minor: Option<i64>,
    reason: &str,
) -> Result<(Once<RefundId>, Vec<PaymentCall>), Stop> {
    let mut calls = Vec::new();
    let once = unit.once(key, |unit| {
        let amount_minor = match amount_minor {
            Some(amount) => amount,
            None => refundable(unit, order_id)?,
        };
        let (refund_id, started) = request(unit, order_id, amount_minor, reason)?;
        calls = started;
        Ok(Requested { refund_id })
    })?;
    Ok((Once { value: once.value.refund_id, replayed: once.replayed }, calls))
}

/// What may still be given back; 0 for an order that cost nothing.
pub(crate) fn refundable(unit: &mut Unit<'_>, order_id: OrderId) -> Result<i64, Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    let order = known(order, "order", order_id)?;
    let Some(payment_id) = order.payment_id else { return Ok(0) };
    let payment = unit.state::<Payment>(&payment_id)?.as_ref();
    Ok(payment.map_or(0, |payment| payment.refundable_minor()))
}
