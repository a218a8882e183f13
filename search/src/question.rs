//! What can be asked of a search engine.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::Tier;
use domain::{CategoryId, Currency, ProductId, SellerId, Timestamp};

/// One question; the same question over the same documents has the same answer.
///
/// Only products that are for sale ([`ProductStatus::Active`](domain::product::ProductStatus)) are
/// ever found.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What the shopper typed, not empty; `None` browses everything that passes the filter. The last word
    /// may be one that is only begun, unless something follows it, were it only a space.
    pub text: Option<String>,
    pub filter: Filter,
    /// Whose prices count, for filters, sorting and buckets.
    pub tier: Tier,
    /// For prices; needed by a price filter, by sorting by price and by buckets.
    pub currency: Option<Currency>,
    /// Decides which sales hold.
    pub now: Timestamp,
    pub order: Order,
    /// Hits left out at the beginning.
    pub offset: usize,
    /// Hits wanted; zero asks for numbers only.
    pub limit: usize,
    pub facets: FacetRequest,
    /// Bounds between price buckets, in minor units, ascending: `n` bounds make `n + 1` buckets, of
    /// which the first has no lower and the last no upper bound. Empty: no buckets.
    pub price_bounds: Vec<i64>,
    /// What is near in meaning, nearest first, whether or not it passes the filter: those that do
    /// are found as well. Empty: by text only.
    pub neighbours: Vec<Neighbour>,
    pub fusion: Fusion,
    /// Whether each hit says why it is where it is.
    pub explain: bool,
}

/// Which products: those that pass all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this category or below it.
    pub category: Option<CategoryId>,
    /// Of one of these; empty for any.
    pub brands: BTreeSet<String>,
    /// With all of these.
    pub tags: BTreeSet<String>,
    /// For each name, with one of the values.
    pub attributes: BTreeMap<String, BTreeSet<String>>,
    pub price: Option<PriceFilter>,
    pub in_stock: Option<bool>,
    pub seller: Option<SellerId>,
}

/// Bounds on the lowest price that holds now for the question's tier and currency, both included, in
/// minor units. A product without such a price does not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriceFilter {
    pub min_minor: Option<i64>,
    pub max_minor: Option<i64>,
}

/// Order of hits; what is equal by it goes newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The best match first; the newest first where there is no text.
    #[default]
    Relevance,
    Newest,
    /// Without regard to case.
    Name,
    /// Products without a price in the question's currency come last.
    PriceAscending,
    /// Products without a price in the question's currency come last.
    PriceDescending,
    /// The best mean first, then by number of ratings; products without ratings last.
    Rating,
}

/// Which facets to count.
///
/// A facet counts what would match if nothing were chosen in it, so that a shopper who chose a brand
/// still sees how many there are of the others. Tags are the exception: products must have all that
/// are chosen, so they are counted over what matches.
///
/// Brands, tags and values of attributes that are chosen are listed in any case, so that a shopper can
/// take the choice back: behind the most frequent if they are not among those, with a count of 0 if
/// there is nothing to count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FacetRequest {
    /// Products in each category or below it.
    pub category: bool,
    pub brand: bool,
    pub tags: bool,
    pub attributes: AttributeFacets,
    /// Most values of each facet but categories, those with the most products first; what is chosen
    /// comes on top of it.
    pub values_max: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AttributeFacets {
    #[default]
    None,
    All,
    Named(BTreeSet<String>),
}

/// A product near in meaning to what was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    pub product_id: ProductId,
    /// Cosine, -1 to 1.
    pub similarity: f32,
}

/// Weighted reciprocal-rank fusion (Cormack, Clarke, Büttcher 2009): a product's score is the sum,
/// over the lists it is on, of `weight / (k + rank)`, ranks from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    pub k: f32,
    pub text_weight: f32,
    pub semantic_weight: f32,
    /// Leave what was found by text as it is, and put what is only near in meaning behind it.
    pub only_behind: bool,
}

impl Default for Fusion {
    fn default() -> Self {
        Self { k: 60.0, text_weight: 1.0, semantic_weight: 0.5, only_behind: true }
    }
}
