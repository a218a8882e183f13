//! Meilisearch as the engine, whether or not it can be reached when the node starts.

#[cfg(feature = "meilisearch")]
pub(super) use built_in::engine;

#[cfg(feature = "meilisearch")]
mod built_in {
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use commands::Clock;
    use search::{
        Changes, Filled, Findings, MeilisearchEngine, MeilisearchOptions, Question, Refilling,
        SearchEngine, SearchError,
    };
    use tokio::sync::OnceCell;

    use super::super::{Engines, FindingError, FindingOptions};
    use crate::block_on::block_on_tokio;

    /// How long the start waits to learn whether the server is what it should be.
    const LOOK_WITHIN: Duration = Duration::from_secs(5);

    /// A server that is connected to when it is there.
    struct WhenThere {
        url: String,
        key: Option<String>,
        options: MeilisearchOptions,
        connected: OnceCell<MeilisearchEngine>,
    }

    /// A server that answers and cannot work is an error; one that is away is waited for.
    pub(in super::super) fn engine(
        url: &str,
        key: Option<&str>,
        index: &str,
        options: &FindingOptions,
        clock: &Arc<dyn Clock>,
    ) -> Result<Engines, FindingError> {
        let now = Arc::clone(clock);
        let options = MeilisearchOptions {
            index: index.to_owned(),
            synonyms: options.synonyms.by_phrase(),
            ..MeilisearchOptions::new(Arc::new(move || now.now()))
        };
        // Looked at by a client of its own: connections belong to the runtime that made them.
        let look = async {
            let connect = MeilisearchEngine::connect(url, key, options.clone());
            match tokio::time::timeout(LOOK_WITHIN, connect).await {
                Ok(looked) => looked.map(|_| ()),
                Err(_) => Err(SearchError::Unavailable("Meilisearch does not answer".to_owned())),
            }
        };
        match block_on_tokio(look, SearchError::Unavailable) {
            Ok(()) => {}
            Err(error @ SearchError::Unavailable(_)) => {
                tracing::warn!(%error, "products are found once it is there");
            }
            Err(error) => return Err(error.into()),
        }
        let client = || {
            Arc::new(WhenThere {
                url: url.to_owned(),
                key: key.map(str::to_owned),
                options: options.clone(),
                connected: OnceCell::new(),
            })
        };
        Ok(Engines { asked: client(), written: client() })
    }

    impl WhenThere {
        async fn there(&self) -> Result<&MeilisearchEngine, SearchError> {
            let connect =
                || MeilisearchEngine::connect(&self.url, self.key.as_deref(), self.options.clone());
            self.connected.get_or_try_init(connect).await
        }
    }

    #[async_trait]
    impl SearchEngine for WhenThere {
        fn name(&self) -> &'static str {
            "meilisearch"
        }

        async fn filled(&self) -> Result<Option<Filled>, SearchError> {
            self.there().await?.filled().await
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
    _: &std::sync::Arc<dyn commands::Clock>,
) -> Result<super::Engines, super::FindingError> {
    Err(super::FindingError::NotBuiltIn(
        "this program was built without Meilisearch: build it with `--features meilisearch`",
    ))
}
