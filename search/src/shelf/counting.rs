//! Counts what matches, for totals, facets and price buckets, in one pass.
//!
//! Each product that matches is judged once. One that passes the filter counts everywhere; one that
//! misses only what was chosen in one facet counts in that facet, which is what that facet would count
//! were nothing chosen in it; all others count nowhere.

use super::columns::Columns;
use super::facets::{self, Wanted};
use super::filter::{Part, Sieve, Verdict};
use super::interner::NONE;
use crate::{AttributeFacets, Bucket, Facets, Question};

#[derive(Debug)]
pub(crate) struct Counter<'c> {
    columns: &'c Columns,
    question: &'c Question,
    sieve: Sieve<'c>,
    total: u64,
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
                match part {
                    Part::Category => self.count_category(slot),
                    Part::Brand => self.count_brand(slot),
                    Part::Price => self.count_price(slot),
                    Part::Attribute(index) => {
                        let attribute = self.sieve.attributes[index].attribute;
                        self.count_values(slot, Some(attribute));
                    }
                }
                return false;
            }
        }
        self.total += 1;
        self.count_category(slot);
        self.count_brand(slot);
        self.count_values(slot, None);
        self.count_price(slot);
        if let Some(tags) = &mut self.tags {
            for tag in self.columns.tags.get(slot as usize) {
                tags[*tag as usize] += 1;
            }
        }
        true
    }

    /// Whether the product passes the filter; without counting it.
    pub(crate) fn passes(&self, slot: u32) -> bool {
        self.sieve.passes(slot)
    }

    /// The product's lowest price for whoever asks.
    pub(crate) fn price(&self, slot: u32) -> Option<i64> {
        self.sieve.price(slot)
    }

    fn count_category(&mut self, slot: u32) {
        if let Some(categories) = &mut self.categories
            && let Some(place) = self.columns.place_at(slot)
        {
            categories[place as usize] += 1;
        }
    }

    fn count_brand(&mut self, slot: u32) {
        let brand = self.columns.brand[slot as usize];
        if let Some(brands) = &mut self.brands
            && brand != NONE
        {
            brands[brand as usize] += 1;
        }
    }

    /// Values of one attribute, or of all.
    fn count_values(&mut self, slot: u32, only: Option<u32>) {
        if let Some(values) = &mut self.values {
            let of = &self.columns.attribute_of_value;
            for value in self.columns.values.get(slot as usize) {
                if only.is_none_or(|only| of[*value as usize] == only) {
                    values[*value as usize] += 1;
                }
            }
        }
    }

    fn count_price(&mut self, slot: u32) {
        if !self.buckets.is_empty()
            && let Some(minor) = self.sieve.price(slot)
        {
            let bounds = &self.question.price_bounds;
            self.buckets[bounds.partition_point(|bound| *bound <= minor)] += 1;
        }
    }

    pub(crate) fn finish(self) -> Counted {
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
