//! Vectors made anew by a process of its own, beside those that serve.

use std::fs;
use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use embeddings::IndexError;

use super::choice::EmbedderChoice;
use super::files::Files;
use super::vectors::{ProductVectors, SemanticError, in_use, io_of};

/// How long whoever does not serve may have a directory locked.
const A_MOMENT: Duration = Duration::from_millis(500);

/// Vectors that are made from nothing and then take the place of those in a directory. Until then, and
/// whenever the process ends before, those serve.
pub struct VectorsAnew {
    vectors: ProductVectors,
    of: Files,
}

/// What became of vectors that were made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    Serves,
    /// Another process has the others open by now: nothing is changed, and that one is to be asked.
    Kept,
    /// There are none: nothing is for sale that a model could be learned from. The others stay.
    Nothing,
}

impl VectorsAnew {
    /// Begins with none. `None` while another process has the directory open: that one is to be asked.
    ///
    /// # Errors
    /// As [`ProductVectors::open`]; `InUse` if another process does the same already.
    pub fn begin(directory: &Path, choice: EmbedderChoice) -> Result<Option<Self>, SemanticError> {
        let of = Files::of(directory).map_err(|error| io_of(directory, error))?;
        // Held until the other directory is locked, so that nobody else begins meanwhile; no longer, or
        // others would take this process for one that serves.
        let lock = of.lock_within(A_MOMENT).map_err(|error| io_of(directory, error))?;
        if of.is_made_anew() {
            return Err(in_use(&of.anew()));
        }
        if lock.is_none() {
            return Ok(None);
        }
        of.sweep_anew();
        let (files, anew_lock) = ProductVectors::lock(&of.anew())?;
        drop(lock);
        Ok(Some(Self { vectors: ProductVectors::load(files, anew_lock, choice)?, of }))
    }

    /// Whether another process keeps the vectors in a directory.
    #[must_use]
    pub fn is_kept(directory: &Path) -> bool {
        let of = Files { directory: directory.to_owned() };
        directory.is_dir() && matches!(of.lock(), Ok(None))
    }

    /// To be told of all products, and to be worked at until nothing is left.
    #[must_use]
    pub fn vectors(&self) -> &ProductVectors {
        &self.vectors
    }

    /// Works until each product that was told of has its vector, but for those whose text the model
    /// refuses; `tell` hears how many have one, of how many.
    ///
    /// # Errors
    /// Files that cannot be written, or a model that gives no vector of any text.
    pub fn make(
        &self,
        now: impl Fn() -> Timestamp,
        mut tell: impl FnMut(usize, usize),
    ) -> Result<(), SemanticError> {
        let mut refused = None;
        loop {
            let waiting = self.vectors.waiting();
            let worked = self.vectors.work(now());
            let (done, total) = self.vectors.progress();
            tell(done, total);
            match worked {
                Ok(true) => {}
                Ok(false) if done > 0 => return Ok(()),
                Ok(false) => return refused.map_or(Ok(()), Err),
                Err(
                    error @ (SemanticError::Io { .. } | SemanticError::Index(IndexError::File(_))),
                ) => {
                    return Err(error);
                }
                // A batch that is refused as a whole says nothing of the next.
                Err(error) if self.vectors.waiting() < waiting => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts them in place of the others, in one step.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn take_place(self, now: Timestamp) -> Result<Placed, SemanticError> {
        let failed = |error| io_of(&self.of.directory, error);
        self.vectors.save(now)?;
        let Some(lock) = self.of.lock_soon().map_err(failed)? else { return Ok(Placed::Kept) };
        let is_taken = self.of.take_over(&self.vectors.files).map_err(failed)?;
        drop(lock);
        if let Err(error) = fs::remove_dir_all(self.of.anew()) {
            tracing::debug!(%error, "what vectors were made in is deleted by the next");
        }
        Ok(if is_taken { Placed::Serves } else { Placed::Nothing })
    }
}
