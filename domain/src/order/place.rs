//! Places an order: its lines, totals and limits are checked once, here.

use super::totals::{check_payment, check_totals};
use super::{OrderEvent, OrderLimits, OrderLine, OrderOnRecord, OrderRejection, PlacedOrder};

/// Places `order`; the same order again yields nothing.
///
/// Of several broken rules the first is named: line count, then line by line (number, quantity,
/// price), then the sums, then the payment.
pub(super) fn place(
    state: Option<&OrderOnRecord>,
    order: &PlacedOrder,
    limits: OrderLimits,
) -> Result<Vec<OrderEvent>, OrderRejection> {
    if let Some(on_record) = state {
        return if same_content(on_record, order) {
            Ok(vec![])
        } else {
            Err(OrderRejection::OrderDiffers { order_id: on_record.order_id })
        };
    }
    check_lines(&order.lines, limits)?;
    check_totals(order)?;
    check_payment(order)?;
    Ok(vec![OrderEvent::Placed(Box::new(order.clone()))])
}

/// Whether the same goods at the same prices are ordered from the same cart by the same customer
/// with the same payment. The moment, the actor and sealed values are not compared: a retry has
/// its own moment, and sealing the same text twice gives two ciphertexts.
fn same_content(on_record: &OrderOnRecord, order: &PlacedOrder) -> bool {
    let again = OrderOnRecord::from(order);
    let lines_agree = on_record.lines.len() == order.lines.len()
        && on_record.lines.iter().all(|(number, line)| {
            again.lines.get(number).is_some_and(|other| {
                line.sku_id == other.sku_id
                    && line.product_id == other.product_id
                    && line.seller_id == other.seller_id
                    && line.unit_minor == other.unit_minor
                    && line.ordered == other.ordered
            })
        });
    lines_agree
        && on_record.order_id == again.order_id
        && on_record.cart_id == again.cart_id
        && on_record.customer_id == again.customer_id
        && on_record.payment_id == again.payment_id
        && on_record.payment_method_id == again.payment_method_id
        && on_record.currency == again.currency
        && on_record.totals == again.totals
}

fn check_lines(lines: &[OrderLine], limits: OrderLimits) -> Result<(), OrderRejection> {
    if lines.is_empty() || lines.len() > limits.lines_max {
        return Err(OrderRejection::LineCount {
            field: "lines",
            given: lines.len(),
            max: limits.lines_max,
        });
    }
    let mut numbered = vec![false; lines.len()];
    for line in lines {
        let place = (line.line as usize)
            .checked_sub(1)
            .and_then(|index| numbered.get_mut(index))
            .filter(|taken| !**taken);
        match place {
            Some(taken) => *taken = true,
            None => {
                return Err(OrderRejection::LineNumbering {
                    field: "lines.line",
                    line: line.line,
                    lines: lines.len(),
                });
            }
        }
        if line.quantity.get() > limits.line_quantity_max {
            return Err(OrderRejection::LineQuantity {
                field: "lines.quantity",
                line: line.line,
                given: line.quantity.get(),
                max: limits.line_quantity_max,
            });
        }
        if line.unit_minor < 0 {
            return Err(OrderRejection::NegativePrice {
                field: "lines.unit_minor",
                line: line.line,
                given: line.unit_minor,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{limits, order, order_of, placed};
    use super::super::{Actor, Order, OrderCommand, OrderEvent, OrderLimits};
    use super::*;
    use crate::testing::{at, given, id, units};
    use crate::{Currency, Rejection, RejectionKind, Sealed};

    type Change = fn(&mut PlacedOrder);

    fn place(order: PlacedOrder) -> OrderCommand {
        OrderCommand::Place { order: Box::new(order), limits: limits() }
    }

    fn changed(change: impl FnOnce(&mut PlacedOrder)) -> PlacedOrder {
        let mut changed = order();
        change(&mut changed);
        changed
    }

    #[test]
    fn an_order_is_placed_once() {
        given::<Order>([]).when(place(order())).then_once([placed()]);
    }

    #[test]
    fn lines_may_come_in_any_order() {
        let reversed = changed(|o| o.lines.reverse());
        let event = OrderEvent::Placed(Box::new(reversed.clone()));
        given::<Order>([]).when(place(reversed)).then([event]);
        let reversed = changed(|o| o.lines.reverse());
        given::<Order>([placed()]).when(place(reversed)).then_nothing();
    }

    #[test]
    fn a_retry_has_its_own_moment_actor_and_ciphertexts() {
        let retry = changed(|o| {
            o.placed_at = at(99);
            o.actor = Actor("customer:3".to_owned());
            o.guest_contact = Some(Sealed::from_ciphertext("other nonce".to_owned()));
        });
        given::<Order>([placed()]).when(place(retry)).then_nothing();
    }

    #[test]
    fn the_same_id_with_other_content_is_a_conflict() {
        let others: [Change; 11] = [
            |o| o.cart_id = id(99),
            |o| o.customer_id = None,
            |o| o.currency = Currency::EUR,
            |o| o.payment_id = Some(id(99)),
            |o| o.payment_method_id = None,
            |o| o.totals.tax_minor += 1,
            |o| o.lines[0].quantity = units(3),
            |o| o.lines[0].unit_minor += 1,
            |o| o.lines[0].sku_id = id(99),
            |o| o.lines[0].seller_id = id(99),
            |o| o.lines.truncate(1),
        ];
        for change in others {
            given::<Order>([placed()])
                .when(place(changed(change)))
                .then_rejected(OrderRejection::OrderDiffers { order_id: id(1) });
        }
    }

    #[test]
    fn every_broken_rule_names_its_field() {
        let rules: [(Change, &str); 12] = [
            (|o| o.lines.clear(), "lines"),
            (|o| o.lines[1].line = 1, "lines.line"),
            (|o| o.lines[1].line = 3, "lines.line"),
            (|o| o.lines[0].line = 0, "lines.line"),
            (|o| o.lines[0].quantity = units(10_000), "lines.quantity"),
            (|o| o.lines[0].unit_minor = -1, "lines.unit_minor"),
            (|o| o.totals.tax_minor = -1, "totals.tax_minor"),
            (|o| o.totals.shipping_minor = -1, "totals.shipping_minor"),
            (|o| o.totals.discount_minor = -1, "totals.discount_minor"),
            (|o| o.totals.lines_minor += 1, "totals.lines_minor"),
            (|o| o.totals.total_minor -= 1, "totals.total_minor"),
            (|o| o.payment_id = None, "payment_id"),
        ];
        for (change, field) in rules {
            given::<Order>([]).when(place(changed(change))).then_refused(|rejection| {
                let json = serde_json::to_value(rejection).unwrap();
                assert_eq!(json["field"], field, "{json}");
                assert!(json["code"].is_string(), "{json}");
                rejection.kind() == RejectionKind::Invalid
            });
        }
    }

    #[test]
    fn the_limits_themselves_are_within_the_limits() {
        let limits = OrderLimits { lines_max: 2, line_quantity_max: 2 };
        let at_the_limit = OrderCommand::Place { order: Box::new(order()), limits };
        given::<Order>([]).when(at_the_limit).then([placed()]);
        let three = order_of(&[(1, 1), (1, 1), (1, 1)], 0, 0, 0);
        let beyond = OrderCommand::Place { order: Box::new(three), limits };
        given::<Order>([]).when(beyond).then_rejected(OrderRejection::LineCount {
            field: "lines",
            given: 3,
            max: 2,
        });
    }

    #[test]
    fn a_zero_total_takes_no_payment() {
        let free = order_of(&[(1, 500)], 0, 0, 500);
        assert_eq!(free.payment_id, None);
        let event = OrderEvent::Placed(Box::new(free.clone()));
        given::<Order>([]).when(place(free.clone())).then([event]);
        let paid = PlacedOrder { payment_id: Some(id(5)), ..free };
        given::<Order>([])
            .when(place(paid))
            .then_rejected(OrderRejection::PaymentNotNeeded { field: "payment_id" });
    }

    #[test]
    fn a_discount_beyond_everything_is_refused() {
        given::<Order>([]).when(place(order_of(&[(1, 500)], 0, 0, 501))).then_rejected(
            OrderRejection::NegativeAmount { field: "totals.total_minor", given: -1 },
        );
    }

    #[test]
    fn amounts_beyond_the_largest_are_refused_not_wrapped() {
        let huge = changed(|o| o.lines[0].unit_minor = i64::MAX);
        given::<Order>([])
            .when(place(huge))
            .then_rejected(OrderRejection::AmountOutOfRange { field: "totals.lines_minor" });
        let huge = changed(|o| o.totals.tax_minor = i64::MAX);
        given::<Order>([])
            .when(place(huge))
            .then_rejected(OrderRejection::AmountOutOfRange { field: "totals.total_minor" });
    }
}
