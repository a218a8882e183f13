//! What is done behind the answers: a model is trained, texts are embedded, vectors are written down.

use std::collections::HashSet;
use std::sync::Arc;

use domain::{ProductId, Timestamp};
use embeddings::{Embedder, IndexError};

use super::files::{Embedded, Saved};
use super::state::{Renewal, Space, Text};
use super::vectors::{ProductVectors, SemanticError};

/// Texts embedded in one step of [`ProductVectors::work`].
const BATCH: usize = 64;

/// Vectors made before they are written down while there are more to make: what a crash may cost.
const SAVE_EVERY: usize = 5_000;

/// Written down no more often than this.
const SAVE_SECONDS: i64 = 60;

/// A model is trained anew when one in so many texts is not what it was trained on.
const DRIFT: usize = 5;

impl ProductVectors {
    /// Does the next piece of what is to be done in the background; false if there is nothing left.
    /// A training is one piece. After an error it may be called again, after a while.
    ///
    /// # Errors
    /// What the model says, or files that cannot be written.
    pub fn work(&self, now: Timestamp) -> Result<bool, SemanticError> {
        if self.training_is_due() {
            self.train()?;
            return Ok(true);
        }
        if self.replaces_now() {
            self.replace()?;
            return Ok(true);
        }
        let worked = self.embed_some()?;
        self.save_if_due(now)?;
        Ok(worked)
    }

    /// Has the model and all vectors made anew, although nothing seems to be wrong with them. The old
    /// ones serve until the new ones are all there and written down, and after a crash in between.
    pub fn renew(&self) {
        self.write().renewal = Renewal::Asked;
    }

    /// Whether what [`Self::renew`] asked for is still to be done.
    #[must_use]
    pub fn is_renewing(&self) -> bool {
        self.read().renewal != Renewal::None
    }

    /// How often it was done. Where [`Self::is_renewing`] ends and this is what it was, the model refused
    /// every text, and the old vectors go on to serve.
    #[must_use]
    pub fn renewed(&self) -> u64 {
        self.read().renewed
    }

    /// Only compares under a lock that readers share: there may be a hundred thousand texts.
    fn training_is_due(&self) -> bool {
        let state = self.read();
        if !state.filled {
            return false;
        }
        if state.texts.is_empty() {
            if state.renewal == Renewal::Asked {
                drop(state);
                self.write().end_renewal();
            }
            return false;
        }
        if state.renewal == Renewal::Asked {
            return true;
        }
        if !self.source.is_trained() || !state.drift_unknown || state.next.is_some() {
            return false;
        }
        drop(state);
        // What changes from here on makes it unknown again.
        self.write().drift_unknown = false;
        let state = self.read();
        let same =
            state.texts.values().filter(|text| state.trained_on.contains(&text.of.hash)).count();
        let other = (state.texts.len() - same) + state.trained_on.len().saturating_sub(same);
        state.serving.is_none() || other * DRIFT >= state.trained_on.len().max(1)
    }

    fn train(&self) -> Result<(), SemanticError> {
        let (texts, hashes): (Vec<(ProductId, Box<str>)>, HashSet<u64>) = {
            let state = self.read();
            let each = state.texts.values();
            each.map(|text| ((text.of.product_id, text.text.clone()), text.of.hash)).unzip()
        };
        let trained = self.space(&texts);
        let mut state = self.write();
        // Tried again later, after a failure as well.
        state.drift_unknown |= trained.is_err();
        let space = trained?;
        let renews = state.renewal == Renewal::Asked;
        let is_same = |old: &Space| old.embedder.id() == space.embedder.id();
        if !renews && state.serving.as_ref().is_some_and(is_same) {
            state.trained_on = hashes;
            return Ok(());
        }
        if renews {
            state.renewal = Renewal::Begun;
        }
        state.trained_on = hashes;
        state.pending = state.texts.keys().copied().collect();
        state.aside.clear();
        if state.serving.is_none() {
            // Some neighbours are better than none.
            state.serving = Some(space);
        } else {
            state.next = Some(space);
        }
        // What is true of the trained texts may no longer be of those that came meanwhile.
        state.drift_unknown = true;
        Ok(())
    }

    /// Trains, or takes the model that is given; its vectors are still to be made.
    fn space(&self, texts: &[(ProductId, Box<str>)]) -> Result<Space, SemanticError> {
        if !self.source.is_trained() {
            return Ok(Space::new(self.source.train(texts, &self.files.model(0))?, 0)?);
        }
        let model = self.files.fresh().map_err(|error| self.io(error))?;
        Ok(Space::new(self.source.train(texts, &self.files.model(model))?, model)?)
    }

    /// Embeds a batch.
    fn embed_some(&self) -> Result<bool, SemanticError> {
        let state = self.read();
        let Some(newest) = state.next.as_ref().or(state.serving.as_ref()) else { return Ok(false) };
        let embedder = Arc::clone(&newest.embedder);
        let batch: Vec<(u64, Embedded, Box<str>)> = (state.pending.iter().take(BATCH))
            .filter_map(|number| {
                let Text { of, text } = state.texts.get(number)?;
                Some((*number, *of, text.clone()))
            })
            .collect();
        let replaces = state.next.is_some();
        drop(state);
        let texts: Vec<&str> = batch.iter().map(|(_, _, text)| &**text).collect();
        let vectors = embed_each(embedder.as_ref(), &texts);
        let mut refused = Vec::new();
        let mut state = self.write();
        for ((number, of, _), vector) in batch.iter().zip(vectors) {
            if let Err(error) = vector.and_then(|vector| Ok(state.put(*number, *of, &vector)?)) {
                state.put_aside(*number, *of);
                refused.push(error);
            }
        }
        if state.pending.is_empty() {
            match &state.next {
                Some(next) if next.embedded.is_empty() && !batch.is_empty() => state.give_up_next(),
                None if state.renewal == Renewal::Begun => state.end_renewal(),
                _ => {}
            }
        }
        drop(state);
        if !replaces {
            self.changed().extend(batch.iter().map(|(_, of, _)| of.product_id));
        }
        let count = refused.len();
        if let Some(error) = refused.pop() {
            tracing::warn!(count, %error, "texts cannot be embedded: not tried until they change");
            if count == batch.len() {
                // Rather the model than the texts: to be called again after a while.
                return Err(error);
            }
        }
        Ok(!batch.is_empty())
    }

    /// Whether all texts were given to the newer model.
    fn replaces_now(&self) -> bool {
        let state = self.read();
        state.pending.is_empty() && state.next.is_some()
    }

    /// Puts the newer model in place of the older, with all its vectors: first on the disk, so that a
    /// crash finds the one or the other whole.
    fn replace(&self) -> Result<(), SemanticError> {
        let state = self.read();
        let Some(next) = &state.next else { return Ok(()) };
        let (index, saved) = (next.index.clone(), saved(next, state.trained_on.clone()));
        let unsaved = state.unsaved;
        drop(state);
        self.files.save(saved, &index)?;
        let mut state = self.write();
        state.serving = state.next.take();
        // What went meanwhile is still to be saved.
        state.unsaved = state.unsaved.saturating_sub(unsaved);
        if state.renewal == Renewal::Begun {
            state.end_renewal();
        }
        drop(state);
        self.files.sweep(&[]);
        self.all_changed();
        Ok(())
    }

    /// Of a model that does not serve yet nothing is kept: after a crash it is made anew.
    fn save_if_due(&self, now: Timestamp) -> Result<(), SemanticError> {
        let state = self.read();
        let rested = state.saved_at.is_none_or(|at| (now - at).num_seconds().abs() >= SAVE_SECONDS);
        let due = state.unsaved >= SAVE_EVERY || (state.unsaved > 0 && state.pending.is_empty());
        drop(state);
        if due && rested { self.save(now) } else { Ok(()) }
    }

    /// Writes down what serves. The background does so by itself, at most once a minute; to be
    /// called when the program ends, so that the next start has less to do.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn save(&self, now: Timestamp) -> Result<(), SemanticError> {
        let (index, saved, unsaved, next) = {
            let state = self.read();
            let Some(space) = &state.serving else { return Ok(()) };
            let next = state.next.as_ref().map(|next| self.files.model(next.model));
            // Texts that a model was trained on which does not serve yet are not those of this one.
            let trained_on = if next.is_some() { HashSet::new() } else { state.trained_on.clone() };
            (space.index.clone(), saved(space, trained_on), state.unsaved, next)
        };
        self.write().saved_at = Some(now);
        self.files.save(saved, &index)?;
        self.files.sweep(next.as_slice());
        let mut state = self.write();
        // What came meanwhile is still to be saved.
        state.unsaved = state.unsaved.saturating_sub(unsaved);
        Ok(())
    }
}

fn saved(space: &Space, trained_on: HashSet<u64>) -> Saved {
    Saved { model: space.model, vectors: 0, embedded: space.embedded.clone(), trained_on }
}

pub(super) fn embed(
    embedder: &dyn Embedder,
    texts: &[&str],
) -> Result<Vec<Vec<f32>>, SemanticError> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let vectors = embedder.embed(texts)?;
    let (expected, found) = (texts.len(), vectors.len());
    if found != expected {
        return Err(SemanticError::Count { model: embedder.id().to_owned(), expected, found });
    }
    let (expected, odd) = (embedder.dimensions(), vectors.iter().map(Vec::len));
    match odd.into_iter().find(|found| *found != expected) {
        Some(found) => Err(IndexError::Dimensions { expected, found }.into()),
        None => Ok(vectors),
    }
}

/// A vector for each text. Texts that a model refuses together are tried one by one, so that one of
/// them does not keep the others from theirs.
fn embed_each(embedder: &dyn Embedder, texts: &[&str]) -> Vec<Result<Vec<f32>, SemanticError>> {
    match embed(embedder, texts) {
        Ok(vectors) => vectors.into_iter().map(Ok).collect(),
        Err(error) if texts.len() == 1 => vec![Err(error)],
        Err(_) => {
            let alone =
                |text: &&str| Ok(embed(embedder, &[*text])?.into_iter().next().unwrap_or_default());
            texts.iter().map(alone).collect()
        }
    }
}
