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
    let mut events = vec![OrderEvent::LinesReturned {
        return_id,
        lines: lines.to_vec(),
    }];
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
            .ok_or(OrderRejection::UnknownLine {
                field: "lines",
                line: units.line,
            })?;
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
