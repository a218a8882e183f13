//! How a text becomes a vector, and which vectors are near.
//!
//! Knows nothing of products or shops: texts and numbers come in, vectors and neighbours go out.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failing test panics"))]

mod co_occurrence;
mod embedder;
mod index;
mod numbers;
mod sealed;
#[cfg(feature = "sentence-transformer")]
mod sentence;
mod trained;

pub use co_occurrence::{CoOccurrenceOptions, ItemVectors, embed_baskets, embed_counts};
pub use embedder::{EmbedError, Embedder};
pub use index::{DIMENSIONS_MAX, IndexError, Near, VectorIndex};
pub use sealed::FileError;
#[cfg(feature = "sentence-transformer")]
pub use sentence::SentenceTransformer;
pub use trained::{Field, TrainedEmbedder, Trainer, TrainingOptions};
