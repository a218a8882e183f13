//! What a search engine answers.

use std::collections::BTreeMap;

use domain::{CategoryId, ProductId};

/// The answer to a [`Question`](crate::Question): hits, and numbers counted over the same products.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// In order, without what was skipped by the offset.
    pub hits: Vec<Hit>,
    /// Products that match, on all pages; exact.
    pub total: u64,
    pub facets: Facets,
    /// As many as bounds, and one; none if none were asked for. Counted as a facet is: over what
    /// would match without a price filter.
    pub buckets: Vec<Bucket>,
    /// The text that was searched for in the end, if words of it were taken for misspelt and the
    /// engine says so: Meilisearch does not.
    pub corrected: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub product_id: ProductId,
    /// If asked for.
    pub explanation: Option<Explanation>,
}

/// Why a hit is where it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explanation {
    pub text: Option<TextScore>,
    pub semantic: Option<SemanticScore>,
    /// By which the hit was ranked, if two lists were fused.
    pub fused: Option<f32>,
    pub personal: Option<PersonalScore>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TextScore {
    /// From 1, among all that match by text.
    pub rank: usize,
    /// The engine's own; only to be compared within one answer.
    pub score: f32,
    /// What of the product matched, as far as the engine tells: words searched for, by field.
    pub matched: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SemanticScore {
    /// From 1, among the neighbours that pass the filter.
    pub rank: usize,
    /// Cosine.
    pub similarity: f32,
}

/// What the customer's liking for a category did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PersonalScore {
    /// Share of the customer's buying in the hit's categories, 0 to 1.
    pub affinity: f32,
    /// Places gained; negative: lost.
    pub moved: i32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Categories with at least one product in or below them, in the order of the tree.
    pub category: Vec<CategoryCount>,
    /// The most frequent first, then by value; with all that are chosen, see
    /// [`FacetRequest`](crate::FacetRequest).
    pub brand: Vec<ValueCount>,
    /// In the same way, as are the values of each attribute.
    pub tags: Vec<ValueCount>,
    /// By name; without those of which nothing was counted and nothing is chosen.
    pub attributes: BTreeMap<String, Vec<ValueCount>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryCount {
    pub category_id: CategoryId,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    pub value: String,
    pub count: u64,
}

/// Products with a price from `from` up to but without `to`, minor units; open where `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub count: u64,
}
