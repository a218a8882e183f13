//! How products are found: by words, by likeness, by what they are, and by what a customer likes.
//!
//! Everything here is worked out from the catalogue's read model and may be thrown away. An engine
//! ([`SearchEngine`]) takes documents and answers questions; [`Question`] and [`Findings`] are what
//! all engines agree on.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

mod anew;
#[cfg(test)]
mod conformance;
mod embedded;
mod engine;
mod finder;
mod findings;
mod freshness;
mod fusion;
mod indexer;
mod local;
#[cfg(feature = "meilisearch")]
mod meilisearch;
mod personal;
mod question;
mod recommend;
mod semantic;
mod shelf;
mod source;
pub mod text;

pub use anew::{FillProgress, Part, RefillRequest, Reporter, Stage};
pub use embedded::EmbeddedEngine;
pub use engine::{Changes, Filled, Refilling, SearchEngine, SearchError};
pub use finder::{
    Answer, Cursor, CursorError, FindError, Finder, FinderOptions, FinderParts, Found, FoundBy,
    LIMIT_MAX, Mode, NearInMeaning, OFFSET_MAX, PriceBounds, Request, Shopper, Start,
};
pub use findings::{
    Bucket, CategoryCount, Explanation, Facets, Findings, Hit, PersonalScore, SemanticScore,
    TextScore, ValueCount,
};
pub use freshness::Freshness;
pub use fusion::{Fused, fuse};
pub use indexer::{Indexer, IndexerOptions, Leads, Prices};
pub use local::{KeepsProducts, LocalFollower, tell_all};
#[cfg(feature = "meilisearch")]
pub use meilisearch::{MeilisearchEngine, MeilisearchOptions};
pub use personal::{PersonalRanking, category_affinity, rerank};
pub use question::{
    AttributeFacets, FacetRequest, Filter, Fusion, Neighbour, Order, PriceFilter, Question,
};
pub use recommend::{
    Basket, Because, Bought, ClickThroughSettings, Diversity, Likeness, Purchases, PurchasesError,
    RecommendError, RecommendProgress, RecommendSettings, Recommender, Similar, Suggestion,
    Weights,
};
pub use semantic::{
    EmbedderChoice, Placed, ProductVectors, SemanticError, VectorsAnew, product_text,
};
pub use shelf::{Refill, Shelf};
