//! A log as a whole: whether there is one, and its end.

use super::EventStoreOptions;
use super::client::Server;
use super::faults::Failure;
use super::place::Place;
use crate::JournalError;

/// Whether there is a log at `url`, as [`EventStoreJournal::open`](super::EventStoreJournal::open) takes
/// it. A stream that was deleted is none.
///
/// # Errors
/// `Unavailable` when the server cannot be reached or used.
pub async fn is_there(url: &str) -> Result<bool, JournalError> {
    let server = server(url)?;
    match server.read(0, 1).await {
        Ok(events) => Ok(!events.is_empty()),
        Err(Failure::Missing) => Ok(false),
        Err(failure) => Err(failure.error(&server.place)),
    }
}

/// Deletes the log at `url` as the server does softly: it is gone for all readers at once, and from the
/// disk when the server is scavenged. A mirror of it has to be removed by whoever has it.
///
/// # Errors
/// `Unavailable` when the server cannot be reached or used.
pub async fn delete(url: &str) -> Result<(), JournalError> {
    let server = server(url)?;
    let stream = server.place.stream.clone();
    server.delete(stream).await.map_err(|failure| failure.error(&server.place))
}

fn server(url: &str) -> Result<Server, JournalError> {
    let answer_within = EventStoreOptions::new(std::path::PathBuf::new()).answer_within;
    Server::new(Place::parse(url)?, answer_within)
}
