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
    #[error("{path}: {}; nothing was imported\n{}", counted(.named.len() + .more), listed(.named, *.more))]
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

fn counted(rows: usize) -> String {
    if rows == 1 { "a row is not right".to_owned() } else { format!("{rows} rows are not right") }
}

fn listed(named: &[RowError], more: usize) -> String {
    let mut lines: Vec<String> = named.iter().map(|row| format!("  {row}")).collect();
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
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
