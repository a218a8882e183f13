//! Goods on their way back: a return is asked for, arrives, is looked at and paid back.

use std::collections::BTreeMap;

use commands::{Once, Refused, RequestKey, Stop, Unit, known};
use domain::inventory::{Inventory, InventoryCommand};
use domain::order::{By, LineUnits, Order, OrderCommand};
use domain::product_return::{
    ProductReturn, ReceivedUnits, ReturnCommand, ReturnReason, ReturnStatus,
};
use domain::{LineNumber, OrderId, RejectionKind, ReturnId, SkuId, WarehouseId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::payment_call::PaymentCall;

/// A return to be asked for.
#[derive(Debug, Clone)]
pub struct ReturnRequest {
    /// `None`: the order's next one. Given by whoever brings in returns of the past.
    pub return_id: Option<ReturnId>,
    pub order_id: OrderId,
    pub lines: Vec<LineUnits>,
    pub reason: ReturnReason,
    pub note: String,
}

#[derive(Serialize, Deserialize)]
struct Requested {
    return_id: ReturnId,
}

/// Puts a return on record; only units that were delivered, have not come back, and are not on
/// their way back with another return.
pub fn request(
    unit: &mut Unit<'_>,
    key: Option<&RequestKey>,
    wanted: &ReturnRequest,
) -> Result<Once<ReturnId>, Stop> {
    let order_id = wanted.order_id;
    let once = unit.once(key, |unit| {
        let order = unit.state::<Order>(&order_id)?.as_ref();
        known(order, "order", order_id)?;
        let open = open_returns(unit, order_id)?;
        let order = unit.state::<Order>(&order_id)?.as_ref();
        let order = known(order, "order", order_id)?;
        for line in &wanted.lines {
            let progress = known(order.lines.get(&line.line), "order_line", line.line)?;
            let back = progress
                .delivered
                .saturating_sub(progress.returned)
                .saturating_sub(open.coming.get(&line.line).copied().unwrap_or(0));
            if line.quantity.get() > back {
                return Err(not_returnable(line, back).into());
            }
        }
        let return_id = wanted.return_id.unwrap_or(ReturnId::of_order(order_id, open.next));
        let rma_number = match wanted.return_id {
            Some(return_id) => rma_number(return_id.uuid(), 1),
            None => rma_number(order_id.uuid(), open.next),
        };
        unit.state::<ProductReturn>(&return_id)?;
        let command = ReturnCommand::Request {
            return_id,
            order_id,
            rma_number,
            lines: wanted.lines.clone(),
            reason: wanted.reason,
            note: wanted.note.clone(),
        };
        unit.execute::<ProductReturn>(&return_id, &command)?;
        Ok(Requested { return_id })
    })?;
    Ok(Once { value: once.value.return_id, replayed: once.replayed })
}

/// What is on its way back to one order.
struct OpenReturns {
    coming: BTreeMap<LineNumber, u32>,
    /// Number of the order's next return.
    next: u16,
}

/// Looks at the order's returns one after another. Those brought in from the past are not among
/// them: they have arrived in the unit that asked for them.
fn open_returns(unit: &mut Unit<'_>, order_id: OrderId) -> Result<OpenReturns, Stop> {
    let mut coming: BTreeMap<LineNumber, u32> = BTreeMap::new();
    for next in 1..=ReturnId::OF_ORDER_MAX {
        match unit.state::<ProductReturn>(&ReturnId::of_order(order_id, next))? {
            None => return Ok(OpenReturns { coming, next }),
            Some(record) if record.status == ReturnStatus::Requested => {
                for line in &record.lines {
                    let units = coming.entry(line.line).or_default();
                    *units = units.saturating_add(line.quantity.get());
                }
            }
            Some(_) => {}
        }
    }
    let message = format!("order {order_id} has had {} returns", ReturnId::OF_ORDER_MAX);
    Err(Refused::new(RejectionKind::Conflict, "not_returnable", message)
        .with("returnable", 0)
        .into())
}

fn not_returnable(line: &LineUnits, back: u32) -> Refused {
    let message =
        format!("line {}: {} units cannot come back, only {back} can", line.line, line.quantity);
    Refused::new(RejectionKind::Conflict, "not_returnable", message)
        .with("line", line.line)
        .with("returnable", back)
}

/// A number short enough to write on a parcel: eight and six digits of the order's own id, which
/// differ between any two orders made within years of each other, and which of its returns it is.
fn rma_number(id: Uuid, number: u16) -> String {
    let text = id.simple().to_string().to_uppercase();
    let first = format!("RMA-{}-{}", &text[4..12], &text[26..]);
    if number > 1 { format!("{first}-{number}") } else { first }
}

/// What arrived with a return, as looked at.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// `None`: everything asked for, all of it resellable.
    pub lines: Option<Vec<ReceivedUnits>>,
    /// Where it is put; `None`: the first warehouse that has had the SKU.
    pub warehouse_id: Option<WarehouseId>,
    /// What to pay back instead of what the units are worth.
    pub refund_minor: Option<i64>,
}

/// Takes the goods back: the order's units return, stock goes up, and the refund is intended.
/// Harmless when repeated.
pub fn receive(
    unit: &mut Unit<'_>,
    return_id: ReturnId,
    arrival: &Arrival,
) -> Result<Vec<PaymentCall>, Stop> {
    let record = unit.state::<ProductReturn>(&return_id)?.clone();
    let record = known(record.as_ref(), "return", return_id)?.clone();
    if record.status == ReturnStatus::Received && arrival.lines.is_none() {
        return Ok(Vec::new());
    }
    let order_id = record.order_id;
    let received = arrival.lines.clone().unwrap_or_else(|| {
        let whole = |line: &LineUnits| ReceivedUnits {
            line: line.line,
            quantity: line.quantity,
            resellable: line.quantity.get(),
        };
        record.lines.iter().map(whole).collect()
    });
    let back: Vec<LineUnits> =
        received.iter().map(|r| LineUnits { line: r.line, quantity: r.quantity }).collect();
    let order = unit.state::<Order>(&order_id)?.as_deref().cloned();
    let order = known(order.as_ref(), "order", order_id)?.clone();
    let refund_minor = match (arrival.refund_minor, order.payment_id, record.status) {
        (Some(minor), _, _) => minor,
        (None, Some(_), ReturnStatus::Requested) => order.refund_value(&back)?.minor,
        (None, _, _) => 0,
    };
    // Money given back before, as goodwill, is not given twice.
    let refund_minor = refund_minor.min(crate::refunds::refundable(unit, order_id)?);
    let command = ReturnCommand::Receive { lines: received.clone(), refund_minor, refund_id: None };
    if unit.execute::<ProductReturn>(&return_id, &command)? == 0 {
        return Ok(Vec::new());
    }
    let by = By { actor: unit.actor(), now: unit.now() };
    unit.execute::<Order>(&order_id, &OrderCommand::Return { return_id, lines: back, by })?;

    let mut by_sku: BTreeMap<SkuId, (u32, u32)> = BTreeMap::new();
    for units in &received {
        if let Some(line) = order.lines.get(&units.line) {
            let (resellable, scrapped) = by_sku.entry(line.sku_id).or_default();
            *resellable = resellable.saturating_add(units.resellable);
            *scrapped =
                scrapped.saturating_add(units.quantity.get().saturating_sub(units.resellable));
        }
    }
    let skus: Vec<SkuId> = by_sku.keys().copied().collect();
    unit.prefetch::<Inventory>(&skus)?;
    for (sku_id, (resellable, scrapped)) in by_sku {
        let home = unit.state::<Inventory>(&sku_id)?.warehouses.keys().next().copied();
        let warehouse_id =
            *known(arrival.warehouse_id.or(home).as_ref(), "warehouse of sku", sku_id)?;
        let command =
            InventoryCommand::TakeBack { order_id, return_id, warehouse_id, resellable, scrapped };
        unit.execute::<Inventory>(&sku_id, &command)?;
    }
    if refund_minor == 0 || order.payment_id.is_none() {
        return Ok(Vec::new());
    }
    let reason = format!("return {}", record.rma_number);
    crate::refunds::request(unit, order_id, refund_minor, &reason).map(|(_, calls)| calls)
}

#[cfg(test)]
mod tests;
