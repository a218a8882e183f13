//! The port of whatever turns a text into a vector.

/// A text that could not be embedded, or a model that could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// What is missing or wrong in the model's files, and where.
    #[error("{0}")]
    Model(String),
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
}

/// Turns texts into vectors. The same text gives the same vector, on every machine and every time.
pub trait Embedder: Send + Sync {
    /// Names the model and what it was trained on: vectors of two ids must never be compared.
    fn id(&self) -> &str;

    /// Length of every vector.
    fn dimensions(&self) -> usize;

    /// A vector of length 1 for each text, or all zeros where the model knows nothing of it.
    ///
    /// # Errors
    /// What the model says.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// How much of a text the model knows, 0 to 1: a model of words says 0 where it could only guess
    /// from letters, and the vector then means nothing.
    fn known_share(&self, _text: &str) -> f32 {
        1.0
    }
}
