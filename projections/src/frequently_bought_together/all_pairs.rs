//! All pairs with their counts: for checking against an independent count, not for serving.

use crate::sql::{Connection, Transaction};
use domain::ProductId;

use crate::StoreError;
use crate::frequently_bought_together::counting::Counter;
use crate::id_column::id;

/// Two products and in how many orders both are; `first` is the lower id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub first: ProductId,
    pub second: ProductId,
    pub together: u32,
}

/// Iterator of [`all_pairs`]; ends after an error.
pub struct AllPairs<'c> {
    counter: Counter<'c>,
    together_min: u32,
    products: std::vec::IntoIter<ProductId>,
    ready: std::vec::IntoIter<Pair>,
    _snapshot: Option<Transaction<'c>>,
}

/// Counts all pairs that share at least `together_min` orders, in order of ids, from one state
/// of the store. Holds the pairs of one product in memory at a time.
pub fn all_pairs(connection: &Connection, together_min: u32) -> Result<AllPairs<'_>, StoreError> {
    let snapshot = connection.snapshot()?;
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT product_id FROM posting ORDER BY product_id")?;
    let products: Vec<ProductId> =
        statement.query_map([], |row| id(row, 0))?.collect::<Result<_, _>>()?;
    Ok(AllPairs {
        counter: Counter::new(connection),
        together_min: together_min.max(1),
        products: products.into_iter(),
        ready: Vec::new().into_iter(),
        _snapshot: snapshot,
    })
}

impl AllPairs<'_> {
    fn pairs_of(&mut self, first: ProductId) -> Result<Vec<Pair>, StoreError> {
        let together_min = self.together_min;
        let mut pairs = Vec::new();
        self.counter.count(first, |second, together| {
            if second > first && together >= together_min {
                pairs.push(Pair { first, second, together });
            }
        })?;
        pairs.sort_unstable();
        Ok(pairs)
    }
}

impl Iterator for AllPairs<'_> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(pair) = self.ready.next() {
                return Some(Ok(pair));
            }
            let first = self.products.next()?;
            match self.pairs_of(first) {
                Ok(pairs) => self.ready = pairs.into_iter(),
                Err(error) => {
                    self.products = Vec::new().into_iter();
                    return Some(Err(error));
                }
            }
        }
    }
}
