//! Ends without goods: cancelled on request, failed at checkout.

use super::{
    By, EndTransition, OrderEndReason, OrderEvent, OrderOnRecord, OrderRejection, OrderStatus,
};

/// Cancels an order that is pending or confirmed; so nothing has been shipped. The first reason
/// stays.
pub(super) fn cancel(
    order: &OrderOnRecord,
    reason: &OrderEndReason,
    by: &By,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    end(
        order,
        OrderStatus::Cancelled,
        reason,
        by,
        OrderEvent::Cancelled,
    )
}

/// Fails an order that is pending. The first reason stays.
pub(super) fn fail(
    order: &OrderOnRecord,
    reason: &OrderEndReason,
    by: &By,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    end(order, OrderStatus::Failed, reason, by, OrderEvent::Failed)
}

fn end(
    order: &OrderOnRecord,
    to: OrderStatus,
    reason: &OrderEndReason,
    by: &By,
    event: fn(EndTransition) -> OrderEvent,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    if order.status == to {
        return Ok(vec![]);
    }
    if !order.status.may_become(to) {
        return Err(order.cannot_become(to));
    }
    Ok(vec![event(EndTransition {
        order_id: order.order_id,
        previous_state: order.status,
        new_state: to,
        timestamp: by.now,
        actor: by.actor.clone(),
        reason: reason.clone(),
    })])
}
