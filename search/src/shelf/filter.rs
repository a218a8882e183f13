//! A filter made ready for asking it of many products.
//!
//! For facets it tells not only whether a product passes, but also whether it would if nothing had
//! been chosen in one of them.

use std::ops::Range;

use domain::pricing::Tier;
use domain::{Currency, Timestamp};

use super::columns::Columns;
use super::interner::NONE;
use super::prices::{Kind, nanoseconds};
use crate::{Filter, PriceFilter};

/// A part of the filter that products may miss and still be counted, in the facet it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Category,
    Brand,
    Price,
    /// By index among the attributes chosen from.
    Attribute(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    /// Misses this part and nothing else.
    MissesOnly(Part),
    Fails,
}

#[derive(Debug)]
pub(super) struct Sieve<'c> {
    columns: &'c Columns,
    /// Whether something must pass that no product can.
    nothing: bool,
    in_stock: Option<bool>,
    seller: Option<u32>,
    tags: Vec<u32>,
    category: Option<Chosen<Range<u32>>>,
    brands: Option<Chosen<Set>>,
    price: Option<Chosen<PriceFilter>>,
    pub(super) attributes: Vec<AttributeChoice>,
    kind: Option<Kind>,
    now_ns: i64,
}

#[derive(Debug)]
struct Chosen<T> {
    what: T,
    /// Whether who misses only this is of interest.
    spared: bool,
}

#[derive(Debug)]
pub(super) struct AttributeChoice {
    /// The attribute's number; [`NONE`] if no product has it.
    pub(super) attribute: u32,
    values: Set,
    spared: bool,
}

/// A set of small numbers.
#[derive(Debug)]
struct Set(Vec<bool>);

impl Set {
    fn new(bound: usize, members: impl Iterator<Item = u32>) -> Self {
        let mut set = vec![false; bound];
        for member in members {
            set[member as usize] = true;
        }
        Self(set)
    }

    fn has(&self, id: u32) -> bool {
        self.0.get(id as usize).copied().unwrap_or(false)
    }
}

impl<'c> Sieve<'c> {
    pub(super) fn new(
        columns: &'c Columns,
        filter: &Filter,
        tier: Tier,
        currency: Option<Currency>,
        now: Timestamp,
    ) -> Self {
        let mut nothing = false;
        let mut known = |id: Option<u32>| {
            nothing |= id.is_none();
            id.unwrap_or(NONE)
        };
        let seller = filter.seller.map(|seller| known(columns.sellers.find(&seller)));
        let tags = filter.tags.iter().map(|tag| known(columns.tag_names.find(tag.as_str())));
        let tags = tags.collect();
        let category = filter.category.map(|id| {
            let place = columns.tree.place(id);
            Chosen::new(place.map_or(0..0, |place| columns.tree.subtree(place)))
        });
        let brands = (!filter.brands.is_empty()).then(|| {
            let ids = filter.brands.iter().filter_map(|brand| columns.brands.find(brand.as_str()));
            Chosen::new(Set::new(columns.brands.bound(), ids))
        });
        let attributes = filter.attributes.iter().map(|(name, values)| {
            let attribute = columns.attribute_names.find(name.as_str()).unwrap_or(NONE);
            let ids = values.iter().filter_map(|value| {
                columns.attribute_values.find(&(attribute, value.as_str().into()))
            });
            let values = Set::new(columns.attribute_values.bound(), ids);
            AttributeChoice { attribute, values, spared: false }
        });
        let attributes = attributes.collect();
        Self {
            columns,
            nothing,
            in_stock: filter.in_stock,
            seller,
            tags,
            category,
            brands,
            price: filter.price.map(Chosen::new),
            attributes,
            kind: currency.and_then(|currency| columns.prices.kind(tier, currency)),
            now_ns: nanoseconds(now),
        }
    }

    /// From now on tells who misses only a part, for the parts of which this is true.
    pub(super) fn spare(&mut self, wanted: impl Fn(Part) -> bool) {
        if let Some(category) = &mut self.category {
            category.spared = wanted(Part::Category);
        }
        if let Some(brands) = &mut self.brands {
            brands.spared = wanted(Part::Brand);
        }
        if let Some(price) = &mut self.price {
            price.spared = wanted(Part::Price);
        }
        for (index, attribute) in self.attributes.iter_mut().enumerate() {
            attribute.spared = wanted(Part::Attribute(index));
        }
    }

    /// Whether every product passes.
    pub(super) fn is_open(&self) -> bool {
        !self.nothing
            && self.in_stock.is_none()
            && self.seller.is_none()
            && self.tags.is_empty()
            && self.category.is_none()
            && self.brands.is_none()
            && self.price.is_none()
            && self.attributes.is_empty()
    }

    pub(super) fn passes(&self, slot: u32) -> bool {
        self.judge(slot) == Verdict::Passes
    }

    /// The product's lowest price for whoever asks.
    pub(super) fn price(&self, slot: u32) -> Option<i64> {
        self.columns.prices.at(slot as usize, self.kind?, self.now_ns)
    }

    pub(super) fn judge(&self, slot: u32) -> Verdict {
        let row = slot as usize;
        let columns = self.columns;
        if self.nothing
            || self.in_stock.is_some_and(|wanted| columns.in_stock[row] != wanted)
            || self.seller.is_some_and(|seller| columns.seller[row] != seller)
            || !self.tags.iter().all(|tag| columns.tags.get(row).contains(tag))
        {
            return Verdict::Fails;
        }
        let mut missed = Missed::default();
        if let Some(category) = &self.category {
            let inside = columns.place_at(slot).is_some_and(|at| category.what.contains(&at));
            missed.unless(inside, Part::Category, category.spared);
        }
        if let Some(brands) = &self.brands {
            missed.unless(brands.what.has(columns.brand[row]), Part::Brand, brands.spared);
        }
        for (index, attribute) in self.attributes.iter().enumerate() {
            let has = columns.values.get(row).iter().any(|value| attribute.values.has(*value));
            missed.unless(has, Part::Attribute(index), attribute.spared);
        }
        if let Some(price) = &self.price
            && missed.verdict != Verdict::Fails
        {
            let within = self.price(slot).is_some_and(|minor| price.what.has(minor));
            missed.unless(within, Part::Price, price.spared);
        }
        missed.verdict
    }
}

impl<T> Chosen<T> {
    fn new(what: T) -> Self {
        Self { what, spared: false }
    }
}

struct Missed {
    verdict: Verdict,
}

impl Default for Missed {
    fn default() -> Self {
        Self { verdict: Verdict::Passes }
    }
}

impl Missed {
    fn unless(&mut self, passes: bool, part: Part, spared: bool) {
        if !passes {
            let first = spared && self.verdict == Verdict::Passes;
            self.verdict = if first { Verdict::MissesOnly(part) } else { Verdict::Fails };
        }
    }
}

impl PriceFilter {
    fn has(&self, minor: i64) -> bool {
        self.min_minor.is_none_or(|min| min <= minor)
            && self.max_minor.is_none_or(|max| minor <= max)
    }
}
