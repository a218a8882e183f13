//! How products are found: by words, by likeness, by what they are, and by what a customer likes.
//!
//! Everything here is worked out from the catalogue's read model and may be thrown away. An engine
//! ([`SearchEngine`]) takes documents and answers questions; [`Question`] and [`Findings`] are what
//! all engines agree on.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

#[cfg(test)]
mod conformance;
mod embedded;
mod engine;
mod findings;
mod fusion;
#[cfg(feature = "meilisearch")]
mod meilisearch;
mod personal;
mod question;
mod shelf;
pub mod text;

pub use embedded::EmbeddedEngine;
pub use engine::{Changes, Filled, SearchEngine, SearchError};
pub use findings::{
    Bucket, CategoryCount, Explanation, Facets, Findings, Hit, PersonalScore, SemanticScore,
    TextScore, ValueCount,
};
pub use fusion::{Fused, fuse};
#[cfg(feature = "meilisearch")]
pub use meilisearch::{MeilisearchEngine, MeilisearchOptions};
pub use personal::{PersonalRanking, category_affinity, rerank};
pub use question::{
    AttributeFacets, FacetRequest, Filter, Fusion, Neighbour, Order, PriceFilter, Question,
};
pub use shelf::{Refill, Shelf};
