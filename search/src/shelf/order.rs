//! The order of hits, and the first of many in it without sorting the rest.

use std::cmp::Ordering;

use super::columns::Columns;
use crate::Order;

/// Where a hit stands: the least is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Without what is sorted by: after all others.
    last: bool,
    first: u64,
    second: u32,
    pub(crate) slot: u32,
    number: i64,
}

/// Makes places and compares them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'c> {
    columns: &'c Columns,
    order: Order,
}

impl<'c> Places<'c> {
    pub(crate) fn new(columns: &'c Columns, order: Order) -> Self {
        Self { columns, order }
    }

    /// By score, the highest first; whatever the order is.
    pub(crate) fn by_score(&self, slot: u32, score: f32) -> Place {
        self.place(slot, false, !ascending_f64(f64::from(score)), 0)
    }

    /// Whether what has the score is behind a place, whatever product it is.
    pub(crate) fn is_behind(score: f32, place: &Place) -> bool {
        !place.last && !ascending_f64(f64::from(score)) > place.first
    }

    /// Behind all that have a score, the lowest rank first.
    pub(crate) fn behind(&self, slot: u32, rank: usize) -> Place {
        self.place(slot, true, rank as u64, 0)
    }

    /// By what the product is. `price` is asked only where it decides.
    pub(crate) fn by_product(&self, slot: u32, price: impl Fn() -> Option<i64>) -> Place {
        let row = slot as usize;
        match self.order {
            Order::Relevance | Order::Newest => self.place(slot, false, 0, 0),
            Order::Name => self.place(slot, false, self.columns.name_key[row], 0),
            Order::PriceAscending => {
                let price = price();
                self.place(slot, price.is_none(), ascending_i64(price.unwrap_or(0)), 0)
            }
            Order::PriceDescending => {
                let price = price();
                self.place(slot, price.is_none(), !ascending_i64(price.unwrap_or(0)), 0)
            }
            Order::Rating => {
                let stars = self.columns.stars[row];
                let mean = stars.mean();
                let first = !ascending_f64(mean.unwrap_or(0.0));
                self.place(slot, mean.is_none(), first, !stars.count)
            }
        }
    }

    fn place(&self, slot: u32, last: bool, first: u64, second: u32) -> Place {
        Place { last, first, second, slot, number: self.columns.number_at(slot) }
    }

    pub(crate) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let names = || match self.order {
            Order::Name => small_letters(self.columns.name_at(a.slot))
                .cmp(small_letters(self.columns.name_at(b.slot))),
            _ => Ordering::Equal,
        };
        (a.last, a.first, a.second)
            .cmp(&(b.last, b.first, b.second))
            .then_with(names)
            .then_with(|| b.number.cmp(&a.number))
    }
}

fn small_letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().flat_map(char::to_lowercase)
}

/// A number in the order of the signed one.
fn ascending_i64(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

/// A number in the order of the float, as IEEE 754 lays it out.
fn ascending_f64(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Keeps the first `limit` of what it is given. Twice as many are collected before those behind are
/// dropped, so that each costs the same in the mean however many are kept.
#[derive(Debug)]
pub(crate) struct TopK<T, F> {
    limit: usize,
    kept: Vec<T>,
    /// Nothing behind this is among the first.
    worst: Option<T>,
    compare: F,
}

impl<T: Copy, F: Fn(&T, &T) -> Ordering> TopK<T, F> {
    pub(crate) fn new(limit: usize, compare: F) -> Self {
        Self { limit, kept: Vec::new(), worst: None, compare }
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.limit == 0
            || self.worst.is_some_and(|worst| (self.compare)(&value, &worst) == Ordering::Greater)
        {
            return;
        }
        self.kept.push(value);
        if self.kept.len() / 2 >= self.limit.max(32) {
            self.drop_behind();
        }
    }

    fn drop_behind(&mut self) {
        if self.kept.len() > self.limit {
            let (_, worst, _) = self.kept.select_nth_unstable_by(self.limit - 1, &self.compare);
            self.worst = Some(*worst);
            self.kept.truncate(self.limit);
        }
    }

    /// Nothing behind this is among the first.
    pub(crate) fn worst(&self) -> Option<&T> {
        self.worst.as_ref()
    }

    /// The first, in order.
    pub(crate) fn finish(mut self) -> Vec<T> {
        self.drop_behind();
        self.kept.sort_unstable_by(&self.compare);
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_are_those_of_the_sorted_whole(
            values in prop::collection::vec(0_u16..500, 0..800),
            limit in 0_usize..200,
        ) {
            let mut top = TopK::new(limit, |a: &(u16, usize), b: &(u16, usize)| a.cmp(b));
            let mut all: Vec<(u16, usize)> = values.into_iter().zip(0..).collect();
            all.iter().for_each(|value| top.push(*value));
            all.sort_unstable();
            all.truncate(limit);
            prop_assert_eq!(top.finish(), all);
        }

        #[test]
        fn numbers_keep_the_order_of_what_they_stand_for(
            a in any::<i64>(), b in any::<i64>(), x in -1e9_f64..1e9, y in -1e9_f64..1e9,
        ) {
            prop_assert_eq!(ascending_i64(a).cmp(&ascending_i64(b)), a.cmp(&b));
            prop_assert_eq!(ascending_f64(x).cmp(&ascending_f64(y)), x.total_cmp(&y));
        }
    }
}
