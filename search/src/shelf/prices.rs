//! The column of prices: each product's lowest ones by tier and currency, as functions of time.

use std::collections::BTreeMap;
use std::ops::Bound;

use domain::pricing::Tier;
use domain::{Currency, Timestamp};
use projections::catalogue::{TierKey, TierPrice};

use super::interner::{Interner, NONE};
use super::lists::Lists;

/// Nanoseconds since 1970, stopping short at the years 1677 and 2262.
pub(super) fn nanoseconds(at: Timestamp) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(if at.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

/// One tier and currency, as a small number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(u16);

/// A price that holds always, or within a span that other prices share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Price {
    minor: i64,
    /// Number of the span; [`NONE`] for always.
    span: u32,
    kind: Kind,
}

/// From an instant up to but without another, in nanoseconds since 1970.
type Span = (i64, i64);

const ALWAYS: Span = (i64::MIN, i64::MAX);

/// In the column of a kind: the product has no such price.
const NO_PRICE: i64 = i64::MIN;
/// In the column of a kind: the price changes often, or is one that no column can hold.
const LOOK: i64 = i64::MIN + 1;
/// In the column of a kind, from here on: the place of a [`Sale`].
const SALES: i64 = i64::MIN + 2;
/// In the column of a kind, from here on: the price.
const PLAIN: i64 = SALES + (1 << 32);

/// A price that changes twice at most, as most do that change at all.
#[derive(Debug, Clone, Copy)]
struct Sale {
    from_ns: i64,
    until_ns: i64,
    /// Before, from then, and from the end on; [`NO_PRICE`] for none.
    minor: [i64; 3],
}

impl Sale {
    /// `None` if the price changes more often, or is one that no column can hold.
    fn new(prices: &[(Span, i64)]) -> Option<Self> {
        let mut instants: Vec<i64> = prices.iter().flat_map(|(span, _)| ends(*span)).collect();
        instants.sort_unstable();
        instants.dedup();
        let (from_ns, until_ns) = match *instants {
            [only] => (only, only),
            [from, until] => (from, until),
            _ => return None,
        };
        let at = |instant: i64| {
            let holds = |(from, until): Span| from <= instant && instant < until;
            prices.iter().find(|(span, _)| holds(*span)).map_or(NO_PRICE, |(_, minor)| *minor)
        };
        let plain = prices.iter().all(|(_, minor)| *minor >= PLAIN);
        plain.then(|| Self {
            from_ns,
            until_ns,
            minor: [at(from_ns.saturating_sub(1)), at(from_ns), at(until_ns)],
        })
    }

    fn at(&self, now_ns: i64) -> Option<i64> {
        let place = usize::from(self.from_ns <= now_ns) + usize::from(self.until_ns <= now_ns);
        Some(self.minor[place]).filter(|minor| *minor != NO_PRICE)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Prices {
    rows: Lists<Price>,
    /// By kind, then by row: the price, where it holds always. Most do, and whoever counts many products
    /// then reads one number for each.
    always: Vec<Vec<i64>>,
    /// Prices that do not hold always, and places among them that are free.
    sales: Vec<Sale>,
    free: Vec<u32>,
    /// At most two for each currency there is: never taken away.
    kinds: Vec<(TierKey, Currency)>,
    spans: Interner<Span>,
    /// When prices change by themselves, and how many ends of spans in use lie there.
    instants: BTreeMap<i64, u32>,
    /// How often a row got other prices than it had.
    revision: u64,
}

impl Prices {
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes the place of others, and of whatever was worked out from them.
    pub(super) fn come_after(&mut self, others: &Self) {
        self.revision += others.revision + 1;
    }

    pub(super) fn set(&mut self, row: usize, prices: &[TierPrice]) {
        let priced: Vec<Price> = prices
            .iter()
            .map(|price| Price {
                minor: price.minor,
                span: self.hold_span((price.from_ns, price.until_ns)),
                kind: self.kind_or_new(price.tier, price.currency),
            })
            .collect();
        for (kind, column) in self.always.iter_mut().enumerate() {
            let of_kind =
                priced.iter().zip(prices).filter(|(price, _)| usize::from(price.kind.0) == kind);
            let of_kind: Vec<(Span, i64)> =
                of_kind.map(|(_, price)| ((price.from_ns, price.until_ns), price.minor)).collect();
            if let Some(sale) = column.get(row).and_then(|entry| sale(*entry)) {
                self.free.push(sale);
            }
            let entry = match *of_kind {
                [] => NO_PRICE,
                [(ALWAYS, minor)] if minor >= PLAIN => minor,
                _ => Sale::new(&of_kind).map_or(LOOK, |sale| {
                    let place = self.free.pop().unwrap_or_else(|| {
                        self.sales.push(sale);
                        (self.sales.len() - 1) as u32
                    });
                    self.sales[place as usize] = sale;
                    SALES + i64::from(place)
                }),
            };
            if row >= column.len() {
                if entry == NO_PRICE {
                    continue;
                }
                column.resize(row + 1, NO_PRICE);
            }
            column[row] = entry;
        }
        let before = self.rows.get(row);
        self.revision += u64::from(before != priced);
        let before: Vec<u32> = before.iter().map(|price| price.span).collect();
        self.rows.set(row, &priced);
        for span in before {
            self.release_span(span);
        }
    }

    fn hold_span(&mut self, span: Span) -> u32 {
        if span == ALWAYS {
            return NONE;
        }
        for end in ends(span) {
            *self.instants.entry(end).or_default() += 1;
        }
        self.spans.hold(&span)
    }

    fn release_span(&mut self, id: u32) {
        let Some(span) = self.spans.value(id).copied() else { return };
        for end in ends(span) {
            if let Some(count) = self.instants.get_mut(&end) {
                *count -= 1;
                if *count == 0 {
                    self.instants.remove(&end);
                }
            }
        }
        self.spans.release(id);
    }

    fn kind_or_new(&mut self, tier: TierKey, currency: Currency) -> Kind {
        let known = self.kinds.iter().position(|kind| *kind == (tier, currency));
        Kind(known.unwrap_or_else(|| {
            self.kinds.push((tier, currency));
            self.always.push(Vec::new());
            self.kinds.len() - 1
        }) as u16)
    }

    /// `None` if no product was ever sold to the tier in the currency.
    pub(super) fn kind(&self, tier: Tier, currency: Currency) -> Option<Kind> {
        let wanted = (TierKey::from(tier), currency);
        self.kinds.iter().position(|kind| *kind == wanted).map(|at| Kind(at as u16))
    }

    /// The row's lowest price at an instant, in minor units.
    pub(super) fn at(&self, row: usize, kind: Kind, now_ns: i64) -> Option<i64> {
        match self.always[usize::from(kind.0)].get(row).copied().unwrap_or(NO_PRICE) {
            minor if minor >= PLAIN => return Some(minor),
            NO_PRICE => return None,
            LOOK => {}
            entry => return self.sales[(entry - SALES) as usize].at(now_ns),
        }
        self.rows
            .get(row)
            .iter()
            .find(|price| price.kind == kind && self.holds(price.span, now_ns))
            .map(|price| price.minor)
    }

    fn holds(&self, span: u32, now_ns: i64) -> bool {
        span == NONE
            || self
                .spans
                .value(span)
                .is_some_and(|(from, until)| *from <= now_ns && now_ns < *until)
    }

    /// The row's lowest price at an instant in each currency.
    pub(super) fn all_at(&self, row: usize, tier: Tier, now_ns: i64) -> BTreeMap<Currency, i64> {
        let tier = TierKey::from(tier);
        let mut lowest = BTreeMap::new();
        for price in self.rows.get(row) {
            let (of, currency) = self.kinds[price.kind.0 as usize];
            if of == tier && self.holds(price.span, now_ns) {
                lowest.entry(currency).or_insert(price.minor);
            }
        }
        lowest
    }

    /// The earliest instant after another at which any price changes by itself.
    pub(super) fn next_change(&self, after_ns: i64) -> Option<i64> {
        let later = (Bound::Excluded(after_ns), Bound::Unbounded);
        self.instants.range(later).next().map(|(at, _)| *at)
    }

    /// Whether a price of the row changes by itself after an instant, up to and with another.
    pub(super) fn change_within(&self, row: usize, after_ns: i64, until_ns: i64) -> bool {
        let spans = self.rows.get(row).iter().filter_map(|price| self.spans.value(price.span));
        spans.copied().flat_map(ends).any(|end| after_ns < end && end <= until_ns)
    }

    pub(super) fn shrink(&mut self) {
        self.rows.shrink();
        self.always.iter_mut().for_each(Vec::shrink_to_fit);
        self.sales.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        // A B-tree's node holds eleven entries and is, in the mean, two thirds full.
        let always: usize = self.always.iter().map(|column| column.capacity() * 8).sum();
        let sales = self.sales.capacity() * size_of::<Sale>() + self.free.capacity() * 4;
        self.rows.bytes() + always + sales + self.spans.bytes() + self.instants.len() * 24
    }
}

/// The place of the sale that an entry in a column stands for.
fn sale(entry: i64) -> Option<u32> {
    (SALES..PLAIN).contains(&entry).then(|| (entry - SALES) as u32)
}

/// The ends of a span that are instants.
fn ends((from, until): Span) -> impl Iterator<Item = i64> {
    [from, until].into_iter().filter(|end| *end != ALWAYS.0 && *end != ALWAYS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(from_ns: i64, until_ns: i64, minor: i64) -> TierPrice {
        TierPrice { tier: TierKey::Retail, currency: Currency::EUR, from_ns, until_ns, minor }
    }

    #[test]
    fn a_price_holds_within_its_span_and_the_next_change_is_told() {
        let mut prices = Prices::default();
        prices.set(0, &[price(i64::MIN, 100, 5), price(100, 200, 7)]);
        prices.set(1, &[price(i64::MIN, i64::MAX, 9)]);
        let kind = prices.kind(Tier::Retail, Currency::EUR).unwrap();
        assert_eq!(prices.kind(Tier::Wholesale, Currency::EUR), None);
        let at = |row, now| prices.at(row, kind, now);
        assert_eq!(
            [at(0, 99), at(0, 100), at(0, 199), at(0, 200)],
            [Some(5), Some(7), Some(7), None]
        );
        assert_eq!([at(1, i64::MIN), at(1, i64::MAX), at(2, 0)], [Some(9), Some(9), None]);
        assert_eq!(
            [0, 99, 100, 199, 200].map(|now| prices.next_change(now)),
            [Some(100), Some(100), Some(200), Some(200), None]
        );
    }

    #[test]
    fn a_sale_is_one_entry_whose_place_is_given_out_again() {
        let mut prices = Prices::default();
        let sale = [price(i64::MIN, 10, 5), price(10, 20, 3), price(20, i64::MAX, 6)];
        (0..3).for_each(|row| prices.set(row, &sale));
        prices.set(1, &[price(i64::MIN, i64::MAX, 9)]);
        prices.set(7, &[price(10, 20, 3)]);
        let often = [price(i64::MIN, 10, 5), price(10, 20, 3), price(20, 30, 6), price(30, 40, 7)];
        prices.set(2, &often);
        prices.set(8, &[price(i64::MIN, 10, i64::MIN)]);
        assert_eq!((prices.sales.len(), prices.free.len()), (3, 1));
        let kind = prices.kind(Tier::Retail, Currency::EUR).unwrap();
        let at = |row| [9, 10, 19, 20, 39, 40].map(|now| prices.at(row, kind, now));
        assert_eq!(at(0), [Some(5), Some(3), Some(3), Some(6), Some(6), Some(6)]);
        assert_eq!(at(1), [Some(9); 6]);
        assert_eq!(at(7), [None, Some(3), Some(3), None, None, None]);
        assert_eq!(at(2), [Some(5), Some(3), Some(3), Some(6), Some(7), None]);
        assert_eq!(at(8), [Some(i64::MIN), None, None, None, None, None]);
    }

    #[test]
    fn spans_that_no_product_has_are_forgotten() {
        let mut prices = Prices::default();
        prices.set(0, &[price(i64::MIN, 100, 5)]);
        prices.set(1, &[price(i64::MIN, 100, 6), price(100, 300, 6)]);
        prices.set(0, &[]);
        assert_eq!(prices.next_change(0), Some(100));
        prices.set(1, &[price(i64::MIN, i64::MAX, 6)]);
        assert_eq!(prices.next_change(0), None);
        assert_eq!(prices.spans.bound(), 2);
        prices.set(2, &[price(0, 50, 1)]);
        assert_eq!(prices.spans.bound(), 2);
    }
}
