//! What matches a question: by words, by likeness in meaning, or by both.

use std::sync::Arc;

use tokio::time::timeout;

use super::patience::Patience;
use super::{FindError, Finder, FoundBy, Mode, NearInMeaning};
use crate::{FacetRequest, Filter, Findings, Neighbour, Order, Question, Shelf, embedded};

impl Finder {
    /// What matches, and how it was found. What matches a text does not depend on what is chosen: that
    /// narrows one and the same list, so that a facet's count is what there is once it is chosen.
    pub(super) async fn findings(
        &self,
        mut question: Question,
        mode: Mode,
        patience: &mut Patience<'_>,
    ) -> Result<(Findings, FoundBy), FindError> {
        let Some(text) = question.text.clone() else {
            return Ok((self.search(&question, patience).await?, FoundBy::Browsing));
        };
        let vectors = match (mode, &self.0.vectors) {
            (Mode::Text, _) | (Mode::Auto | Mode::Hybrid, None) => {
                return Ok((self.search(&question, patience).await?, FoundBy::Text));
            }
            (Mode::Semantic, None) => {
                let message = "this shop has nothing set up to find by likeness";
                return Err(FindError::invalid("mode", message));
            }
            (_, Some(vectors)) => Arc::clone(vectors),
        };
        if mode == Mode::Semantic {
            question.neighbours = self.neighbours(vectors, text).await?;
            let shelf = self.0.shelf.clone();
            let found = aside(move || nearest(&shelf, question)).await?;
            return Ok((found, FoundBy::Likeness));
        }
        if let Some(by_text) = self.found_enough(&question, patience).await? {
            return Ok((by_text, FoundBy::Text));
        }
        match self.neighbours(vectors, text).await {
            Ok(near) => question.neighbours = near,
            // Words find something without.
            Err(error) => tracing::warn!(%error, "searched by words only"),
        }
        let found_by = if question.neighbours.is_empty() { FoundBy::Text } else { FoundBy::Both };
        Ok((self.search(&question, patience).await?, found_by))
    }

    /// What is found by words, if that is enough.
    ///
    /// What is only near in meaning helps where words find little. Sorted by anything but how well
    /// they fit, such products would push in among those that were meant. How many there are
    /// without a filter is what counts: whatever a shopper chooses, it narrows the same list.
    async fn found_enough(
        &self,
        question: &Question,
        patience: &mut Patience<'_>,
    ) -> Result<Option<Findings>, FindError> {
        let enough = match (question.order, question.fusion.only_behind) {
            (Order::Relevance, true) => self.0.options.enough_by_text,
            (Order::Relevance, false) => return Ok(None),
            (_, _) => 1,
        };
        if question.filter == Filter::default() {
            let found = self.search(question, patience).await?;
            return Ok((found.total >= enough).then_some(found));
        }
        let unfiltered = Question {
            filter: Filter::default(),
            facets: FacetRequest::default(),
            price_bounds: Vec::new(),
            offset: 0,
            limit: 0,
            explain: false,
            ..question.clone()
        };
        if self.search(&unfiltered, patience).await?.total < enough {
            return Ok(None);
        }
        self.search(question, patience).await.map(Some)
    }

    async fn search(
        &self,
        question: &Question,
        patience: &mut Patience<'_>,
    ) -> Result<Findings, FindError> {
        patience.wait(self.0.engine.search(question)).await
    }

    /// The nearest products, whether or not they pass the filter, if they can be told soon enough.
    async fn neighbours(
        &self,
        vectors: Arc<dyn NearInMeaning>,
        text: String,
    ) -> Result<Vec<Neighbour>, FindError> {
        let k = self.0.options.neighbours;
        // Whether the last word is begun or whole is a matter of words.
        let text = text.trim_end().to_owned();
        let near = async {
            let permit = Arc::clone(&self.1).acquire_owned().await;
            // A model may take milliseconds for a text it has not seen. The permit goes with the work,
            // which goes on when whoever asked is gone or waits no longer.
            let near = move || {
                let _permit = permit;
                vectors.neighbours(&text, k)
            };
            aside(near).await?.map_err(|error| FindError::Unavailable(error.to_string()))
        };
        let limit = self.0.options.meaning_patience;
        timeout(limit, near).await.unwrap_or_else(|_| {
            let ms = limit.as_millis();
            let why = format!("what is near in meaning could not be told within {ms} ms");
            Err(FindError::Unavailable(why))
        })
    }
}

/// What takes longer than others who share the thread should wait.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FindError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| FindError::Unavailable(format!("a search broke off: {error}")))
}

/// What is near in meaning and nothing else: no words, no engine.
fn nearest(shelf: &Shelf, mut question: Question) -> Findings {
    question.fusion.only_behind = true;
    embedded::answer(&shelf.read(), &question, Some(&[]))
}
