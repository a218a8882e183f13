//! Texts and vectors as they are in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::ErrorKind;
use std::sync::Arc;

use domain::{ProductId, Timestamp};
use embeddings::{Embedder, FileError, IndexError, Near, VectorIndex};

use super::files::{Embedded, Files, Saved};
use crate::Neighbour;

#[derive(Default)]
pub(super) struct State {
    /// Texts of all products for sale, by the product's number.
    pub(super) texts: BTreeMap<u64, Text>,
    pub(super) numbers: HashMap<ProductId, u64>,
    /// Answers questions.
    pub(super) serving: Option<Space>,
    /// Of a newer model; takes the other's place when all texts are in it.
    pub(super) next: Option<Space>,
    /// Texts that are to be embedded, into `next` if there is one.
    pub(super) pending: BTreeSet<u64>,
    /// Texts that the newest model refused, until they change or there is another model.
    pub(super) aside: BTreeSet<u64>,
    /// Every product for sale was told since the start.
    pub(super) filled: bool,
    /// Hashes of the texts that the newest model was trained on.
    pub(super) trained_on: HashSet<u64>,
    /// The texts may no longer be those that the model was trained on.
    pub(super) drift_unknown: bool,
    /// Whether everything is to be made anew although nothing seems to be wrong with it.
    pub(super) renewal: Renewal,
    /// Times that was done.
    pub(super) renewed: u64,
    pub(super) unsaved: usize,
    pub(super) saved_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Renewal {
    #[default]
    None,
    Asked,
    /// `next` is of it; or what serves, where there was nothing before.
    Begun,
}

pub(super) struct Text {
    pub(super) of: Embedded,
    pub(super) text: Box<str>,
}

impl State {
    pub(super) fn remove(&mut self, product: ProductId) {
        let Some(number) = self.numbers.remove(&product) else { return };
        self.texts.remove(&number);
        self.pending.remove(&number);
        self.aside.remove(&number);
        self.drift_unknown = true;
        for space in [&mut self.serving, &mut self.next].into_iter().flatten() {
            self.unsaved += usize::from(space.remove(number));
        }
    }

    /// Puts a vector that was made of a text, unless the text has changed meanwhile.
    pub(super) fn put(
        &mut self,
        number: u64,
        of: Embedded,
        vector: &[f32],
    ) -> Result<(), IndexError> {
        let Some(space) = self.next.as_mut().or(self.serving.as_mut()) else { return Ok(()) };
        if self.texts.get(&number).is_none_or(|text| text.of != of) {
            return Ok(());
        }
        space.index.insert(number, vector)?;
        space.embedded.insert(number, of);
        self.pending.remove(&number);
        self.unsaved += 1;
        Ok(())
    }

    /// Leaves out a text that the model refused, unless it has changed meanwhile.
    pub(super) fn put_aside(&mut self, number: u64, of: Embedded) {
        if self.texts.get(&number).is_some_and(|text| text.of == of) {
            self.pending.remove(&number);
            self.aside.insert(number);
        }
    }
}

impl State {
    /// Ends what was to be made anew.
    pub(super) fn end_renewal(&mut self) {
        self.renewal = Renewal::None;
        self.renewed += 1;
    }

    /// Throws a newer model away that refused every text: what serves is better.
    pub(super) fn give_up_next(&mut self) {
        self.next = None;
        self.renewal = Renewal::None;
        self.aside.clear();
        let Some(serving) = &self.serving else { return };
        let lacking = self.texts.iter().filter(|(number, text)| !serving.is(**number, text.of));
        self.pending = lacking.map(|(number, _)| *number).collect();
    }
}

/// Vectors of one model.
pub(super) struct Space {
    pub(super) embedder: Arc<dyn Embedder>,
    /// Number of the file it is in; 0 if it is not ours.
    pub(super) model: u64,
    pub(super) index: VectorIndex,
    pub(super) embedded: HashMap<u64, Embedded>,
}

impl Space {
    pub(super) fn new(embedder: Arc<dyn Embedder>, model: u64) -> Result<Self, IndexError> {
        let index = VectorIndex::new(embedder.id(), embedder.dimensions())?;
        Ok(Self { embedder, model, index, embedded: HashMap::new() })
    }

    pub(super) fn remove(&mut self, number: u64) -> bool {
        self.embedded.remove(&number).is_some() | self.index.remove(number)
    }

    pub(super) fn neighbours(&self, near: Vec<Near>) -> Vec<Neighbour> {
        let known = near.into_iter().filter_map(|near| {
            let product_id = self.embedded.get(&near.id)?.product_id;
            Some(Neighbour { product_id, similarity: near.similarity })
        });
        known.collect()
    }

    /// Whether the vector is of this product's text, whatever catalogue that was read from.
    pub(super) fn is(&self, number: u64, of: Embedded) -> bool {
        self.embedded.get(&number) == Some(&of)
    }
}

/// What was saved, as far as vectors and texts are of one moment and of this model. An error if it is
/// there and cannot be read.
pub(super) fn load(
    files: &Files,
    embedder: Arc<dyn Embedder>,
    saved: Option<Saved>,
    trained_on: &mut HashSet<u64>,
) -> Result<Space, IndexError> {
    let model = saved.as_ref().map_or(0, |saved| saved.model);
    let mut space = Space::new(embedder, model)?;
    let Some(saved) = saved else { return Ok(space) };
    let (model, dimensions) = (space.embedder.id(), space.embedder.dimensions());
    match VectorIndex::load(&files.vectors(saved.vectors), model, dimensions) {
        Ok(index)
            if index.len() == saved.embedded.len()
                && saved.embedded.keys().all(|number| index.contains(*number)) =>
        {
            space.index = index;
            space.embedded = saved.embedded;
            *trained_on = saved.trained_on;
        }
        Ok(_) => tracing::warn!("product vectors are not those of the saved texts: made anew"),
        Err(IndexError::File(FileError::Io { path, source }))
            if source.kind() != ErrorKind::NotFound =>
        {
            return Err(FileError::Io { path, source }.into());
        }
        Err(error) => tracing::warn!(%error, "product vectors are made anew"),
    }
    Ok(space)
}
