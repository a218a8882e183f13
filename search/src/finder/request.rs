//! What can be asked of the finder, and what it answers.

use domain::pricing::Tier;
use domain::{Currency, CustomerId, Timestamp};

use projections::catalogue::ProductSummary;

use super::Cursor;
use crate::{Bucket, Explanation, FacetRequest, Facets, Filter, Order};

/// Products before a page at most: who needs those behind filters more closely.
pub const OFFSET_MAX: usize = 10_000;
/// Most products on a page.
pub const LIMIT_MAX: usize = 100;

/// How a text finds products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// By words and by likeness, as far as this shop has both.
    #[default]
    Auto,
    /// By words only.
    Text,
    /// By likeness only: the nearest in meaning, whatever their words.
    Semantic,
    /// By both.
    Hybrid,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// By number, from 1.
    Page(u32),
    /// Behind another page's last product.
    After(Cursor),
}

/// Bounds of the price buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PriceBounds {
    /// No buckets.
    #[default]
    None,
    /// Those that suit the shop's prices.
    Suggested,
    /// In minor units, ascending.
    Own(Vec<i64>),
}

/// Who asks, as far as it decides what they see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shopper {
    pub tier: Tier,
    /// `None` for a guest, whose hits are nobody's but the question's.
    pub customer: Option<CustomerId>,
}

/// One request for a page of products.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What was typed; `None` to look around.
    pub text: Option<String>,
    pub mode: Mode,
    pub filter: Filter,
    /// `None`: the best match first, or the newest if there is no text.
    pub order: Option<Order>,
    pub shopper: Shopper,
    /// For prices: needed by a price filter, by sorting by price and by buckets.
    pub currency: Option<Currency>,
    pub now: Timestamp,
    pub start: Start,
    /// 1 to [`LIMIT_MAX`].
    pub limit: usize,
    pub facets: FacetRequest,
    pub price_bounds: PriceBounds,
    pub explain: bool,
}

/// How the products of an answer were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FoundBy {
    /// Without a text: all that pass the filter.
    #[default]
    Browsing,
    Text,
    Likeness,
    /// Some by words, some by likeness.
    Both,
}

impl FoundBy {
    pub const ALL: [Self; 4] = [Self::Browsing, Self::Text, Self::Likeness, Self::Both];

    /// As in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Browsing => "browse",
            Self::Text => "text",
            Self::Likeness => "semantic",
            Self::Both => "hybrid",
        }
    }
}

/// A page of products, with numbers counted over all pages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub products: Vec<Found>,
    /// On all pages; exact.
    pub total: u64,
    /// `None` on the last page, and where [`OFFSET_MAX`] ends them.
    pub next: Option<Cursor>,
    /// The text that was searched for in the end, if words of it were taken for misspelt.
    pub corrected: Option<String>,
    pub facets: Facets,
    pub buckets: Vec<Bucket>,
    pub found_by: FoundBy,
}

/// A product that was found, and why it is where it is if that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub product: ProductSummary,
    pub explanation: Option<Explanation>,
}

/// A page that cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A value of the request breaks a rule.
    #[error("{field}: {message}")]
    Invalid { field: String, message: String },
    /// No answer for now; there may be one later.
    #[error("search cannot answer: {0}")]
    Unavailable(String),
}

impl FindError {
    pub(super) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }
}
