//! Meilisearch as the engine, whether or not it can be reached when the node starts.

#[cfg(feature = "meilisearch")]
pub(super) use built_in::engine;

#[cfg(feature = "meilisearch")]
mod built_in {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use async_trait::async_trait;
    use commands::Clock;
    use journal::JournalId;
    use search::{
        Changes, Filled, Findings, MeilisearchEngine, MeilisearchOptions, Question, Refilling,
        SearchEngine, SearchError,
    };

    use super::super::{Engines, FindingError, FindingOptions};
    use crate::block_on::block_on_tokio;

    /// How long the start waits to learn whether the server is what it should be.
    const LOOK_WITHIN: Duration = Duration::from_secs(5);

    /// A server that is put to use when it was found to be what it should be.
    ///
    /// The one who writes, and asks again and again what serves, finds that out for both. Whoever
    /// searches never waits for it: a server that takes calls in and does not answer them would keep
    /// every search for as long as a check takes.
    struct WhenThere {
        server: MeilisearchEngine,
        checks: bool,
        known: Arc<Known>,
    }

    /// What the one who writes knows of the server.
    #[derive(Default)]
    struct Known {
        is_there: AtomicBool,
        /// There was an index to search in, or to fill, since the start.
        has_worked: AtomicBool,
        /// What the operator has to change before there can be one.
        wrong: Mutex<Option<String>>,
    }

    impl Known {
        fn learn(&self, filled: &Result<Option<Filled>, SearchError>) {
            let wrong = match filled {
                Ok(_) => {
                    self.has_worked.store(true, Ordering::Relaxed);
                    None
                }
                // Nodes that sell go on to: what is wrong came later than they.
                Err(error @ SearchError::Misconfigured(_))
                    if !self.has_worked.load(Ordering::Relaxed) =>
                {
                    Some(error.to_string())
                }
                Err(_) => return,
            };
            *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = wrong;
        }

        fn wrong(&self) -> Option<String> {
            self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    /// A server that answers and cannot work is an error; one that is away is waited for.
    pub(in super::super) fn engine(
        url: &str,
        key: Option<&str>,
        index: &str,
        options: &FindingOptions,
        journal: JournalId,
        clock: &Arc<dyn Clock>,
    ) -> Result<Engines, FindingError> {
        let now = Arc::clone(clock);
        let options = MeilisearchOptions {
            index: index.to_owned(),
            synonyms: options.synonyms.by_phrase(),
            ..MeilisearchOptions::new(journal, Arc::new(move || now.now()))
        };
        let client = || MeilisearchEngine::new(url, key, options.clone());
        // Looked at by a client of its own: connections belong to the runtime that made them.
        let looking = client()?;
        let look = async {
            let looked = tokio::time::timeout(LOOK_WITHIN, looking.check()).await;
            looked.unwrap_or_else(|_| {
                Err(SearchError::Unavailable("Meilisearch does not answer".to_owned()))
            })
        };
        let is_there = match block_on_tokio(look, SearchError::Unavailable) {
            Ok(()) => true,
            Err(error @ SearchError::Unavailable(_)) => {
                tracing::warn!(%error, "products are found once it is there");
                false
            }
            Err(error) => return Err(error.into()),
        };
        let known = Arc::new(Known { is_there: is_there.into(), ..Known::default() });
        let when_there = |checks| -> Result<_, SearchError> {
            Ok(Arc::new(WhenThere { server: client()?, checks, known: Arc::clone(&known) }))
        };
        Ok(Engines {
            asked: when_there(false)?,
            written: when_there(true)?,
            wrong: Arc::new(move || known.wrong()),
        })
    }

    impl WhenThere {
        async fn there(&self) -> Result<&MeilisearchEngine, SearchError> {
            if !self.known.is_there.load(Ordering::Acquire) {
                if !self.checks {
                    let why = "Meilisearch was not reached yet";
                    return Err(SearchError::Unavailable(why.to_owned()));
                }
                self.server.check().await?;
                self.known.is_there.store(true, Ordering::Release);
            }
            Ok(&self.server)
        }
    }

    #[async_trait]
    impl SearchEngine for WhenThere {
        fn name(&self) -> &'static str {
            "meilisearch"
        }

        async fn filled(&self) -> Result<Option<Filled>, SearchError> {
            let filled = async { self.there().await?.filled().await }.await;
            if self.checks {
                self.known.learn(&filled);
            }
            filled
        }

        async fn apply(
            &self,
            changes: Changes,
            before: Filled,
            filled: Filled,
        ) -> Result<(), SearchError> {
            self.there().await?.apply(changes, before, filled).await
        }

        async fn begin(&self) -> Result<(), SearchError> {
            self.there().await?.begin().await
        }

        async fn fill(&self, changes: Changes) -> Result<(), SearchError> {
            self.there().await?.fill(changes).await
        }

        async fn swap(&self, filled: Filled) -> Result<(), SearchError> {
            self.there().await?.swap(filled).await
        }

        async fn request_refill(&self) -> Result<bool, SearchError> {
            self.there().await?.request_refill().await
        }

        async fn refilling(&self) -> Result<Refilling, SearchError> {
            self.there().await?.refilling().await
        }

        async fn search(&self, question: &Question) -> Result<Findings, SearchError> {
            self.there().await?.search(question).await
        }
    }
}

#[cfg(not(feature = "meilisearch"))]
pub(super) fn engine(
    _: &str,
    _: Option<&str>,
    _: &str,
    _: &super::FindingOptions,
    _: journal::JournalId,
    _: &std::sync::Arc<dyn commands::Clock>,
) -> Result<super::Engines, super::FindingError> {
    Err(super::FindingError::NotBuiltIn(
        "this program was built without Meilisearch: build it with `--features meilisearch`",
    ))
}
