//! Candidates kept ready for customers: a table of a fixed size.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::CustomerId;

use super::candidates::Suggestion;

/// Lists of the customers who asked or were active last, and who is to have a new one.
#[derive(Debug)]
pub(super) struct Table {
    customers_max: usize,
    rows: HashMap<CustomerId, Row>,
    /// Whose list was used least recently comes first.
    by_use: BTreeMap<u64, CustomerId>,
    uses: u64,
    stale: BTreeSet<CustomerId>,
    forgotten: u64,
}

#[derive(Debug)]
struct Row {
    used: u64,
    candidates: Arc<[Suggestion]>,
}

/// Taken before a list is made. A list made of what was known before somebody was forgotten is not
/// kept: it might be theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Table {
    pub(super) fn new(customers_max: usize) -> Self {
        Self {
            customers_max,
            rows: HashMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            stale: BTreeSet::new(),
            forgotten: 0,
        }
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.forgotten)
    }

    pub(super) fn of(&mut self, customer: CustomerId) -> Option<Arc<[Suggestion]>> {
        let row = self.rows.get_mut(&customer)?;
        self.by_use.remove(&row.used);
        self.uses += 1;
        row.used = self.uses;
        self.by_use.insert(self.uses, customer);
        Some(Arc::clone(&row.candidates))
    }

    pub(super) fn put(
        &mut self,
        customer: CustomerId,
        candidates: Arc<[Suggestion]>,
        ticket: Ticket,
    ) {
        if ticket != self.ticket() || self.customers_max == 0 {
            return;
        }
        self.uses += 1;
        let row = Row { used: self.uses, candidates };
        if let Some(old) = self.rows.insert(customer, row) {
            self.by_use.remove(&old.used);
        }
        self.by_use.insert(self.uses, customer);
        while self.rows.len() > self.customers_max {
            let Some((_, idle)) = self.by_use.pop_first() else { break };
            self.rows.remove(&idle);
            self.stale.remove(&idle);
        }
    }

    /// The customer did something: a new list is to be made. While as many wait as the table has
    /// places, no more are taken on: theirs is made when they ask.
    pub(super) fn changed(&mut self, customer: CustomerId) {
        if self.stale.len() < self.customers_max || self.rows.contains_key(&customer) {
            self.stale.insert(customer);
        }
    }

    pub(super) fn all_changed(&mut self) {
        self.stale.extend(self.rows.keys());
    }

    /// Takes out a customer who is to have a new list.
    pub(super) fn take_stale(&mut self) -> Option<CustomerId> {
        self.stale.pop_first()
    }

    pub(super) fn forget(&mut self, customer: CustomerId) {
        self.forgotten += 1;
        self.stale.remove(&customer);
        self.remove(customer);
    }

    pub(super) fn clear(&mut self) {
        self.forgotten += 1;
        self.rows.clear();
        self.by_use.clear();
        self.stale.clear();
    }

    pub(super) fn remove(&mut self, customer: CustomerId) {
        if let Some(row) = self.rows.remove(&customer) {
            self.by_use.remove(&row.used);
        }
    }

    /// Customers with a list, and customers who wait for one.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.rows.len(), self.stale.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn customer(number: u128) -> CustomerId {
        CustomerId::new(Uuid::from_u128(number))
    }

    fn nothing() -> Arc<[Suggestion]> {
        Arc::new([])
    }

    #[test]
    fn whoever_asked_least_recently_goes_first() {
        let mut table = Table::new(2);
        let ticket = table.ticket();
        table.put(customer(1), nothing(), ticket);
        table.put(customer(2), nothing(), ticket);
        assert!(table.of(customer(1)).is_some());
        table.put(customer(3), nothing(), ticket);
        assert_eq!([1, 2, 3].map(|n| table.of(customer(n)).is_some()), [true, false, true]);
    }

    #[test]
    fn a_list_made_before_somebody_was_forgotten_is_not_kept() {
        let mut table = Table::new(2);
        let ticket = table.ticket();
        table.changed(customer(1));
        table.forget(customer(1));
        assert_eq!(table.take_stale(), None);
        table.put(customer(1), nothing(), ticket);
        assert!(table.of(customer(1)).is_none());
        let ticket = table.ticket();
        table.put(customer(2), nothing(), ticket);
        assert!(table.of(customer(2)).is_some());
    }

    proptest! {
        #[test]
        fn bounds_hold(steps in prop::collection::vec((0u8..5, 0u128..9), 0..200)) {
            let mut table = Table::new(3);
            for (what, number) in steps {
                match what {
                    0 => table.put(customer(number), nothing(), table.ticket()),
                    1 => table.changed(customer(number)),
                    2 => table.forget(customer(number)),
                    3 => table.all_changed(),
                    _ => drop(table.of(customer(number))),
                }
                prop_assert!(table.rows.len() <= 3 && table.stale.len() <= 6);
                prop_assert_eq!(table.rows.len(), table.by_use.len());
            }
        }
    }
}
