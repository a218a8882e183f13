//! Search in a server of Meilisearch.
//!
//! Words, misspellings and ranking are Meilisearch's; what is near in meaning is ours, and fused with
//! its hits here ([`crate::fusion`]). What the contract counts exactly is counted by Meilisearch over
//! sets that are chosen so that the numbers come out: see [`answer`].
//!
//! Prices are those that hold when a document is written, and until when. Whoever feeds the engine
//! hands in a product again when its price changes by itself; in between a price that has ended is
//! found by no filter, though what is sorted by it still is.
//!
//! What an index is filled with stands in the index itself, in a document of its own, and is fetched
//! with every search: an index that was lost or emptied says so instead of finding nothing.

mod answer;
mod check;
mod document;
mod encoding;
mod explain;
mod facets;
mod filter;
mod hits;
mod indexes;
mod merge;
mod query;
mod requests;
mod server;
mod settings;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use document::{Meta, Tree};
use journal::JournalId;
use query::{Answers, Queries, Query};
use serde_json::Value;
use server::{Failure, Server};
pub use settings::MeilisearchOptions;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;
use write::Writer;

use crate::{Changes, Filled, Findings, Question, Refilling, SearchEngine, SearchError};

/// Places of categories in the order of the tree, by id, and the checksum of that tree.
type Places = (u32, Arc<HashMap<String, usize>>);

/// A client of one index, and of the ones that are filled to take its place.
///
/// An index belongs to the shop that filled it first: another's is neither searched in nor replaced, or
/// both would fill it in turn for ever. Only a [request](SearchEngine::request_refill) takes it over.
///
/// Several processes may search in one index. One at a time may write to it; where two do for a moment,
/// each taking the other for gone, what they wrote is told again.
pub struct MeilisearchEngine {
    server: Server,
    options: MeilisearchOptions,
    /// The filter for this shop's products.
    products: String,
    /// What the settings and the documents of an index must have been made by.
    settings: u32,
    places: Mutex<Option<Places>>,
    writer: AsyncMutex<Writer>,
}

impl MeilisearchEngine {
    /// A client of the server at `url`, to which nothing is sent yet.
    ///
    /// # Errors
    /// `Misconfigured`: no address or key of any server.
    pub fn new(
        url: &str,
        key: Option<&str>,
        options: MeilisearchOptions,
    ) -> Result<Self, SearchError> {
        let server = Server::new(url, key)?;
        let settings = options.checksum();
        let products = filter::products_of(options.journal);
        Ok(Self {
            server,
            options,
            products,
            settings,
            places: Mutex::default(),
            writer: AsyncMutex::default(),
        })
    }

    /// Checks that the server is well, is not too old, and lets the key do what is needed.
    ///
    /// # Errors
    /// `Unavailable`; `Misconfigured` with what the operator has to change.
    pub async fn check(&self) -> Result<(), SearchError> {
        check::check(&self.server, &self.options.index).await
    }

    /// What the index says that it is; `None` if it says nothing, or was made in another way.
    ///
    /// # Errors
    /// `Misconfigured` if it is another shop's.
    async fn meta(&self) -> Result<Option<(Meta, u64)>, SearchError> {
        match self.found().await? {
            Found::Nothing => Ok(None),
            Found::Ours(meta, count) => Ok(Some((meta, count))),
            Found::AnotherShops(journal) => Err(self.another_shops(journal)),
        }
    }

    async fn found(&self) -> Result<Found, SearchError> {
        let index = &self.options.index;
        let queries =
            vec![meta_query(index), Query::count(index, None, vec![self.products.clone()])];
        let answers: Answers = match self
            .server
            .search("/multi-search", Queries { queries }, server::CALL_TIMEOUT)
            .await
        {
            Ok(answers) => answers,
            Err(failure) if failure.is_no_index() => return Ok(Found::Nothing),
            Err(failure) => return Err(self.server.explain(&failure, "search (right `search`)")),
        };
        let [meta, count] = &answers.results[..] else { return Ok(Found::Nothing) };
        Ok(match self.read_meta(meta) {
            Err(journal) => Found::AnotherShops(journal),
            Ok(meta) => meta
                .zip(count.total_hits)
                .map_or(Found::Nothing, |(meta, count)| Found::Ours(meta, count)),
        })
    }

    /// `None` if there is none, or it speaks of an index that was made in another way; the journal it
    /// was filled from if that is another shop's, however it was made.
    fn read_meta(&self, answer: &query::Answer) -> Result<Option<Meta>, JournalId> {
        let row = |id: &str| {
            let is_it = |row: &&query::Row| row.get("id").and_then(Value::as_str) == Some(id);
            answer.hits.iter().find(is_it)
        };
        let (owner, meta) = (row(document::OWNER_ID), row(document::META_ID));
        let journal = owner.or(meta).and_then(|row| row.get("journal")?.as_str()?.parse().ok());
        if let Some(journal) = journal.filter(|journal| *journal != self.options.journal) {
            return Err(journal);
        }
        let meta = meta.and_then(|row| serde_json::from_value(Value::Object(row.clone())).ok());
        // Whose the index was before may have put its own in place of ours at the last moment.
        let as_we_do = |meta: &Meta| {
            owner.is_some()
                && meta.journal == self.options.journal
                && meta.format == document::FORMAT
                && meta.settings == self.settings
        };
        Ok(meta.filter(as_we_do))
    }

    fn another_shops(&self, journal: JournalId) -> SearchError {
        SearchError::Misconfigured(format!(
            "the index `{}` in Meilisearch at {} is filled from another journal, {journal}, and this \
             shop's is {}: give each shop an index of its own (--search-index), or, if this one takes \
             the other's place, run `tillroll rebuild search` once",
            self.options.index,
            self.server.url(),
            self.options.journal
        ))
    }

    /// The order of the categories, from memory if it is the one the index has.
    async fn places(&self, checksum: u32) -> Result<Arc<HashMap<String, usize>>, SearchError> {
        let known = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, places)) = known
            && of == checksum
        {
            return Ok(places);
        }
        let tree: Tree = self.tree().await?;
        let order = tree.order.iter().cloned().enumerate().map(|(place, id)| (id, place));
        let places = Arc::new(order.collect::<HashMap<_, _>>());
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((tree.checksum(), places.clone()));
        Ok(places)
    }

    async fn tree(&self) -> Result<Tree, SearchError> {
        let path = format!("/indexes/{}/documents/{}", self.options.index, document::TREE_ID);
        match self.server.get(&path).await {
            Ok(tree) => Ok(tree),
            Err(failure) => {
                Err(self.server.explain(&failure, "fetch a document (right `documents.get`)"))
            }
        }
    }
}

/// What there is in place of an index.
enum Found {
    /// None, or one that was made in another way.
    Nothing,
    /// And products in it.
    Ours(Meta, u64),
    AnotherShops(JournalId),
}

/// Whose the index is, and what it is filled with.
fn meta_query(index: &str) -> Query {
    Query::hits(index, None, vec!["kind = meta".to_owned()], (0, 2), None)
}

#[async_trait]
impl SearchEngine for MeilisearchEngine {
    fn name(&self) -> &'static str {
        "meilisearch"
    }

    async fn filled(&self) -> Result<Option<Filled>, SearchError> {
        match self.found().await? {
            Found::Ours(meta, count) if count >= meta.products => Ok(Some(meta.filled())),
            Found::Ours(..) | Found::Nothing => Ok(None),
            Found::AnotherShops(_) if requests::is_made(self).await? => Ok(None),
            Found::AnotherShops(journal) => Err(self.another_shops(journal)),
        }
    }

    async fn apply(
        &self,
        changes: Changes,
        before: Filled,
        filled: Filled,
    ) -> Result<(), SearchError> {
        write::apply(self, changes, before, filled).await
    }

    async fn begin(&self) -> Result<(), SearchError> {
        write::begin(self).await
    }

    async fn fill(&self, changes: Changes) -> Result<(), SearchError> {
        write::fill(self, changes).await
    }

    async fn swap(&self, filled: Filled) -> Result<(), SearchError> {
        write::swap(self, filled).await
    }

    async fn request_refill(&self) -> Result<bool, SearchError> {
        requests::make(self).await
    }

    async fn refilling(&self) -> Result<Refilling, SearchError> {
        requests::look(self).await
    }

    async fn search(&self, question: &Question) -> Result<Findings, SearchError> {
        // All of its calls together, the one for the tree of categories too.
        let limit = self.options.search_timeout;
        match timeout(limit, answer::search(self, question)).await {
            Ok(findings) => findings,
            Err(_) => Err(self.server.explain(&Failure::Late(limit), "search")),
        }
    }
}
