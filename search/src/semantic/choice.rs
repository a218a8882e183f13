//! Which model makes the vectors.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
#[cfg(feature = "sentence-transformer")]
use std::path::PathBuf;
use std::sync::Arc;

use domain::ProductId;
use embeddings::{EmbedError, Embedder, Field, TrainedEmbedder, Trainer, TrainingOptions};

use crate::Purchases;

/// Which model makes the vectors of products and of questions.
pub enum EmbedderChoice {
    /// One learned from what is written about the shop's own products, and from what was bought
    /// together if orders are given. No files are needed and it works in any language, but it knows
    /// only words of the catalogue. Learned anew when a fifth of the catalogue has changed.
    Trained { orders: Option<Arc<dyn Purchases>> },
    /// One that is given, as good as a sentence transformer. What is less near than `floor` is no
    /// neighbour of a question.
    Given { embedder: Arc<dyn Embedder>, floor: f32 },
    /// A sentence transformer in a directory.
    #[cfg(feature = "sentence-transformer")]
    SentenceTransformer(PathBuf),
}

/// Least cosine of a question and a neighbour, by a sentence transformer. Measured with
/// all-MiniLM-L6-v2 as below: of twelve questions in the shop's words each keeps 98 neighbours or
/// more; of twelve that have no answer there one keeps 19, the others 0 to 9.
#[cfg(feature = "sentence-transformer")]
const SENTENCE_FLOOR: f32 = 0.3;

/// Least cosine of a question and a neighbour, by a model of the shop's own. Measured on the names of
/// 3,660 real products (`cargo bench -p search --bench recommendations -- floor`): of twelve questions
/// in the shop's words each keeps 6 to 29 neighbours; of twelve that have no answer there, in other
/// languages or of other trades, three keep 1 to 9, and of the rest too few words are known. It
/// bounds what comes, it does not tell them apart: unknown words are taken for those spelt alike, and
/// are then as near as any.
const TRAINED_FLOOR: f32 = 0.6;

pub(super) enum Source {
    Trained { orders: Option<Arc<dyn Purchases>> },
    Given { embedder: Arc<dyn Embedder>, floor: f32 },
}

impl Source {
    pub(super) fn of(choice: EmbedderChoice) -> Result<Self, EmbedError> {
        Ok(match choice {
            EmbedderChoice::Trained { orders } => Self::Trained { orders },
            EmbedderChoice::Given { embedder, floor } => Self::Given { embedder, floor },
            #[cfg(feature = "sentence-transformer")]
            EmbedderChoice::SentenceTransformer(directory) => {
                let embedder = Arc::new(embeddings::SentenceTransformer::load(&directory)?);
                Self::Given { embedder, floor: SENTENCE_FLOOR }
            }
        })
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

    /// The model that is there; none if it is yet to be trained. An error if there is one that cannot
    /// be read.
    pub(super) fn load(
        &self,
        file: Option<&Path>,
    ) -> Result<Option<Arc<dyn Embedder>>, EmbedError> {
        let file = match (self, file) {
            (Self::Given { embedder, .. }, _) => return Ok(Some(Arc::clone(embedder))),
            (Self::Trained { .. }, None) => return Ok(None),
            (Self::Trained { .. }, Some(file)) => file,
        };
        match TrainedEmbedder::load(file) {
            Ok(embedder) => Ok(Some(Arc::new(embedder))),
            Err(EmbedError::Io { path, source }) if source.kind() != ErrorKind::NotFound => {
                Err(EmbedError::Io { path, source })
            }
            Err(error) => {
                tracing::warn!(%error, "the embedder is trained anew");
                Ok(None)
            }
        }
    }

    /// Learns, and writes the model to a file that nobody names yet.
    pub(super) fn train(
        &self,
        texts: &[(ProductId, Box<str>)],
        file: &Path,
    ) -> Result<Arc<dyn Embedder>, EmbedError> {
        let orders = match self {
            Self::Given { embedder, .. } => return Ok(Arc::clone(embedder)),
            Self::Trained { orders } => orders,
        };
        let mut trainer = Trainer::new(TrainingOptions::default());
        for (_, text) in texts {
            trainer.text(&[Field { text, weight: 1.0 }]);
        }
        if let Some(orders) = orders {
            let numbers: HashMap<ProductId, u32> =
                (0..).zip(texts).map(|(number, (product, _))| (*product, number)).collect();
            let told = orders.baskets(&mut |basket| {
                let known = basket.products.iter().filter_map(|product| numbers.get(product));
                trainer.basket(&known.copied().collect::<Vec<_>>());
            });
            if let Err(error) = told {
                tracing::warn!(%error, "the embedder learns from fewer orders than there are");
            }
        }
        let embedder = trainer.train();
        embedder.save(file)?;
        Ok(Arc::new(embedder))
    }
}
