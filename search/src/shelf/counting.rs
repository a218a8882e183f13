//! Counts what matches, for totals, facets and price buckets, in one pass.
//!
//! Each product that matches is judged once. One that passes the filter counts everywhere; one that
//! misses only what was chosen in one facet counts in that facet, which is what that facet would count
//! were nothing chosen in it; all others count nowhere.
//!
//! Those that pass are counted some at a time, one column after the other: rows lie far apart in memory,
//! and a processor waits for many of them at once if nothing else comes in between.

use super::columns::Columns;
use super::facets::{self, Wanted};
use super::filter::{Part, Sieve, Verdict};
use crate::{AttributeFacets, Bucket, Facets, Question};

/// Products that are counted together.
const TOGETHER: usize = 256;
/// Price bounds up to which all are looked at, rather than half of what is left each time.
const FEW_BOUNDS: usize = 16;

#[derive(Debug)]
pub(crate) struct Counter<'c> {
    columns: &'c Columns,
    question: &'c Question,
    sieve: Sieve<'c>,
    total: u64,
    /// Passed, and not counted yet.
    waiting: Vec<u32>,
    brands: Option<Vec<u32>>,
    tags: Option<Vec<u32>>,
    /// By value, of whatever attribute.
    values: Option<Vec<u32>>,
    /// By number, of products that have the category as their own.
    categories: Option<Vec<u32>>,
    buckets: Vec<u64>,
    /// Prices being counted.
    prices: Vec<i64>,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) total: u64,
    pub(crate) facets: Facets,
    pub(crate) buckets: Vec<Bucket>,
}

impl<'c> Counter<'c> {
    pub(crate) fn new(columns: &'c Columns, question: &'c Question) -> Self {
        let Question { filter, tier, currency, now, facets, price_bounds, .. } = question;
        let mut sieve = Sieve::new(columns, filter, *tier, *currency, *now);
        let names: Vec<&String> = filter.attributes.keys().collect();
        sieve.spare(|part| match part {
            Part::Category => facets.category,
            Part::Brand => facets.brand,
            Part::Price => !price_bounds.is_empty(),
            Part::Attribute(index) => match &facets.attributes {
                AttributeFacets::None => false,
                AttributeFacets::All => true,
                AttributeFacets::Named(wanted) => wanted.contains(names[index]),
            },
        });
        // One more, for products that have none.
        let counts = |wanted: bool, bound: usize| wanted.then(|| vec![0; bound + 1]);
        let attributes = facets.attributes != AttributeFacets::None;
        Self {
            columns,
            question,
            sieve,
            total: 0,
            waiting: Vec::with_capacity(TOGETHER),
            brands: counts(facets.brand, columns.brands.bound()),
            tags: counts(facets.tags, columns.tag_names.bound()),
            values: counts(attributes, columns.attribute_values.bound()),
            categories: counts(facets.category, columns.categories_bound()),
            buckets: if price_bounds.is_empty() { vec![] } else { vec![0; price_bounds.len() + 1] },
            prices: Vec::with_capacity(TOGETHER),
        }
    }

    /// Counts a product that matches, which is to be given once; whether it passes the filter.
    pub(crate) fn take(&mut self, slot: u32) -> bool {
        match self.sieve.judge(slot) {
            Verdict::Fails => return false,
            Verdict::Passes => {}
            Verdict::MissesOnly(part) => {
                let one = [slot];
                match part {
                    Part::Category => self.count_categories(&one),
                    Part::Brand => self.count_brands(&one),
                    Part::Price => self.count_prices(&one),
                    Part::Attribute(index) => {
                        let attribute = self.sieve.attributes[index].attribute;
                        self.count_values(&one, Some(attribute));
                    }
                }
                return false;
            }
        }
        self.waiting.push(slot);
        if self.waiting.len() >= TOGETHER {
            self.count_waiting();
        }
        true
    }

    /// Whether whatever matches passes. Then several may be counted at once.
    pub(crate) fn is_open(&self) -> bool {
        self.sieve.is_open()
    }

    fn count_waiting(&mut self) {
        let mut slots = std::mem::take(&mut self.waiting);
        self.count(&slots);
        slots.clear();
        self.waiting = slots;
    }

    /// Counts products that pass the filter, each of which is to be given once.
    pub(crate) fn count(&mut self, slots: &[u32]) {
        self.total += slots.len() as u64;
        self.count_categories(slots);
        self.count_brands(slots);
        self.count_values(slots, None);
        self.count_prices(slots);
        if let Some(tags) = &mut self.tags {
            for slot in slots {
                for tag in self.columns.tags.get(*slot as usize) {
                    tags[*tag as usize] += 1;
                }
            }
        }
    }

    /// Whether the product passes the filter; without counting it.
    pub(crate) fn passes(&self, slot: u32) -> bool {
        self.sieve.passes(slot)
    }

    /// The product's lowest price for whoever asks.
    pub(crate) fn price(&self, slot: u32) -> Option<i64> {
        self.sieve.price(slot)
    }

    fn count_categories(&mut self, slots: &[u32]) {
        count(&mut self.categories, &self.columns.category, slots);
    }

    fn count_brands(&mut self, slots: &[u32]) {
        count(&mut self.brands, &self.columns.brand, slots);
    }

    /// Values of one attribute, or of all.
    fn count_values(&mut self, slots: &[u32], only: Option<u32>) {
        if let Some(values) = &mut self.values {
            let of = &self.columns.attribute_of_value;
            for slot in slots {
                for value in self.columns.values.get(*slot as usize) {
                    if only.is_none_or(|only| of[*value as usize] == only) {
                        values[*value as usize] += 1;
                    }
                }
            }
        }
    }

    fn count_prices(&mut self, slots: &[u32]) {
        if self.buckets.is_empty() {
            return;
        }
        let bounds = &self.question.price_bounds;
        self.prices.clear();
        self.prices.extend(slots.iter().filter_map(|slot| self.sieve.price(*slot)));
        if bounds.len() > FEW_BOUNDS {
            for minor in &self.prices {
                self.buckets[bounds.partition_point(|bound| bound <= minor)] += 1;
            }
            return;
        }
        let mut above = self.prices.len() as u64;
        for (bucket, bound) in bounds.iter().enumerate() {
            let from = self.prices.iter().map(|minor| u64::from(bound <= minor)).sum();
            self.buckets[bucket] += above.saturating_sub(from);
            above = from;
        }
        self.buckets[bounds.len()] += above;
    }

    pub(crate) fn finish(mut self) -> Counted {
        self.count_waiting();
        let Self { columns, question, .. } = self;
        let wanted = Wanted { columns, filter: &question.filter, request: &question.facets };
        let bounds = &question.price_bounds;
        let buckets = self.buckets.iter().enumerate().map(|(index, count)| Bucket {
            from: index.checked_sub(1).map(|below| bounds[below]),
            to: bounds.get(index).copied(),
            count: *count,
        });
        Counted {
            total: self.total,
            buckets: buckets.collect(),
            facets: Facets {
                category: self
                    .categories
                    .map(|own| facets::roll_up(columns, &columns.by_place(&own)))
                    .unwrap_or_default(),
                brand: (self.brands.as_deref().and_then(|counts| counts.split_last()))
                    .map(|(_, counts)| wanted.brands(counts))
                    .unwrap_or_default(),
                tags: self.tags.map(|counts| wanted.tags(&counts)).unwrap_or_default(),
                attributes: self
                    .values
                    .map(|counts| wanted.attributes(&counts))
                    .unwrap_or_default(),
            },
        }
    }
}

/// Counts what products have, of which each has one at most.
fn count(counts: &mut Option<Vec<u32>>, column: &[u32], slots: &[u32]) {
    let Some(counts) = counts else { return };
    // What is no number of anything is counted as the last.
    let none = counts.len() - 1;
    for slot in slots {
        counts[(column[*slot as usize] as usize).min(none)] += 1;
    }
}
