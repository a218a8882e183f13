//! Which model makes the vectors.

use std::path::Path;
use std::sync::Arc;

use domain::ProductId;
use embeddings::{EmbedError, Embedder};

use crate::Purchases;

/// Which model makes the vectors of products and of questions.
pub enum EmbedderChoice {
    /// One learned from what is written about the shop's own products, and from what was bought
    /// together if orders are given. No files are needed and it works in any language, but it knows
    /// only words of the catalogue. Learned anew when the catalogue has changed by a fifth.
    Trained { orders: Option<Arc<dyn Purchases>> },
    /// One that is given. What is less near than `floor` is not a neighbour of a question.
    Given { embedder: Arc<dyn Embedder>, floor: f32 },
    /// A sentence transformer in a directory.
    #[cfg(feature = "sentence-transformer")]
    SentenceTransformer(std::path::PathBuf),
}

/// Least cosine of a question and a neighbour, by a model of the shop's own.
const TRAINED_FLOOR: f32 = 0.3;

pub(super) enum Source {
    Trained { orders: Option<Arc<dyn Purchases>> },
    Given { embedder: Arc<dyn Embedder>, floor: f32 },
}

impl Source {
    pub(super) fn of(choice: EmbedderChoice) -> Result<Self, EmbedError> {
        match choice {
            EmbedderChoice::Trained { orders } => Ok(Self::Trained { orders }),
            EmbedderChoice::Given { embedder, floor } => Ok(Self::Given { embedder, floor }),
            #[cfg(feature = "sentence-transformer")]
            EmbedderChoice::SentenceTransformer(_directory) => {
                Err(EmbedError::Model("not yet".into()))
            }
        }
    }

    pub(super) fn is_trained(&self) -> bool {
        matches!(self, Self::Trained { .. })
    }

    pub(super) fn floor(&self) -> f32 {
        match self {
            Self::Trained { .. } => TRAINED_FLOOR,
            Self::Given { floor, .. } => *floor,
        }
    }

    pub(super) fn only_behind(&self) -> bool {
        self.is_trained()
    }

    /// The model that is there; none if it is yet to be trained.
    pub(super) fn load(&self, _file: &Path) -> Option<Arc<dyn Embedder>> {
        match self {
            Self::Trained { .. } => None,
            Self::Given { embedder, .. } => Some(Arc::clone(embedder)),
        }
    }

    pub(super) fn train(
        &self,
        _texts: &[(ProductId, Box<str>)],
    ) -> Result<Arc<dyn Embedder>, EmbedError> {
        Err(EmbedError::Model("not yet".into()))
    }

    pub(super) fn save(
        &self,
        _embedder: &Arc<dyn Embedder>,
        _file: &Path,
    ) -> Result<(), EmbedError> {
        Ok(())
    }
}
