//! The search engine within the process: words in a tantivy index, all else on the shelf.
//!
//! The engine does not own the shelf: whoever feeds it changes the shelf first. So for a moment a
//! product may be on the shelf and not in the index, or the other way round; what is not on the shelf
//! is never found.
//!
//! In the engine's directory each filling has a directory of its own, named by a number, and the file
//! `serving` names the one that serves. What else is there after a crash was never finished, or is no
//! longer wanted.

mod answer;
mod browsing;
mod generations;
mod turns;

pub(crate) use answer::answer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use journal::{JournalId, Position};
use serde::{Deserialize, Serialize};

use crate::shelf::Columns;
use crate::text::{TextMatches, TextSettings};
use crate::{Changes, Filled, Findings, Hit, Question, SearchEngine, SearchError, Shelf};
use browsing::Browsed;
use generations::{Generation, Generations};
use turns::Turns;

/// See the module. A clone is the same engine.
#[derive(Clone)]
pub struct EmbeddedEngine(Arc<Shared>);

struct Shared {
    shelf: Shelf,
    browsed: Browsed,
    serving: RwLock<Option<Arc<Generation>>>,
    /// Begun, and not yet serving.
    next: Mutex<Option<Arc<Generation>>>,
    turns: Arc<Turns>,
    // Last: it has the lock, which is let go when all indexes are closed.
    generations: Generations,
}

/// What an index was filled from, as it is kept beside its documents.
#[derive(Serialize, Deserialize)]
struct Note {
    journal: JournalId,
    generation: u64,
    position: Position,
}

impl EmbeddedEngine {
    /// Opens what serves in the directory, which is made if there is none. What is damaged, or was
    /// written by another version or with another language, does not serve: it is to be filled anew.
    ///
    /// # Errors
    /// `Unavailable` if the directory cannot be read or written, or another process has it open.
    pub fn open(
        directory: &Path,
        settings: TextSettings,
        shelf: Shelf,
    ) -> Result<Self, SearchError> {
        let generations = Generations::new(directory, settings)?;
        let serving = generations.open_serving()?.map(Arc::new);
        Ok(Self(Arc::new(Shared {
            generations,
            shelf,
            browsed: Browsed::default(),
            serving: RwLock::new(serving),
            next: Mutex::default(),
            turns: Arc::default(),
        })))
    }

    /// Answers on the calling thread, which takes as long as the search does: for the bench, which
    /// weighs the search without the threads that the port hands it to.
    ///
    /// # Errors
    /// As [`SearchEngine::search`].
    pub fn search_now(&self, question: &Question) -> Result<Findings, SearchError> {
        self.0.search(question)
    }

    /// Bytes of the index on disk; 0 if nothing serves.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        self.0.serving().map_or(0, |serving| serving.index.bytes())
    }

    /// Does what takes long where it holds up nobody.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let shared = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(result) => result,
            Err(error) => Err(SearchError::Other(format!("did not come to an end: {error}"))),
        }
    }
}

impl Shared {
    fn serving(&self) -> Option<Arc<Generation>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next(&self) -> MutexGuard<'_, Option<Arc<Generation>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begun(&self) -> Result<Arc<Generation>, SearchError> {
        let next = self.next().clone();
        next.ok_or_else(|| SearchError::Other("no index has been begun".to_owned()))
    }

    fn search(&self, question: &Question) -> Result<Findings, SearchError> {
        let serving = self.serving().filter(|_| self.shelf.is_ready());
        let serving = serving.ok_or_else(|| {
            SearchError::Unavailable("the index is still being filled".to_owned())
        })?;
        let matches = match &question.text {
            Some(text) => Some(serving.index.matches(text, question.explain)?),
            None => None,
        };
        let scores = matches.as_ref().map(|matches| matches.scores.as_slice());
        let columns = self.shelf.read();
        let answer = || answer::answer(&columns, question, scores);
        let mut findings = self.browsed.get(&columns, question, answer);
        if let Some(matches) = &matches {
            add_words(&mut findings.hits, matches, &columns);
        }
        drop(columns);
        findings.corrected = matches.and_then(|TextMatches { corrected, .. }| corrected);
        Ok(findings)
    }

    fn swap(&self, filled: Filled) -> Result<(), SearchError> {
        let next = self.begun()?;
        next.index.commit(&note(filled)?)?;
        self.generations.point_to(&next)?;
        *self.next() = None;
        let before = {
            let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
            serving.replace(next)
        };
        if let Some(before) = before {
            before.retire();
        }
        Ok(())
    }
}

/// Adds which words matched to the hits that explain themselves.
fn add_words(hits: &mut [Hit], matches: &TextMatches, columns: &Columns) {
    for hit in hits {
        let explained = hit.explanation.as_mut().and_then(|explanation| explanation.text.as_mut());
        if let Some(text) = explained
            && let Some(slot) = columns.slot_of_product(hit.product_id)
            && let Some(words) = matches.matched.get(&columns.number_at(slot))
        {
            text.matched.clone_from(words);
        }
    }
}

fn note(Filled { journal, generation, position }: Filled) -> Result<String, SearchError> {
    serde_json::to_string(&Note { journal, generation, position })
        .map_err(|error| SearchError::Other(error.to_string()))
}

fn noted(serving: &Generation) -> Option<Filled> {
    let note = serving.index.note()?;
    let Note { journal, generation, position } = serde_json::from_str(&note).ok()?;
    Some(Filled { journal, generation, position })
}

#[async_trait]
impl SearchEngine for EmbeddedEngine {
    fn name(&self) -> &'static str {
        "embedded"
    }

    async fn filled(&self) -> Result<Option<Filled>, SearchError> {
        // A new snapshot may have to be opened: whoever is told how far the index is relies on it.
        self.aside(|shared| {
            let Some(serving) = shared.serving() else { return Ok(None) };
            serving.index.catch_up()?;
            Ok(noted(&serving))
        })
        .await
    }

    async fn apply(
        &self,
        changes: Changes,
        before: Filled,
        filled: Filled,
    ) -> Result<(), SearchError> {
        self.aside(move |shared| {
            let serving = shared.serving().ok_or_else(|| {
                SearchError::Damaged("there is no index to change: it has to be filled".to_owned())
            })?;
            if noted(&serving) != Some(before) {
                return Err(SearchError::Unavailable(
                    "the index is not what these changes were read for".to_owned(),
                ));
            }
            serving.index.apply(&changes.documents, &changes.removed, &note(filled)?)
        })
        .await
    }

    async fn begin(&self) -> Result<(), SearchError> {
        self.aside(|shared| {
            if let Some(unfinished) = shared.next().take() {
                unfinished.retire();
            }
            let serving = shared.serving();
            let next = shared.generations.begin(serving.as_deref())?;
            *shared.next() = Some(Arc::new(next));
            Ok(())
        })
        .await
    }

    async fn fill(&self, changes: Changes) -> Result<(), SearchError> {
        self.aside(move |shared| {
            // What was for sale when it was added may have been taken off sale since.
            shared.begun()?.index.add(&changes.documents, &changes.removed)
        })
        .await
    }

    async fn swap(&self, filled: Filled) -> Result<(), SearchError> {
        self.aside(move |shared| shared.swap(filled)).await
    }

    async fn search(&self, question: &Question) -> Result<Findings, SearchError> {
        // Not on the thread that asks: a text that most products match takes milliseconds, in which whoever
        // shares the thread would wait.
        let shared = Arc::clone(&self.0);
        let search = move |question: &Question| shared.search(question);
        self.0.turns.take(question.clone(), search).await
    }
}
