//! What can be set on read models in PostgreSQL.

use std::time::Duration;

use crate::StoreError;

/// Settings of [`Directory::in_postgres`](crate::Directory::in_postgres).
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Make or upgrade the schemas on opening; else a database without them, or with older ones,
    /// is `Unavailable` until [`migrate_postgres`](crate::migrate_postgres) has run.
    pub migrate: bool,
    /// Schema of the views that people read, and the beginning of the names of all other schemas:
    /// up to 16 small letters, digits and underscores, with a letter first.
    pub schema: String,
    /// A role that may read the views; it has to be there. Others can be granted the same by hand.
    pub reader: Option<String>,
    /// Connections for queries, at least two, opened as they are needed. A node has three more, and
    /// one for each model while it writes.
    pub read_connections: usize,
    /// How long a writer that is not heard of keeps its place.
    pub lease: Duration,
    /// How often to look how far the models are when the server tells nothing.
    pub poll_every: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            migrate: true,
            schema: "tillroll_read".to_owned(),
            reader: None,
            read_connections: 8,
            lease: Duration::from_secs(6),
            poll_every: Duration::from_secs(1),
        }
    }
}

impl PostgresOptions {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let name = &self.schema;
        let fits = name.len() <= 16
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|next| matches!(next, 'a'..='z' | '0'..='9' | '_'))
            && !name.starts_with("pg_");
        if fits {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "`{name}` cannot be the schema of read models: up to 16 small letters, digits and \
             underscores, with a letter first"
        )))
    }

    /// Schema of what is about generations.
    pub(super) fn meta(&self) -> String {
        format!("{}_meta", self.schema)
    }
}

/// An identifier as SQL has it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
