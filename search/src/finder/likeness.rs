//! The port through which products are found that are near in meaning to a text.

use embeddings::EmbedError;

use crate::{Fusion, Neighbour};

/// Vectors of products, and what makes a vector of a text.
pub trait Likeness: Send + Sync + 'static {
    /// The `k` products nearest to a text, nearest first; equals in an order that is always the
    /// same. None of a text the model knows nothing of. May take milliseconds.
    ///
    /// # Errors
    /// What the model says.
    fn neighbours(&self, text: &str, k: usize) -> Result<Vec<Neighbour>, EmbedError>;

    /// How its neighbours are best fused with what is found by words.
    fn fusion(&self) -> Fusion;
}
