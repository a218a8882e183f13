//! What each customer bought and has not sent back, to match cancellations with.

use std::collections::HashMap;

use super::ledger::Row;

/// Units of a line that came with an order and may come back.
#[derive(Debug, Clone, Copy)]
struct Bought {
    /// Index of the invoice.
    order: u32,
    /// Number of the line in its order, from 1.
    line: u32,
    price: i32,
    left: u32,
}

/// Part of a cancelled row, matched to one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) order: u32,
    pub(super) line: u32,
    pub(super) units: u32,
    pub(super) refund_minor: i64,
    /// What the row asks for beyond what the order had left.
    pub(super) not_refunded_minor: i64,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) parts: Vec<Part>,
    /// Units that no purchase was found for.
    pub(super) missing: u32,
}

#[derive(Debug, Default)]
pub(super) struct Purchases {
    /// By customer and code, in time order.
    lines: HashMap<(u32, u32), Vec<Bought>>,
    /// By customer, in time order.
    orders: HashMap<u32, Vec<u32>>,
    /// Pence paid and not refunded, by order.
    refundable: HashMap<u32, i64>,
}

impl Purchases {
    /// Puts an order on record; returns its total in pence.
    pub(super) fn bought(
        &mut self,
        order: u32,
        customer: Option<u32>,
        rows: impl Iterator<Item = Row>,
    ) -> i64 {
        let mut total = 0;
        for (line, row) in (1_u32..).zip(rows) {
            let units = row.quantity.unsigned_abs();
            total += i64::from(units) * row.pence();
            if let Some(customer) = customer {
                let bought = Bought { order, line, price: row.price, left: units };
                self.lines.entry((customer, row.code)).or_default().push(bought);
            }
        }
        if let Some(customer) = customer {
            self.orders.entry(customer).or_default().push(order);
            self.refundable.insert(order, total);
        }
        total
    }

    /// Matches a cancelled row to earlier lines of the customer with the same code: those at the
    /// same price first, then the others, the latest first in both. A service is matched at the
    /// same price only, since its code says too little.
    pub(super) fn take_back(&mut self, customer: u32, row: Row, is_service: bool) -> Match {
        let mut missing = row.quantity.unsigned_abs();
        let mut parts = Vec::new();
        let Some(lines) = self.lines.get_mut(&(customer, row.code)) else {
            return Match { parts, missing };
        };
        for same_price in [true, false] {
            if is_service && !same_price {
                break;
            }
            for bought in lines.iter_mut().rev() {
                if missing == 0 {
                    break;
                }
                if bought.left == 0 || (bought.price == row.price) != same_price {
                    continue;
                }
                let units = bought.left.min(missing);
                bought.left -= units;
                missing -= units;
                let wanted = i64::from(units) * row.pence();
                let left = self.refundable.entry(bought.order).or_default();
                let refund_minor = wanted.min(*left);
                *left -= refund_minor;
                let Bought { order, line, .. } = *bought;
                let not_refunded_minor = wanted - refund_minor;
                parts.push(Part { order, line, units, refund_minor, not_refunded_minor });
            }
        }
        Match { parts, missing }
    }

    /// The customer's latest order with this much left to refund, which is then taken from it.
    pub(super) fn credit(&mut self, customer: u32, amount_minor: i64) -> Option<u32> {
        let orders = self.orders.get(&customer)?;
        let enough = |order: &&u32| self.refundable.get(*order).is_some_and(|l| *l >= amount_minor);
        let order = *orders.iter().rev().find(enough).filter(|_| amount_minor > 0)?;
        *self.refundable.entry(order).or_default() -= amount_minor;
        Some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(code: u32, quantity: i32, price: i32) -> Row {
        Row { code, quantity, price, description: 0 }
    }

    #[test]
    fn the_latest_purchase_at_the_same_price_comes_back_first() {
        let mut purchases = Purchases::default();
        purchases.bought(0, Some(7), [row(1, 5, 1_000)].into_iter());
        purchases.bought(1, Some(7), [row(2, 1, 500), row(1, 3, 1_000)].into_iter());
        purchases.bought(2, Some(7), [row(1, 9, 800)].into_iter());
        let found = purchases.take_back(7, row(1, -10, 1_000), false);
        let parts: Vec<_> = found.parts.iter().map(|p| (p.order, p.line, p.units)).collect();
        assert_eq!(parts, [(1, 2, 3), (0, 1, 5), (2, 1, 2)]);
        assert_eq!(found.missing, 0);
    }

    #[test]
    fn no_more_is_refunded_than_was_paid() {
        let mut purchases = Purchases::default();
        assert_eq!(purchases.bought(0, Some(7), [row(1, 2, 1_000)].into_iter()), 200);
        let found = purchases.take_back(7, row(1, -3, 1_500), false);
        assert_eq!(found.missing, 1);
        let part = Part { order: 0, line: 1, units: 2, refund_minor: 200, not_refunded_minor: 100 };
        assert_eq!(found.parts, [part]);
        assert_eq!(purchases.credit(7, 1), None);
    }

    #[test]
    fn a_service_comes_back_at_its_own_price_only() {
        let mut purchases = Purchases::default();
        purchases.bought(0, Some(7), [row(1, 1, 18_000)].into_iter());
        assert!(purchases.take_back(7, row(1, -1, 9_000), true).parts.is_empty());
        assert_eq!(purchases.credit(7, 900), Some(0));
        assert_eq!(purchases.credit(7, 901), None);
        assert_eq!(purchases.credit(8, 1), None);
    }

    #[test]
    fn guests_and_others_have_bought_nothing() {
        let mut purchases = Purchases::default();
        purchases.bought(0, None, [row(1, 1, 1_000)].into_iter());
        purchases.bought(1, Some(8), [row(1, 1, 1_000)].into_iter());
        assert_eq!(purchases.take_back(7, row(1, -1, 1_000), false).missing, 1);
    }
}
