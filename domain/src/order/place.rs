//! Places an order: its lines, totals and limits are checked once, here.

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
            Err(OrderRejection::OrderDiffers {
                order_id: on_record.order_id,
            })
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

fn check_totals(order: &PlacedOrder) -> Result<(), OrderRejection> {
    let totals = &order.totals;
    for (field, given) in [
        ("totals.tax_minor", totals.tax_minor),
        ("totals.shipping_minor", totals.shipping_minor),
        ("totals.discount_minor", totals.discount_minor),
    ] {
        if given < 0 {
            return Err(OrderRejection::NegativeAmount { field, given });
        }
    }
    let lines = order.lines.iter().try_fold(0_i64, |sum, line| {
        let line_minor = line
            .unit_minor
            .checked_mul(i64::from(line.quantity.get()))?;
        sum.checked_add(line_minor)
    });
    check_sum("totals.lines_minor", lines, totals.lines_minor)?;
    let total = totals
        .lines_minor
        .checked_add(totals.tax_minor)
        .and_then(|sum| sum.checked_add(totals.shipping_minor))
        .and_then(|sum| sum.checked_sub(totals.discount_minor));
    check_sum("totals.total_minor", total, totals.total_minor)?;
    if totals.total_minor < 0 {
        return Err(OrderRejection::NegativeAmount {
            field: "totals.total_minor",
            given: totals.total_minor,
        });
    }
    Ok(())
}

fn check_sum(field: &'static str, sum: Option<i64>, given: i64) -> Result<(), OrderRejection> {
    let expected = sum.ok_or(OrderRejection::AmountOutOfRange { field })?;
    if expected == given {
        Ok(())
    } else {
        Err(OrderRejection::SumDiffers {
            field,
            expected,
            given,
        })
    }
}

fn check_payment(order: &PlacedOrder) -> Result<(), OrderRejection> {
    let field = "payment_id";
    let total_minor = order.totals.total_minor;
    match order.payment_id {
        None if total_minor > 0 => Err(OrderRejection::PaymentMissing { field, total_minor }),
        Some(_) if total_minor == 0 => Err(OrderRejection::PaymentNotNeeded { field }),
        None | Some(_) => Ok(()),
    }
}
