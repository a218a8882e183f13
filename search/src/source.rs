//! The catalogue's read model, read change by change.

use std::sync::Arc;

use domain::ProductId;
use domain::product::ProductStatus;
use journal::{Journal, JournalId, Position};
use projections::catalogue::{
    Catalogue, CatalogueChanges, SearchDocument, changes, documents_of, products,
};
use projections::sql::Connection;
use projections::{Projector, ReadModels, StoreError};

use crate::Changes;

/// Documents read at a time.
pub(crate) const PAGE: usize = 2_000;

/// What the catalogue was read from could not be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// No catalogue is open yet.
    #[error("the catalogue is not there yet")]
    NotYet,
    /// Another generation of it answers by now: what was read so far may not fit what follows.
    #[error("the catalogue was rebuilt meanwhile")]
    Replaced,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where documents come from. Clones mean the same.
#[derive(Clone)]
pub(crate) struct Source {
    reads: ReadModels,
    journal: Arc<dyn Journal>,
    page: usize,
}

impl Source {
    pub(crate) fn new(reads: ReadModels, journal: Arc<dyn Journal>) -> Self {
        Self { reads, journal, page: PAGE }
    }

    /// Reads so many documents at a time.
    #[cfg(test)]
    pub(crate) fn with_pages_of(self, page: usize) -> Self {
        Self { page, ..self }
    }

    pub(crate) fn journal(&self) -> JournalId {
        self.journal.id()
    }

    /// The journal's newest event: nothing can have seen more.
    pub(crate) fn head(&self) -> Position {
        self.journal.head()
    }

    /// Products there are, for sale or not.
    pub(crate) fn products(&self) -> Result<u64, SourceError> {
        Ok(self.reads.read(Catalogue::NAME, products)?)
    }

    pub(crate) fn generation(&self) -> Result<u64, SourceError> {
        self.reads.serving(Catalogue::NAME).ok_or(SourceError::NotYet)
    }

    /// What the catalogue has seen.
    pub(crate) fn position(&self) -> Position {
        let positions = self.reads.positions();
        let catalogue = positions.iter().find(|at| at.model == Catalogue::NAME);
        catalogue.map_or(Position(0), |at| at.position)
    }

    /// Resolves when the catalogue has seen more than `past`.
    pub(crate) async fn moved(&self, past: Position) {
        self.reads.moved(Catalogue::NAME, past).await;
    }

    /// These products as they are now.
    pub(crate) fn products_now(&self, products: &[ProductId]) -> Result<Changes, SourceError> {
        let read = |connection: &Connection| documents_of(connection, products);
        Ok(split(self.reads.read(Catalogue::NAME, read)?))
    }

    /// Everything that changed after `since`, a page at a time; with 0, everything. It ends with
    /// `Replaced` where another generation answers than the one the caller asked for.
    pub(crate) fn pages(&self, since: Position, generation: u64) -> Pages<'_> {
        Pages { source: self, generation, since, after: 0, position: None, done: false }
    }

    /// Whether nothing changed after `since`.
    pub(crate) fn stands_since(&self, since: Position) -> Result<bool, SourceError> {
        let generation = self.generation()?;
        let found = self.reads.read(Catalogue::NAME, |at| changes(at, since, 0, 1))?;
        if self.generation()? != generation {
            return Err(SourceError::Replaced);
        }
        Ok(found.documents.is_empty() && found.categories.is_none())
    }
}

/// Pages of changes, read under one generation of the catalogue.
pub(crate) struct Pages<'s> {
    source: &'s Source,
    generation: u64,
    since: Position,
    after: i64,
    position: Option<Position>,
    done: bool,
}

impl Pages<'_> {
    /// Where the next reading begins: the catalogue's checkpoint when the first page was read. What
    /// changed between two pages comes again then, which is harmless.
    pub(crate) fn position(&self) -> Position {
        self.position.unwrap_or(self.since)
    }

    /// Whether there is nothing after the page that was read last.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Changes>, SourceError> {
        if self.done {
            return Ok(None);
        }
        let (since, after) = (self.since, self.after);
        let reads = &self.source.reads;
        let page: CatalogueChanges = reads.read(Catalogue::NAME, |connection| {
            changes(connection, since, after, self.source.page)
        })?;
        if self.source.generation()? != self.generation {
            return Err(SourceError::Replaced);
        }
        let is_first = self.position.is_none();
        self.position.get_or_insert(page.position);
        self.done = !page.more;
        if let Some(last) = page.documents.last() {
            self.after = last.number;
        }
        let mut changes = split(page.documents);
        // Later pages would repeat it.
        changes.categories = page.categories.filter(|_| is_first);
        Ok(Some(changes))
    }
}

/// What is for sale, and what is not.
fn split(documents: Vec<SearchDocument>) -> Changes {
    let mut changes = Changes::default();
    for document in documents {
        if document.status == ProductStatus::Active {
            changes.documents.push(document);
        } else {
            changes.removed.push(document.product_id);
        }
    }
    changes
}
