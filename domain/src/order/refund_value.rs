//! What returned units are worth, so that all parts add up to the order's total exactly.
//!
//! The rule: the total without shipping, that is lines + tax − discount, is spread over the lines
//! in proportion to their value (over units where every price is zero), then over a line's units
//! in the order they come back; both by largest remainder, ties to the earlier. Shipping goes back
//! with the last unit of the order. A discount beyond lines + tax lowers the shipping share.

use std::collections::BTreeMap;

use super::return_lines::check_returnable;
use super::{LineUnits, OrderOnRecord, OrderRejection};
use crate::{LineNumber, Money};

impl OrderOnRecord {
    /// What the next `lines` to come back are worth, given what already came back. Refuses what
    /// [`super::OrderCommand::Return`] would refuse.
    pub fn refund_value(&self, lines: &[LineUnits]) -> Result<Money, OrderRejection> {
        check_returnable(self, lines)?;
        Ok(Money::new(self.value_of_next(lines), self.currency))
    }

    /// As [`Self::refund_value`], for units known to come back.
    pub(super) fn value_of_next(&self, lines: &[LineUnits]) -> i64 {
        let shares = self.line_shares();
        let mut returned: BTreeMap<LineNumber, u32> =
            self.lines.iter().map(|(number, line)| (*number, line.returned)).collect();
        let mut value = 0_i64;
        for units in lines {
            let (Some(share), Some(line), Some(before)) = (
                shares.get(&units.line),
                self.lines.get(&units.line),
                returned.get_mut(&units.line),
            ) else {
                continue;
            };
            let after = before.saturating_add(units.quantity.get());
            let part = first_units(*share, line.ordered, after).saturating_sub(first_units(
                *share,
                line.ordered,
                *before,
            ));
            value = value.saturating_add(part);
            *before = after;
        }
        let all_back = self
            .lines
            .iter()
            .all(|(number, line)| returned.get(number).is_some_and(|n| *n >= line.ordered));
        if all_back {
            value = value.saturating_add(self.shipping_share());
        }
        value
    }

    /// The part of the total that goes back with the last unit.
    fn shipping_share(&self) -> i64 {
        self.totals.shipping_minor.min(self.totals.total_minor)
    }

    fn line_shares(&self) -> BTreeMap<LineNumber, i64> {
        let goods = self.totals.total_minor.saturating_sub(self.shipping_share());
        let goods = Money::new(goods, self.currency);
        let values: Vec<u64> = self
            .lines
            .values()
            .map(|line| {
                let unit = u64::try_from(line.unit_minor).unwrap_or(0);
                unit.saturating_mul(u64::from(line.ordered))
            })
            .collect();
        let shares = goods.allocate(&values).or_else(|| {
            let units: Vec<u64> = self.lines.values().map(|l| u64::from(l.ordered)).collect();
            goods.allocate(&units)
        });
        self.lines
            .keys()
            .copied()
            .zip(shares.unwrap_or_default().into_iter().map(|m| m.minor))
            .collect()
    }
}

/// What the first `taken` of a line's `ordered` units are worth: the odd minor units of `share`
/// go to the earlier ones.
fn first_units(share: i64, ordered: u32, taken: u32) -> i64 {
    let units = i64::from(ordered.max(1));
    let taken = i64::from(taken).min(units);
    (share / units).saturating_mul(taken).saturating_add((share % units).min(taken))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{lines, order_of};
    use super::super::{LineUnits, OrderRejection, PlacedOrder};
    use super::*;
    use crate::testing::id;

    /// The values of `parts` coming back one after another.
    fn values(placed: &PlacedOrder, parts: &[&[(u32, u32)]]) -> Vec<i64> {
        let mut order = OrderOnRecord::from(placed);
        for line in order.lines.values_mut() {
            line.shipped = line.ordered;
            line.delivered = line.ordered;
        }
        parts
            .iter()
            .map(|part| {
                let part = lines(part);
                let value = order.refund_value(&part).unwrap();
                for units in part {
                    order.lines.get_mut(&units.line).unwrap().returned += units.quantity.get();
                }
                value.minor
            })
            .collect()
    }

    #[test]
    fn odd_minor_units_go_to_the_earlier_units() {
        // 1.00 over three units: the first is worth one penny more.
        let order = order_of(&[(3, 50)], 0, 0, 50);
        assert_eq!(values(&order, &[&[(1, 1)], &[(1, 1)], &[(1, 1)]]), [34, 33, 33]);
        assert_eq!(values(&order, &[&[(1, 2)], &[(1, 1)]]), [67, 33]);
        assert_eq!(values(&order, &[&[(1, 3)]]), [100]);
    }

    #[test]
    fn tax_and_discount_follow_the_value_of_the_lines() {
        // 300 and 100, tax 40, discount 80: 360 = 270 + 90.
        let order = order_of(&[(1, 300), (2, 50)], 40, 0, 80);
        assert_eq!(values(&order, &[&[(2, 1)], &[(1, 1)], &[(2, 1)]]), [45, 270, 45]);
    }

    #[test]
    fn shipping_goes_back_with_the_last_unit() {
        let order = order_of(&[(1, 300), (1, 100)], 0, 50, 0);
        assert_eq!(values(&order, &[&[(1, 1)], &[(2, 1)]]), [300, 150]);
        assert_eq!(values(&order, &[&[(2, 1)], &[(1, 1)]]), [100, 350]);
        assert_eq!(values(&order, &[&[(2, 1), (1, 1)]]), [450]);
    }

    #[test]
    fn a_discount_beyond_the_goods_lowers_the_shipping_share() {
        let order = order_of(&[(2, 100)], 0, 50, 230);
        assert_eq!(values(&order, &[&[(1, 1)], &[(1, 1)]]), [0, 20]);
    }

    #[test]
    fn free_goods_share_a_charge_by_units() {
        let order = order_of(&[(1, 0), (3, 0)], 80, 0, 0);
        assert_eq!(values(&order, &[&[(1, 1)], &[(2, 3)]]), [20, 60]);
    }

    #[test]
    fn what_cannot_come_back_has_no_value() {
        let order = OrderOnRecord::from(&order_of(&[(1, 100)], 0, 0, 0));
        let part: Vec<LineUnits> = lines(&[(1, 1)]);
        assert!(matches!(order.refund_value(&part), Err(OrderRejection::StatusConflict { .. })));
        assert_eq!(order.value_of_return(id(21)), None);
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let order = order_of(&[(2, i64::MAX / 4), (1, i64::MAX / 4)], 0, 0, 0);
        let parts = values(&order, &[&[(1, 1)], &[(2, 1)], &[(1, 1)]]);
        assert_eq!(parts.iter().sum::<i64>(), order.totals.total_minor);
    }
}
