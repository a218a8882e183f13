//! What an error of the engine means to whoever runs it.

use std::io::{self, ErrorKind};

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};

use crate::SearchError;

pub(super) fn damaged(what: &str) -> SearchError {
    SearchError::Damaged(format!("the text index is damaged: {what}"))
}

pub(super) fn refusal(error: &TantivyError) -> SearchError {
    match error {
        TantivyError::LockFailure(LockError::IoError(error), _) => input_output(error),
        TantivyError::LockFailure(..) => SearchError::Unavailable(
            "the text index is being written by somebody else; is another node running in the \
             same data directory?"
                .to_owned(),
        ),
        TantivyError::IoError(error)
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: error, .. })
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError {
            io_error: error, ..
        })
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. }) => {
            input_output(error)
        }
        TantivyError::OpenDirectoryError(error) => {
            SearchError::Misconfigured(format!("the text index: {error}"))
        }
        // Threads fail where files do; which of them, they do not say.
        TantivyError::ErrorInThread(what) | TantivyError::SystemError(what) => {
            SearchError::Unavailable(format!("the text index cannot be written: {what}"))
        }
        other => damaged(&other.to_string()),
    }
}

fn input_output(error: &io::Error) -> SearchError {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::NotFound => {
            damaged(&error.to_string())
        }
        _ => SearchError::Unavailable(format!("the text index: {error}")),
    }
}
