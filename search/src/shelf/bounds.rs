//! Round prices that part a shop's products into groups, for the price facet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Currency;
use domain::pricing::Tier;
use projections::catalogue::TierKey;

use super::columns::Columns;

/// Products from which on a sample stands for all.
const SAMPLE: usize = 8192;

/// Bounds wanted before they are rounded; rounding may make some of them one.
const BOUNDS: usize = 6;

/// What round numbers begin with, ending in tens: the first are the roundest.
const ROUND: [&[i64]; 2] = [&[10, 20, 25, 50, 100], &[10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100]];

/// Bounds worked out last, by tier and currency. They hold until a price is changed, or changes by
/// itself.
#[derive(Debug, Default)]
pub(super) struct BoundsCache(Mutex<BTreeMap<(TierKey, Currency), Known>>);

#[derive(Debug)]
struct Known {
    revision: u64,
    from_ns: i64,
    until_ns: i64,
    bounds: Arc<[i64]>,
}

impl BoundsCache {
    /// Those that were worked out before and still hold.
    pub(super) fn known(
        &self,
        columns: &Columns,
        currency: Currency,
        tier: Tier,
        now_ns: i64,
    ) -> Option<Arc<[i64]>> {
        let bounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = bounds.get(&(TierKey::from(tier), currency))?;
        let holds = known.revision == columns.prices.revision()
            && known.from_ns <= now_ns
            && now_ns < known.until_ns;
        holds.then(|| Arc::clone(&known.bounds))
    }

    pub(super) fn get(
        &self,
        columns: &Columns,
        currency: Currency,
        tier: Tier,
        now_ns: i64,
    ) -> Arc<[i64]> {
        if let Some(known) = self.known(columns, currency, tier, now_ns) {
            return known;
        }
        let key = (TierKey::from(tier), currency);
        let bounds: Arc<[i64]> =
            rounded(&quantiles(columns, currency, tier, now_ns, BOUNDS)).into();
        // A currency nobody sells in has no bounds: not worth remembering, and not to be filled up with.
        if !bounds.is_empty() {
            let known = Known {
                revision: columns.prices.revision(),
                from_ns: now_ns,
                until_ns: columns.prices.next_change(now_ns).unwrap_or(i64::MAX),
                bounds: Arc::clone(&bounds),
            };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, known);
        }
        bounds
    }
}

/// The `n` prices that cut the shop's products into `n + 1` parts of like size, ascending, in minor
/// units; nothing if no product has a price. Beyond some ten thousand products they are worked out from a
/// sample, always the same of the same products.
pub(super) fn quantiles(
    columns: &Columns,
    currency: Currency,
    tier: Tier,
    now_ns: i64,
    n: usize,
) -> Vec<i64> {
    let Some(kind) = columns.prices.kind(tier, currency) else { return Vec::new() };
    let one_of = (columns.len() / SAMPLE).max(1).next_power_of_two() as u64;
    let mut prices: Vec<i64> = columns
        .slots()
        .filter(|slot| one_of == 1 || scattered(columns.number_at(*slot)).is_multiple_of(one_of))
        .filter_map(|slot| columns.prices.at(slot as usize, kind, now_ns))
        .collect();
    prices.sort_unstable();
    if prices.is_empty() {
        return Vec::new();
    }
    (1..=n).map(|part| prices[(prices.len() * part / (n + 1)).min(prices.len() - 1)]).collect()
}

/// The number, mixed, so that a sample does not follow any regularity in the numbers: the finalizer of
/// Steele, Lea and Flood's SplitMix (2014).
fn scattered(number: i64) -> u64 {
    let mut mixed = number.cast_unsigned();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The prices as round numbers, ascending, each once; rounder ones if those still tell most apart.
fn rounded(prices: &[i64]) -> Vec<i64> {
    let mut bounds = Vec::new();
    for round in ROUND {
        bounds = prices.iter().map(|price| nearest(*price, round)).filter(|at| *at > 0).collect();
        bounds.sort_unstable();
        bounds.dedup();
        if bounds.len() + 1 >= prices.len() {
            break;
        }
    }
    bounds
}

/// The nearest product of one of the numbers, over ten, and a power of ten.
fn nearest(price: i64, round: &[i64]) -> i64 {
    if price < 10 {
        return price;
    }
    let mut scale: i64 = 1;
    while price / scale >= 100 {
        scale *= 10;
    }
    let candidates = round.iter().map(|first| first.saturating_mul(scale));
    candidates.min_by_key(|candidate| candidate.abs_diff(price)).unwrap_or(price)
}

#[cfg(test)]
mod tests {
    use projections::catalogue::SearchDocument;

    use super::*;
    use crate::shelf::tests::{at, document, price, product_id};
    use crate::{Changes, Shelf};

    #[test]
    fn bounds_are_worked_out_again_when_a_price_changed_and_not_when_stock_did() {
        let shelf = Shelf::default();
        let product = |number: i64, minor: i64, in_stock| SearchDocument {
            prices: vec![price(Tier::Retail, Currency::GBP, minor)],
            in_stock,
            ..document(number, &[])
        };
        let known = || shelf.known_price_bounds(Currency::GBP, Tier::Retail, at(0));
        let apply = |documents: Vec<SearchDocument>, removed: Vec<i64>| {
            let removed = removed.into_iter().map(product_id).collect();
            shelf.apply(&Changes { documents, removed, categories: None });
        };
        let work_out = || shelf.price_bounds(Currency::GBP, Tier::Retail, at(0));
        apply((0..20).map(|number| product(number, 100 * number, true)).collect(), vec![]);
        assert_eq!(known(), None);
        let first = work_out();
        apply(vec![product(3, 300, false)], vec![]);
        assert_eq!(known(), Some(first.clone()), "sold out");
        apply(vec![product(3, 9_000, false)], vec![]);
        assert_eq!(known(), None, "another price");
        work_out();
        apply(vec![], vec![5]);
        assert_eq!(known(), None, "gone");
        work_out();
        apply(vec![product(5, 500, true)], vec![]);
        assert_eq!(known(), None, "back, in its old place");
        work_out();
        let refilled: Vec<_> = (0..20).map(|number| product(number, 7 * number, true)).collect();
        shelf.replace(&refilled, &[]);
        assert_eq!(known(), None, "another catalogue");
        assert_ne!(work_out(), first);
    }

    #[test]
    fn bounds_are_round_and_ascend() {
        assert_eq!(
            rounded(&[437, 921, 1890, 2640, 5310, 11_999]),
            [500, 1000, 2000, 2500, 5000, 10_000]
        );
        assert_eq!(rounded(&[1999, 2099, 2199, 2499, 2999, 3999]), [2000, 2500, 3000, 4000]);
        assert_eq!(rounded(&[700, 700, 700, 700, 700, 700]), [600]);
        assert_eq!(rounded(&[0, 0, 3, 4, 5, 9]), [3, 4, 5, 9]);
        assert_eq!(rounded(&[]), [0; 0]);
        assert_eq!(nearest(i64::MAX, ROUND[0]), i64::MAX);
    }
}
