//! The port through which products are found that are near in meaning to a text.

use crate::{Fusion, Neighbour, ProductVectors, SemanticError};

/// Vectors of products, and what makes a vector of a text.
pub trait NearInMeaning: Send + Sync + 'static {
    /// The `k` products nearest to a text, nearest first; equals in an order that is always the
    /// same. None of a text that nothing is near to. May take milliseconds.
    ///
    /// # Errors
    /// What the model says.
    fn neighbours(&self, text: &str, k: usize) -> Result<Vec<Neighbour>, SemanticError>;

    /// How its neighbours are best fused with what is found by words.
    fn fusion(&self) -> Fusion;
}

impl NearInMeaning for ProductVectors {
    fn neighbours(&self, text: &str, k: usize) -> Result<Vec<Neighbour>, SemanticError> {
        self.neighbours(text, k, |_| true)
    }

    fn fusion(&self) -> Fusion {
        self.default_fusion()
    }
}
