//! The vectors of all products for sale, kept up with the catalogue.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::product::ProductStatus;
use domain::{ProductId, Timestamp};
use embeddings::{EmbedError, Embedder, IndexError, Near, VectorIndex};

use super::choice::{EmbedderChoice, Source, adopt};
use super::files::{Embedded, Files};
use super::queries::{Queries, Query};
use super::text::{hash, product_text};
use crate::recommend::Likeness;
use crate::{Changes, Fusion, Neighbour};

/// Texts embedded in one step of [`ProductVectors::work`].
const BATCH: usize = 64;

/// Vectors made before they are written down while there are more to make: what a crash may cost.
const SAVE_EVERY: usize = 5_000;

/// Written down no more often than this.
const SAVE_SECONDS: i64 = 60;

/// A model is trained anew when one in so many texts is not what it was trained on.
const DRIFT: usize = 5;

#[derive(Debug, thiserror::Error)]
pub enum SemanticError {
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// A vector that is not as the model promised, or files that cannot be written.
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
    /// The model gave another number of vectors than there were texts.
    #[error("model {model}: gave {found} vectors for {expected} texts")]
    Count { model: String, expected: usize, found: usize },
}

/// A text vector for each product for sale, and what is near.
///
/// Changes and questions may come from many threads; [`Self::work`] is called by one.
pub struct ProductVectors {
    files: Files,
    source: Source,
    state: RwLock<State>,
    queries: Queries,
    /// For [`Likeness::take_changed`].
    changed: Mutex<BTreeSet<ProductId>>,
}

#[derive(Default)]
struct State {
    /// Texts of all products for sale, by the product's number.
    texts: BTreeMap<u64, Text>,
    numbers: HashMap<ProductId, u64>,
    /// Answers questions.
    serving: Option<Space>,
    /// Of a newer model; takes the other's place when all texts are in it.
    next: Option<Space>,
    /// Texts that are to be embedded, into `next` if there is one.
    pending: BTreeSet<u64>,
    /// Every product for sale was told since the start.
    filled: bool,
    /// Hashes of the texts that the newest model was trained on.
    trained_on: HashSet<u64>,
    /// The texts may no longer be those that the model was trained on.
    drift_unknown: bool,
    unsaved: usize,
    saved_at: Option<Timestamp>,
}

struct Text {
    product_id: ProductId,
    hash: u64,
    text: Box<str>,
}

impl State {
    fn remove(&mut self, product: ProductId) {
        let Some(number) = self.numbers.remove(&product) else { return };
        self.texts.remove(&number);
        self.pending.remove(&number);
        self.drift_unknown = true;
        for space in [&mut self.serving, &mut self.next].into_iter().flatten() {
            self.unsaved += usize::from(space.remove(number));
        }
    }

    /// Puts a vector that was made of a text, unless the text has changed meanwhile.
    fn put(&mut self, number: u64, of: Embedded, vector: &[f32]) -> Result<(), IndexError> {
        let Some(space) = self.next.as_mut().or(self.serving.as_mut()) else { return Ok(()) };
        if self.texts.get(&number).is_none_or(|text| text.hash != of.hash) {
            return Ok(());
        }
        space.index.insert(number, vector)?;
        space.embedded.insert(number, of);
        self.pending.remove(&number);
        self.unsaved += 1;
        Ok(())
    }
}

/// Vectors of one model.
struct Space {
    embedder: Arc<dyn Embedder>,
    index: VectorIndex,
    embedded: HashMap<u64, Embedded>,
}

impl Space {
    fn new(embedder: Arc<dyn Embedder>) -> Result<Self, IndexError> {
        let index = VectorIndex::new(embedder.id(), embedder.dimensions())?;
        Ok(Self { embedder, index, embedded: HashMap::new() })
    }

    fn remove(&mut self, number: u64) -> bool {
        self.embedded.remove(&number).is_some() | self.index.remove(number)
    }

    fn neighbours(&self, near: Vec<Near>) -> Vec<Neighbour> {
        let known = near.into_iter().filter_map(|near| {
            let product_id = self.embedded.get(&near.id)?.product_id;
            Some(Neighbour { product_id, similarity: near.similarity })
        });
        known.collect()
    }

    fn is(&self, number: u64, hash: u64) -> bool {
        self.embedded.get(&number).is_some_and(|embedded| embedded.hash == hash)
    }
}

impl ProductVectors {
    /// Opens what is in a directory, which is made if it is not there. What is damaged or of another
    /// model is made anew.
    ///
    /// # Errors
    /// The model cannot be loaded, or the directory cannot be made.
    pub fn open(
        directory: &std::path::Path,
        choice: EmbedderChoice,
    ) -> Result<Self, SemanticError> {
        std::fs::create_dir_all(directory).map_err(|source| SemanticError::Io {
            path: directory.display().to_string(),
            source,
        })?;
        let files = Files { directory: directory.to_owned() };
        let source = Source::of(choice)?;
        let mut state = State::default();
        if let Some(embedder) = source.load(&files.model()) {
            state.drift_unknown = true;
            state.serving = Some(load(&files, embedder, &mut state.trained_on)?);
        }
        let vectors = Self {
            files,
            source,
            state: RwLock::new(state),
            queries: Queries::new(),
            changed: Mutex::default(),
        };
        vectors.all_changed();
        Ok(vectors)
    }

    /// Takes in what changed in the catalogue. Vectors follow in the background; a product that is no
    /// longer for sale is gone at once.
    pub fn apply(&self, changes: &Changes) {
        let mut state = self.write();
        for document in &changes.documents {
            let (Ok(number), ProductStatus::Active) =
                (u64::try_from(document.number), document.status)
            else {
                state.remove(document.product_id);
                continue;
            };
            let text = product_text(document);
            let hash = hash(&text);
            if state.texts.get(&number).is_some_and(|known| known.hash == hash) {
                continue;
            }
            let product_id = document.product_id;
            state.texts.insert(number, Text { product_id, hash, text: text.into() });
            state.numbers.insert(product_id, number);
            state.drift_unknown = true;
            let newest = state.next.as_ref().or(state.serving.as_ref());
            if newest.is_some_and(|space| space.is(number, hash)) {
                state.pending.remove(&number);
            } else {
                state.pending.insert(number);
            }
        }
        for product in &changes.removed {
            state.remove(*product);
        }
    }

    /// Every product for sale was told since the start: what is known of others is thrown away, and
    /// models may be trained.
    pub fn filled(&self) {
        let mut state = self.write();
        state.filled = true;
        let State { texts, serving, next, unsaved, .. } = &mut *state;
        for space in [serving, next].into_iter().flatten() {
            let gone: Vec<u64> =
                space.index.ids().filter(|number| !texts.contains_key(number)).collect();
            for number in gone {
                *unsaved += usize::from(space.remove(number));
            }
        }
    }

    /// Products near in meaning to a text, the nearest first, among those that `keep` says yes to.
    /// Those that are not really near are left out ([`EmbedderChoice`] says what that means); none
    /// while there is no model yet.
    ///
    /// # Errors
    /// The model cannot embed the text.
    pub fn neighbours(
        &self,
        text: &str,
        k: usize,
        keep: impl Fn(ProductId) -> bool,
    ) -> Result<Vec<Neighbour>, SemanticError> {
        let Some(query) = self.query(text)? else { return Ok(Vec::new()) };
        let state = self.read();
        let Some(space) = &state.serving else { return Ok(Vec::new()) };
        if *query.model != *space.embedder.id() {
            // Another model took over between the two: its vectors are not to be compared.
            return Ok(Vec::new());
        }
        let floor = self.source.floor();
        let near = space.index.nearest(&query.vector, k, |number| {
            space.embedded.get(&number).is_some_and(|of| keep(of.product_id))
        })?;
        let mut near = space.neighbours(near);
        near.retain(|neighbour| neighbour.similarity >= floor);
        Ok(near)
    }

    fn query(&self, text: &str) -> Result<Option<Query>, SemanticError> {
        let text = text.trim();
        let Some(embedder) = self.read().serving.as_ref().map(|space| Arc::clone(&space.embedder))
        else {
            return Ok(None);
        };
        if let Some(query) = self.queries.get(embedder.id(), text) {
            return Ok(Some(query));
        }
        let vectors = embed(embedder.as_ref(), &[text])?;
        let vector = vectors.into_iter().next().unwrap_or_default().into();
        let query = Query { model: embedder.id().into(), vector };
        self.queries.put(text, query.clone());
        Ok(Some(query))
    }

    /// Products like a product, the likest first, among those that `keep` says yes to; none while it
    /// has no vector.
    pub fn similar_to(
        &self,
        product: ProductId,
        k: usize,
        keep: impl Fn(ProductId) -> bool,
    ) -> Vec<Neighbour> {
        let state = self.read();
        let (Some(space), Some(number)) = (&state.serving, state.numbers.get(&product)) else {
            return Vec::new();
        };
        let near = space.index.nearest_to(*number, k, |number| {
            space.embedded.get(&number).is_some_and(|of| keep(of.product_id))
        });
        space.neighbours(near)
    }

    /// How hits by meaning are to be combined with those by words. Measured (`docs/benchmarks.md`):
    /// only a sentence transformer is good enough to move what words found.
    #[must_use]
    pub fn default_fusion(&self) -> Fusion {
        Fusion { only_behind: self.source.is_trained(), ..Fusion::default() }
    }

    /// Products whose vector is of the newest model and of their text, and all there are.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let state = self.read();
        let total = state.texts.len();
        let lacks_model = state.serving.is_none() && state.next.is_none();
        (if lacks_model { 0 } else { total - state.pending.len() }, total)
    }

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
        let worked = self.embed_some()?;
        self.save_if_due(now)?;
        Ok(worked)
    }

    fn training_is_due(&self) -> bool {
        if !self.source.is_trained() {
            return false;
        }
        let mut state = self.write();
        if !state.filled || !state.drift_unknown || state.texts.is_empty() || state.next.is_some() {
            return false;
        }
        state.drift_unknown = false;
        let same =
            state.texts.values().filter(|text| state.trained_on.contains(&text.hash)).count();
        let other = (state.texts.len() - same) + state.trained_on.len().saturating_sub(same);
        state.serving.is_none() || other * DRIFT >= state.trained_on.len().max(1)
    }

    fn train(&self) -> Result<(), SemanticError> {
        let (texts, hashes): (Vec<(ProductId, Box<str>)>, HashSet<u64>) = {
            let state = self.read();
            let each = state.texts.values();
            each.map(|text| ((text.product_id, text.text.clone()), text.hash)).unzip()
        };
        let trained = self.source.train(&texts, &self.files.model());
        let trained = trained.map_err(SemanticError::from).and_then(|e| Ok(Space::new(e)?));
        let mut state = self.write();
        // Tried again later, after a failure as well.
        state.drift_unknown |= trained.is_err();
        let space = trained?;
        if state.serving.as_ref().is_some_and(|old| old.embedder.id() == space.embedder.id()) {
            state.trained_on = hashes;
            return Ok(());
        }
        state.trained_on = hashes;
        state.pending = state.texts.keys().copied().collect();
        if state.serving.is_none() {
            // Some neighbours are better than none.
            adopt(&self.files.model()).map_err(|error| self.io(error))?;
            state.serving = Some(space);
        } else {
            state.next = Some(space);
        }
        // What is true of the trained texts may no longer be of those that came meanwhile.
        state.drift_unknown = true;
        Ok(())
    }

    /// Embeds a batch; puts the newer model in place of the older when all is embedded.
    fn embed_some(&self) -> Result<bool, SemanticError> {
        let state = self.read();
        let Some(newest) = state.next.as_ref().or(state.serving.as_ref()) else { return Ok(false) };
        let embedder = Arc::clone(&newest.embedder);
        let batch: Vec<(u64, Embedded, Box<str>)> = (state.pending.iter().take(BATCH))
            .filter_map(|number| {
                let Text { product_id, hash, text } = state.texts.get(number)?;
                Some((*number, Embedded { product_id: *product_id, hash: *hash }, text.clone()))
            })
            .collect();
        let replaces = state.next.is_some();
        drop(state);
        let texts: Vec<&str> = batch.iter().map(|(_, _, text)| &**text).collect();
        let vectors = embed(embedder.as_ref(), &texts)?;
        let mut state = self.write();
        for ((number, of, _), vector) in batch.iter().zip(&vectors) {
            state.put(*number, *of, vector)?;
        }
        if replaces && state.pending.is_empty() {
            adopt(&self.files.model()).map_err(|error| self.io(error))?;
            self.files.remove_texts().map_err(|error| self.io(error))?;
            state.serving = state.next.take();
            state.unsaved += 1;
            drop(state);
            self.all_changed();
            return Ok(true);
        }
        drop(state);
        if !replaces {
            self.changed().extend(batch.iter().map(|(_, of, _)| of.product_id));
        }
        Ok(!batch.is_empty())
    }

    /// Of a model that does not serve yet nothing is kept: after a crash it is made anew.
    fn save_if_due(&self, now: Timestamp) -> Result<(), SemanticError> {
        let state = self.read();
        let rested =
            !state.saved_at.is_some_and(|at| (now - at).num_seconds().abs() < SAVE_SECONDS);
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
        let (index, embedded, trained_on) = {
            let mut state = self.write();
            let Some(space) = &state.serving else { return Ok(()) };
            let of_next = state.next.is_some();
            // Texts that a model was trained on which does not serve yet are not those of this one.
            let trained_on = if of_next { HashSet::new() } else { state.trained_on.clone() };
            let saved = (space.index.clone(), space.embedded.clone(), trained_on);
            state.unsaved = 0;
            state.saved_at = Some(now);
            saved
        };
        self.files.remove_texts().map_err(|error| self.io(error))?;
        index.save(&self.files.vectors()).map_err(IndexError::from)?;
        self.files.save_texts(&embedded, &trained_on).map_err(|error| self.io(error))
    }

    fn all_changed(&self) {
        let state = self.read();
        let Some(space) = &state.serving else { return };
        self.changed().extend(space.embedded.values().map(|of| of.product_id));
    }

    fn changed(&self) -> std::sync::MutexGuard<'_, BTreeSet<ProductId>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn io(&self, source: std::io::Error) -> SemanticError {
        SemanticError::Io { path: self.files.texts().display().to_string(), source }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Likeness for ProductVectors {
    fn like_each(&self, products: &[ProductId], k: usize) -> Vec<Vec<Neighbour>> {
        let state = self.read();
        let Some(space) = &state.serving else { return vec![Vec::new(); products.len()] };
        // Numbers begin at 1: 0 is no product's, and nothing is near it.
        let numbers: Vec<u64> = (products.iter())
            .map(|product| state.numbers.get(product).copied().unwrap_or_default())
            .collect();
        let near = space.index.nearest_to_each(&numbers, k, |_, _| true);
        near.into_iter().map(|near| space.neighbours(near)).collect()
    }

    fn take_changed(&self) -> Vec<ProductId> {
        std::mem::take(&mut *self.changed()).into_iter().collect()
    }
}

fn embed(embedder: &dyn Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>, SemanticError> {
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

/// What was saved, as far as vectors and texts are of one moment and of this model.
fn load(
    files: &Files,
    embedder: Arc<dyn Embedder>,
    trained_on: &mut HashSet<u64>,
) -> Result<Space, IndexError> {
    let mut space = Space::new(embedder)?;
    let Some((embedded, trained)) = files.load_texts() else { return Ok(space) };
    let (model, dimensions) = (space.embedder.id(), space.embedder.dimensions());
    match VectorIndex::load(&files.vectors(), model, dimensions) {
        Ok(index)
            if index.len() == embedded.len() && embedded.keys().all(|n| index.contains(*n)) =>
        {
            space.index = index;
            space.embedded = embedded;
            *trained_on = trained;
        }
        Ok(_) => tracing::warn!("product vectors are not those of the saved texts: made anew"),
        Err(error) => tracing::warn!(%error, "product vectors are made anew"),
    }
    Ok(space)
}
