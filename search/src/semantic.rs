//! What is near in meaning: a text vector for each product for sale, and the nearest to a question.
//!
//! Vectors are made in the background and kept in a directory, so that a restart makes none again.
//! Any embedder may make them; vectors of two embedders are never compared.

mod anew;
mod background;
mod choice;
mod files;
mod queries;
mod state;
mod text;
mod vectors;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::document;

pub use anew::{Placed, VectorsAnew};
pub use choice::EmbedderChoice;
pub use text::product_text;
pub use vectors::{ProductVectors, SemanticError};
