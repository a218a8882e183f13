//! Moves that only change the status: confirmed, then processing.

use super::{By, OrderEvent, OrderOnRecord, OrderRejection, OrderStatus, Transition};

pub(super) fn confirm(order: &OrderOnRecord, by: &By) -> Result<Vec<OrderEvent>, OrderRejection> {
    advance(order, OrderStatus::Confirmed, by, OrderEvent::Confirmed)
}

pub(super) fn start_processing(
    order: &OrderOnRecord,
    by: &By,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    advance(order, OrderStatus::Processing, by, OrderEvent::ProcessingStarted)
}

fn advance(
    order: &OrderOnRecord,
    to: OrderStatus,
    by: &By,
    event: fn(Transition) -> OrderEvent,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    if order.status == to {
        Ok(vec![])
    } else if order.status.may_become(to) {
        Ok(vec![event(order.transition(order.status, to, by))])
    } else {
        Err(order.cannot_become(to))
    }
}
