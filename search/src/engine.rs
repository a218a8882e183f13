//! The port of search engines.

use async_trait::async_trait;
use domain::ProductId;
use journal::{JournalId, Position};
use projections::catalogue::{CategoryView, SearchDocument};

use crate::{Findings, Question};

/// Where what an engine serves comes from: it is what the catalogue was at `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    pub journal: JournalId,
    /// Generation of the catalogue's read model: after a rebuild of that, an index is filled anew.
    pub generation: u64,
    pub position: Position,
}

/// What changed in the catalogue since the engine was last told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Products as they are now; each replaces what was known of it.
    pub documents: Vec<SearchDocument>,
    /// Products to forget: no longer for sale.
    pub removed: Vec<ProductId>,
    /// The whole category tree, if any of it changed.
    pub categories: Option<Vec<CategoryView>>,
}

/// How it stands with filling an index anew, as it is seen by all who share an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refilling {
    /// Somebody asked, or there is no index to search in, and none was put in place since.
    pub is_requested: bool,
    /// This shop's products in the index that serves: none while that is another shop's.
    pub serving: u64,
    /// Products in the one that is being filled, or was when whoever filled it stopped.
    pub filling: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Cannot answer for now; it may later.
    #[error("search: {0}")]
    Unavailable(String),
    /// What the operator set up cannot work: a wrong key, an engine that is too old.
    #[error("search: {0}")]
    Misconfigured(String),
    /// The index is damaged, or is not what this program wrote: it has to be filled anew.
    #[error("search: {0}")]
    Damaged(String),
    #[error("search: {0}")]
    Other(String),
}

/// A search engine: takes documents, answers questions.
///
/// One writer at a time calls `apply`, `begin`, `fill` and `swap`; anybody may search meanwhile.
/// All of them are safe to repeat after a failure or a crash. Changes may be applied to what serves
/// while an index is filled beside it. Should two write for a moment, each taking the other for gone,
/// nothing is lost: see [`apply`](Self::apply).
#[async_trait]
pub trait SearchEngine: Send + Sync + 'static {
    /// Names the engine in metrics and messages: `embedded`, `meilisearch`.
    fn name(&self) -> &'static str;

    /// What is being served; `None` if there is nothing that can be: it has to be filled.
    ///
    /// # Errors
    /// `Unavailable`, `Misconfigured`.
    async fn filled(&self) -> Result<Option<Filled>, SearchError>;

    /// Makes changes part of what is served: searches that begin after it returned see them. They are
    /// what changed since `before`, and with them it is `filled`.
    ///
    /// # Errors
    /// `Unavailable`, also where what is served is not `before`: somebody else writes, and whoever
    /// calls has to ask what is [`filled`](Self::filled) and read on from there. `Damaged`.
    async fn apply(
        &self,
        changes: Changes,
        before: Filled,
        filled: Filled,
    ) -> Result<(), SearchError>;

    /// Begins an empty index beside the one that serves; an unfinished one is thrown away.
    ///
    /// # Errors
    /// `Unavailable`, `Misconfigured`.
    async fn begin(&self) -> Result<(), SearchError>;

    /// Adds to the index that was begun.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn fill(&self, changes: Changes) -> Result<(), SearchError>;

    /// Puts the index that was begun in place of the one that serves, in one step.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`; the old one then serves on.
    async fn swap(&self, filled: Filled) -> Result<(), SearchError>;

    /// Asks whoever writes the index to fill it anew. False where the engine keeps no requests: then
    /// nobody but this process can have it open.
    ///
    /// # Errors
    /// `Unavailable`, `Misconfigured`.
    async fn request_refill(&self) -> Result<bool, SearchError> {
        Ok(false)
    }

    /// What is known of requests to fill it anew, and of whoever does; nothing where no requests are
    /// kept.
    ///
    /// # Errors
    /// `Unavailable`, `Misconfigured`.
    async fn refilling(&self) -> Result<Refilling, SearchError> {
        Ok(Refilling::default())
    }

    /// Answers.
    ///
    /// # Errors
    /// `Unavailable` while there is nothing to search in, or the engine is down or too slow.
    async fn search(&self, question: &Question) -> Result<Findings, SearchError>;
}
