//! Takes back delivered units.

use super::line_units::{same_units, total_units};
use super::ship::check_named_once;
use super::{By, LineUnits, OrderEvent, OrderOnRecord, OrderRejection, OrderStatus};
use crate::ReturnId;

/// Takes back units that have arrived, even while others are under way; the last unit of a
/// delivered order makes it returned.
pub(super) fn return_lines(
    order: &OrderOnRecord,
    return_id: ReturnId,
    lines: &[LineUnits],
    by: &By,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    if let Some(known) = order.returns.get(&return_id) {
        return if same_units(known, lines) {
            Ok(vec![])
        } else {
            Err(OrderRejection::ReturnDiffers { return_id })
        };
    }
    check_returnable(order, lines)?;
    let mut events = vec![OrderEvent::LinesReturned { return_id, lines: lines.to_vec() }];
    let kept = order.units(|line| line.ordered.saturating_sub(line.returned));
    if order.status.may_become(OrderStatus::Returned) && kept == total_units(lines) {
        events.push(OrderEvent::Returned(order.transition(
            order.status,
            OrderStatus::Returned,
            by,
        )));
    }
    Ok(events)
}

/// Each line once, and only units that arrived and have not come back. Where nothing at all can
/// come back, the order's status is what is in the way.
pub(super) fn check_returnable(
    order: &OrderOnRecord,
    lines: &[LineUnits],
) -> Result<(), OrderRejection> {
    check_named_once(lines)?;
    if order.units(super::LineProgress::returnable) == 0 {
        return Err(order.cannot_become(OrderStatus::Returned));
    }
    for units in lines {
        let line = order
            .lines
            .get(&units.line)
            .ok_or(OrderRejection::UnknownLine { field: "lines", line: units.line })?;
        if units.quantity.get() > line.returnable() {
            return Err(OrderRejection::ReturnedBeyondDelivered {
                line: units.line,
                delivered: line.delivered,
                returned: line.returned,
                requested: units.quantity.get(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::OrderCommand;
    use super::super::fixtures::{
        by, delivered, delivered_lines, in_status, lines, moved, returned_lines, shipped_lines,
    };
    use super::*;
    use crate::testing::id;

    fn give_back(return_id: u128, of: &[(u32, u32)]) -> OrderCommand {
        OrderCommand::Return { return_id: id(return_id), lines: lines(of), by: by() }
    }

    #[test]
    fn the_last_unit_back_makes_the_order_returned() {
        delivered()
            .when(give_back(21, &[(1, 1)]))
            .then_once([returned_lines(21, &[(1, 1)])])
            .when(give_back(22, &[(1, 1), (2, 1)]))
            .then_once([
                returned_lines(22, &[(1, 1), (2, 1)]),
                OrderEvent::Returned(moved(OrderStatus::Delivered, OrderStatus::Returned)),
            ])
            .when(give_back(23, &[(1, 1)]))
            .then_rejected(OrderRejection::StatusConflict {
                current: OrderStatus::Returned,
                requested: OrderStatus::Returned,
            });
    }

    #[test]
    fn only_what_arrived_comes_back() {
        let partly = || {
            in_status(OrderStatus::Processing).and([
                shipped_lines(11, &[(1, 1)]),
                shipped_lines(12, &[(2, 1)]),
                delivered_lines(11, &[(1, 1)]),
            ])
        };
        partly().when(give_back(21, &[(1, 1)])).then_once([returned_lines(21, &[(1, 1)])]);
        partly().when(give_back(21, &[(2, 1)])).then_rejected(
            OrderRejection::ReturnedBeyondDelivered {
                line: 2,
                delivered: 0,
                returned: 0,
                requested: 1,
            },
        );
    }

    #[test]
    fn a_return_counts_once() {
        delivered()
            .and([returned_lines(21, &[(1, 1), (2, 1)])])
            .when(give_back(21, &[(2, 1), (1, 1)]))
            .then_nothing()
            .when(give_back(21, &[(1, 1)]))
            .then_rejected(OrderRejection::ReturnDiffers { return_id: id(21) })
            .when(give_back(22, &[(1, 2)]))
            .then_rejected(OrderRejection::ReturnedBeyondDelivered {
                line: 1,
                delivered: 2,
                returned: 1,
                requested: 2,
            });
    }
}
