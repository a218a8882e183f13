//! The lowest price of a product as a function of time.
//!
//! Prices change by events, but sales also end by themselves. So for each currency the lowest
//! price is kept as spans of time, one for each instant at which a sale ends: a reader
//! looks for the span that holds now, and an ended sale cannot match. Most products have one.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::{PriceBook, Prices, Tier, WholesalePolicy, effective_price};
use domain::{Currency, Timestamp};

/// The lowest price in minor units of `currency`, from an instant up to but without another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PriceSpan {
    pub(super) currency: Currency,
    /// Nanoseconds since 1970; the lowest number for "always was".
    pub(super) from_ns: i64,
    /// The highest number for "until an event says otherwise".
    pub(super) until_ns: i64,
    pub(super) minor: i64,
}

/// Nanoseconds since 1970, stopping short at the years 1677 and 2262.
pub(super) fn nanoseconds(at: Timestamp) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(if at.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

/// Spans of all currencies in which `tier` can buy, in order; those in which nothing can be bought
/// are left out. A product without SKUs on sale shows its base price.
pub(super) fn spans<'p>(
    tier: Tier,
    base: &Prices,
    skus: impl Iterator<Item = &'p PriceBook> + Clone,
) -> Vec<PriceSpan> {
    let nothing = PriceBook::default();
    let skus: Vec<&PriceBook> = match skus.clone().next() {
        Some(_) => skus.collect(),
        None => vec![&nothing],
    };
    let mut currencies: BTreeSet<Currency> = skus
        .iter()
        .flat_map(|sku| sku.own.keys().chain(sku.sale.keys()))
        .chain(base.keys())
        .copied()
        .collect();
    if tier == Tier::Wholesale {
        currencies.extend(skus.iter().flat_map(|sku| sku.wholesale.keys()));
    }
    let mut spans = Vec::with_capacity(currencies.len());
    for currency in currencies {
        spans_in(tier, currency, base, &skus, &mut spans);
    }
    spans
}

/// Sweeps over the instants at which sales end, with all prices that hold in between counted:
/// n log n in the SKUs, where asking for the lowest at each instant would be n².
fn spans_in(
    tier: Tier,
    currency: Currency,
    base: &Prices,
    skus: &[&PriceBook],
    spans: &mut Vec<PriceSpan>,
) {
    let price = |sku: &PriceBook, at| {
        let policy = WholesalePolicy::default();
        effective_price(sku, base, tier, currency, at, policy).map(|price| price.minor)
    };
    let mut holding: BTreeMap<i64, usize> = BTreeMap::new();
    let mut ends: BTreeMap<i64, Vec<Change>> = BTreeMap::new();
    for sku in skus {
        let first = price(sku, Timestamp::MIN_UTC);
        add(&mut holding, first);
        if let Some(end) = sku.sale.get(&currency).and_then(|sale| sale.ends_at) {
            let change = (first, price(sku, end));
            ends.entry(nanoseconds(end)).or_default().push(change);
        }
    }
    let mut from_ns = i64::MIN;
    let mut lowest = holding.keys().next().copied();
    let mut close = |from_ns, until_ns, minor: Option<i64>| {
        if let Some(minor) = minor
            && from_ns < until_ns
        {
            spans.push(PriceSpan { currency, from_ns, until_ns, minor });
        }
    };
    for (end_ns, changes) in ends {
        for (before, after) in changes {
            remove(&mut holding, before);
            add(&mut holding, after);
        }
        let now_lowest = holding.keys().next().copied();
        if now_lowest != lowest {
            close(from_ns, end_ns, lowest);
            (from_ns, lowest) = (end_ns, now_lowest);
        }
    }
    close(from_ns, i64::MAX, lowest);
}

/// A SKU's price before and after its sale ends.
type Change = (Option<i64>, Option<i64>);

fn add(holding: &mut BTreeMap<i64, usize>, price: Option<i64>) {
    if let Some(minor) = price {
        *holding.entry(minor).or_default() += 1;
    }
}

fn remove(holding: &mut BTreeMap<i64, usize>, price: Option<i64>) {
    if let Some(minor) = price
        && let Some(count) = holding.get_mut(&minor)
    {
        *count -= 1;
        if *count == 0 {
            holding.remove(&minor);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::pricing::SalePrice;
    use proptest::prelude::*;

    use super::*;
    use crate::given::at;

    fn book() -> impl Strategy<Value = PriceBook> {
        let own = prop::option::of(1_i64..20);
        let sale = prop::option::of((1_i64..20, prop::option::of(0_i64..8)));
        let wholesale = prop::option::of(1_i64..20);
        (own, sale, wholesale).prop_map(|(own, sale, wholesale)| PriceBook {
            own: own.map(|minor| (Currency::GBP, minor)).into_iter().collect(),
            sale: sale
                .map(|(minor, end)| {
                    let ends_at = end.map(at);
                    (Currency::GBP, SalePrice { minor, ends_at })
                })
                .into_iter()
                .collect(),
            wholesale: wholesale.map(|minor| (Currency::GBP, minor)).into_iter().collect(),
        })
    }

    proptest! {
        #[test]
        fn at_any_instant_the_span_is_the_lowest_effective_price(
            base in prop::option::of(1_i64..20), skus in prop::collection::vec(book(), 1..6),
            tier in prop::sample::select(vec![Tier::Retail, Tier::Wholesale]),
        ) {
            let base: Prices = base.map(|minor| (Currency::GBP, minor)).into_iter().collect();
            let spans = spans(tier, &base, skus.iter());
            for half_seconds in -1..18 {
                let now = at(0) + chrono::TimeDelta::milliseconds(500 * half_seconds);
                let now_ns = nanoseconds(now);
                let found: Vec<_> = spans.iter()
                    .filter(|span| span.from_ns <= now_ns && now_ns < span.until_ns)
                    .map(|span| span.minor)
                    .collect();
                let policy = WholesalePolicy::default();
                let lowest = skus.iter()
                    .filter_map(|sku| {
                        effective_price(sku, &base, tier, Currency::GBP, now, policy)
                    })
                    .map(|price| price.minor)
                    .min();
                prop_assert_eq!(found, Vec::from_iter(lowest));
            }
        }
    }
}
