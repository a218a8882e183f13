//! How products are found: by words, by likeness, by what they are, and by what a customer likes.
//!
//! Everything here is worked out from the catalogue's read model and may be thrown away. An engine
//! ([`SearchEngine`]) takes documents and answers questions; [`Question`] and [`Findings`] are what
//! all engines agree on.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

mod engine;
mod findings;
mod question;
mod recommend;
mod semantic;

pub use engine::{Changes, Filled, SearchEngine, SearchError};
pub use findings::{
    Bucket, CategoryCount, Explanation, Facets, Findings, Hit, PersonalScore, SemanticScore,
    TextScore, ValueCount,
};
pub use question::{
    AttributeFacets, FacetRequest, Filter, Fusion, Neighbour, Order, PriceFilter, Question,
};
pub use recommend::{
    Basket, Because, Bought, ClickThroughSettings, Diversity, Likeness, Purchases, PurchasesError,
    RecommendError, RecommendProgress, RecommendSettings, Recommender, Similar, Suggestion,
    Weights,
};
pub use semantic::{EmbedderChoice, ProductVectors, SemanticError, product_text};
