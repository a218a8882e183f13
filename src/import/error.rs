//! Why an import ended early.

use std::fmt;

use commands::CommandError;
use sagas::key_store::KeyStoreError;

/// Rows named in one error; the others are counted.
pub(super) const ROWS_NAMED_MAX: usize = 20;

/// A row that breaks a rule of its file's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Line of the file, from 1; the header is line 1.
    pub line: u64,
    pub field: String,
    /// What the field must be.
    pub rule: String,
    pub seen: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, rule, seen } = self;
        write!(f, "line {line}, {field}: must be {rule}, not `{seen}`")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path}: {why}")]
    File { path: String, why: String },
    /// The file ends or changes form in the middle. Nothing was written.
    #[error("{path}, line {line}: {why}; nothing was imported")]
    Cut { path: String, line: u64, why: String },
    #[error("{path}: the header must be `{expected}`, not `{found}`; nothing was imported")]
    Header { path: String, expected: String, found: String },
    #[error("{path}: {}", not_right(.named, *.more))]
    Rows { path: String, named: Vec<RowError>, more: usize },
    /// What was imported before stays; the next run goes on from there.
    #[error("{what}: {why}")]
    Refused { what: String, why: CommandError },
    #[error("{what}: personal data could not be sealed: {why}")]
    Keys { what: String, why: KeyStoreError },
    #[error("{what}: the payment provider: {why}")]
    Payment { what: String, why: String },
    /// What the engine holds is not what the file says.
    #[error("the books do not agree: {0}")]
    Books(String),
}

/// One row in one line; several one below the other.
fn not_right(named: &[RowError], more: usize) -> String {
    if let ([row], 0) = (named, more) {
        return format!("{row}; nothing was imported");
    }
    let mut text = format!("{} rows are not right; nothing was imported", named.len() + more);
    for row in named {
        text.push_str(&format!("\n  {row}"));
    }
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

impl ImportError {
    /// Whether something was imported before it ended, so that the next run has less to do.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Keys { .. } | Self::Payment { .. } => true,
            Self::File { .. }
            | Self::Cut { .. }
            | Self::Header { .. }
            | Self::Rows { .. }
            | Self::Books(_) => false,
        }
    }

    pub(super) fn refused(what: &str) -> impl FnOnce(CommandError) -> Self + use<> {
        let what = what.to_owned();
        move |why| Self::Refused { what, why }
    }
}
