//! A journal in EventStoreDB or KurrentDB.

use std::path::Path;
use std::sync::Arc;

use journal::{Journal, JournalError};

/// The stream that a URL without one means.
const STREAM: &str = "tillroll";

/// The same server, and a stream beside the one that the URL names.
pub(super) fn beside(url: &str, suffix: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let named = query.split('&').find_map(|pair| pair.strip_prefix("stream="));
    let stream = format!("stream={}-{suffix}", named.unwrap_or(STREAM));
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("stream="));
    let query: Vec<&str> = others.chain([stream.as_str()]).collect();
    format!("{place}?{}", query.join("&"))
}

#[cfg(feature = "eventstore")]
pub(super) fn open(
    url: &str,
    mirror: &Path,
    options: journal::Options,
) -> Result<Arc<dyn Journal>, JournalError> {
    use journal::{EventStoreJournal, EventStoreOptions};
    let options =
        EventStoreOptions { embedded: options, ..EventStoreOptions::new(mirror.to_owned()) };
    Ok(Arc::new(crate::block_on::block_on(EventStoreJournal::open(url, options))?))
}

/// The journal for whoever only reads: through a mirror that nobody else has open, else from that of
/// the node that has, which is as new as the node.
pub(super) fn read(url: &str, mirror: &Path) -> Result<Arc<dyn Journal>, JournalError> {
    match open(url, mirror, journal::Options::default()) {
        Err(JournalError::InUse { .. }) => {
            let options = journal::Options::default();
            Ok(Arc::new(journal::SqliteJournal::open_read_only(mirror, options)?))
        }
        opened => opened,
    }
}

/// Whether there is a log at this URL.
#[cfg(feature = "eventstore")]
pub(super) fn is_there(url: &str) -> Result<bool, JournalError> {
    use crate::block_on::block_on_tokio;
    block_on_tokio(journal::is_in_eventstore(url), JournalError::Unavailable)
}

/// Deletes the log at this URL.
#[cfg(feature = "eventstore")]
pub(super) fn delete(url: &str) -> Result<(), JournalError> {
    use crate::block_on::block_on_tokio;
    block_on_tokio(journal::delete_eventstore(url), JournalError::Unavailable)
}

#[cfg(not(feature = "eventstore"))]
const WITHOUT_EVENTSTORE: &str =
    "this program was built without EventStoreDB: build it with `--features eventstore`";

#[cfg(not(feature = "eventstore"))]
pub(super) fn open(
    _: &str,
    _: &Path,
    _: journal::Options,
) -> Result<Arc<dyn Journal>, JournalError> {
    Err(JournalError::Unavailable(WITHOUT_EVENTSTORE.to_owned()))
}

#[cfg(not(feature = "eventstore"))]
pub(super) fn is_there(_: &str) -> Result<bool, JournalError> {
    Err(JournalError::Unavailable(WITHOUT_EVENTSTORE.to_owned()))
}

#[cfg(not(feature = "eventstore"))]
pub(super) fn delete(_: &str) -> Result<(), JournalError> {
    Err(JournalError::Unavailable(WITHOUT_EVENTSTORE.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn another_stream_of_the_same_server_keeps_all_else() {
        assert_eq!(beside("esdb://h:2113", "sandbox"), "esdb://h:2113?stream=tillroll-sandbox");
        assert_eq!(
            beside("esdb://me:p@h:2113?tls=false&stream=shop&x=1", "sandbox"),
            "esdb://me:p@h:2113?tls=false&x=1&stream=shop-sandbox"
        );
    }
}
