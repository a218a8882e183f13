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
use super::interner::NONE;
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
    /// By place in the tree, of products that have the category as their own.
    categories: Option<Vec<u32>>,
    buckets: Vec<u64>,
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
        let counts = |wanted: bool, bound: usize| wanted.then(|| vec![0; bound]);
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
            categories: counts(facets.category, columns.tree.len()),
            buckets: if price_bounds.is_empty() { vec![] } else { vec![0; price_bounds.len() + 1] },
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

    fn count_waiting(&mut self) {
        let mut slots = std::mem::take(&mut self.waiting);
        self.total += slots.len() as u64;
        self.count_categories(&slots);
        self.count_brands(&slots);
        self.count_values(&slots, None);
        self.count_prices(&slots);
        if let Some(tags) = &mut self.tags {
            for slot in &slots {
                for tag in self.columns.tags.get(*slot as usize) {
                    tags[*tag as usize] += 1;
                }
            }
        }
        slots.clear();
        self.waiting = slots;
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
        if let Some(categories) = &mut self.categories {
            for place in slots.iter().filter_map(|slot| self.columns.place_at(*slot)) {
                categories[place as usize] += 1;
            }
        }
    }

    fn count_brands(&mut self, slots: &[u32]) {
        if let Some(brands) = &mut self.brands {
            for slot in slots {
                let brand = self.columns.brand[*slot as usize];
                if brand != NONE {
                    brands[brand as usize] += 1;
                }
            }
        }
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
        for minor in slots.iter().filter_map(|slot| self.sieve.price(*slot)) {
            let bucket = if bounds.len() <= FEW_BOUNDS {
                bounds.iter().map(|bound| usize::from(*bound <= minor)).sum()
            } else {
                bounds.partition_point(|bound| *bound <= minor)
            };
            self.buckets[bucket] += 1;
        }
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
                    .map(|own| facets::roll_up(columns, &own))
                    .unwrap_or_default(),
                brand: self.brands.map(|counts| wanted.brands(&counts)).unwrap_or_default(),
                tags: self.tags.map(|counts| wanted.tags(&counts)).unwrap_or_default(),
                attributes: self
                    .values
                    .map(|counts| wanted.attributes(&counts))
                    .unwrap_or_default(),
            },
        }
    }
}
