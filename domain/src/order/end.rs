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
    end(order, OrderStatus::Cancelled, reason, by, OrderEvent::Cancelled)
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

#[cfg(test)]
mod tests {
    use super::super::OrderCommand;
    use super::super::fixtures::{by, ended, in_status, reason};
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let ended = in_status(OrderStatus::Confirmed)
            .and([OrderEvent::Cancelled(ended(OrderStatus::Confirmed, OrderStatus::Cancelled))])
            .when(OrderCommand::Cancel { reason: OrderEndReason::OutOfStock, by: by() })
            .then_nothing();
        assert_eq!(ended.state().as_ref().unwrap().end_reason, Some(reason()));
    }
}
