//! The sums of a new order, exact to the minor unit.

use super::{OrderRejection, PlacedOrder};

/// The sums are exact and no part is negative.
pub(super) fn check_totals(order: &PlacedOrder) -> Result<(), OrderRejection> {
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
        let line_minor = line.unit_minor.checked_mul(i64::from(line.quantity.get()))?;
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
        Err(OrderRejection::SumDiffers { field, expected, given })
    }
}

/// A payment is there exactly when there is something to pay.
pub(super) fn check_payment(order: &PlacedOrder) -> Result<(), OrderRejection> {
    let field = "payment_id";
    let total_minor = order.totals.total_minor;
    match order.payment_id {
        None if total_minor > 0 => Err(OrderRejection::PaymentMissing { field, total_minor }),
        Some(_) if total_minor == 0 => Err(OrderRejection::PaymentNotNeeded { field }),
        None | Some(_) => Ok(()),
    }
}
