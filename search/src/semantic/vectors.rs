//! The vectors of all products for sale, kept up with the catalogue.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::ProductId;
use domain::product::ProductStatus;
use embeddings::{EmbedError, IndexError};

use super::background::embed;
use super::choice::{EmbedderChoice, Source};
use super::files::{Embedded, Files};
use super::queries::{Queries, Query};
use super::state::{Renewal, State, Text, load};
use super::text::{hash, product_text};
use crate::recommend::Likeness;
use crate::{Changes, Fusion, KeepsProducts, Neighbour};

/// Of a question less of which is known to the model nothing is near: the rest would be guessed from
/// letters, and can be as near as any.
const KNOWN_MIN: f32 = 0.5;

#[derive(Debug, thiserror::Error)]
pub enum SemanticError {
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// A vector that is not as the model promised, or files that cannot be written.
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
    #[error("{0}: another process makes or keeps the vectors there")]
    InUse(String),
    /// The model gave another number of vectors than there were texts.
    #[error("model {model}: gave {found} vectors for {expected} texts")]
    Count { model: String, expected: usize, found: usize },
}

/// A text vector for each product for sale, and what is near.
///
/// Changes and questions may come from many threads; [`Self::work`] is called by one.
pub struct ProductVectors {
    pub(super) files: Files,
    pub(super) source: Source,
    pub(super) state: RwLock<State>,
    queries: Queries,
    /// For [`Likeness::take_changed`].
    changed: Mutex<BTreeSet<ProductId>>,
    /// Nobody else writes in the directory.
    _lock: File,
}

impl ProductVectors {
    /// Opens what is in a directory, which is made if it is not there. What is damaged or of another
    /// model is made anew; what is there and cannot be read stays as it is.
    ///
    /// # Errors
    /// The model cannot be loaded, files cannot be read, or the directory cannot be made. `InUse` if another process has it
    /// open, for longer than [`VectorsAnew`](super::VectorsAnew) takes to put its own in place.
    pub fn open(directory: &Path, choice: EmbedderChoice) -> Result<Self, SemanticError> {
        let (files, lock) = Self::lock(directory)?;
        Self::load(files, lock, choice)
    }

    pub(super) fn lock(directory: &Path) -> Result<(Files, File), SemanticError> {
        let failed = |source| io_of(directory, source);
        let files = Files::of(directory).map_err(failed)?;
        let lock = files.lock_soon().map_err(failed)?.ok_or_else(|| in_use(directory))?;
        Ok((files, lock))
    }

    /// Loading a model may take seconds.
    pub(super) fn load(
        files: Files,
        lock: File,
        choice: EmbedderChoice,
    ) -> Result<Self, SemanticError> {
        let saved = files.load().map_err(|error| files.failed(error))?;
        files.sweep(&[]);
        files.sweep_anew();
        let source = Source::of(choice)?;
        let mut state = State::default();
        let model = saved.as_ref().map(|saved| files.model(saved.model));
        if let Some(embedder) = source.load(model.as_deref())? {
            state.drift_unknown = true;
            state.serving = Some(load(&files, embedder, saved, &mut state.trained_on)?);
        }
        Ok(Self {
            files,
            source,
            state: RwLock::new(state),
            queries: Queries::new(),
            changed: Mutex::default(),
            _lock: lock,
        })
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
            let of = Embedded { product_id: document.product_id, hash: hash(&text) };
            if state.texts.get(&number).is_some_and(|known| known.of == of) {
                continue;
            }
            let before = state.texts.insert(number, Text { of, text: text.into() });
            if let Some(other) = before.filter(|before| before.of.product_id != of.product_id) {
                state.numbers.remove(&other.of.product_id);
            }
            state.numbers.insert(of.product_id, number);
            state.drift_unknown = true;
            state.aside.remove(&number);
            let newest = state.next.as_ref().or(state.serving.as_ref());
            if newest.is_some_and(|space| space.is(number, of)) {
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
        drop(state);
        // Not before: of a product that was not told of yet nobody knows what is like it.
        self.all_changed();
    }

    /// Whether [`Self::filled`] was called.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.read().filled
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
        let vector = if embedder.known_share(text) < KNOWN_MIN {
            // Nothing is near to no vector.
            vec![0.0; embedder.dimensions()].into()
        } else {
            let vectors = embed(embedder.as_ref(), &[text])?;
            vectors.into_iter().next().unwrap_or_default().into()
        };
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
        let lacks_model =
            state.serving.is_none() && state.next.is_none() || state.renewal == Renewal::Asked;
        let to_come = state.pending.len() + state.aside.len();
        (if lacks_model { 0 } else { total - to_come }, total)
    }

    /// Texts that the newest model was not given yet.
    pub(super) fn waiting(&self) -> usize {
        self.read().pending.len()
    }

    pub(super) fn all_changed(&self) {
        let state = self.read();
        let Some(space) = &state.serving else { return };
        self.changed().extend(space.embedded.values().map(|of| of.product_id));
    }

    pub(super) fn changed(&self) -> std::sync::MutexGuard<'_, BTreeSet<ProductId>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn io(&self, source: std::io::Error) -> SemanticError {
        io_of(&self.files.directory, source)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn io_of(path: &Path, source: std::io::Error) -> SemanticError {
    SemanticError::Io { path: path.display().to_string(), source }
}

pub(super) fn in_use(directory: &Path) -> SemanticError {
    SemanticError::InUse(directory.display().to_string())
}

impl KeepsProducts for ProductVectors {
    fn apply(&self, changes: &Changes) {
        Self::apply(self, changes);
    }

    fn all_told(&self) {
        self.filled();
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
