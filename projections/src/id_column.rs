//! Ids as columns: 16 bytes, in the order the id itself has.

use crate::sql::FromSqlError;
use crate::sql::Row;
use journal::StreamKey;
use uuid::Uuid;

use crate::{Envelope, StoreError};

/// The id an event's stream is named by; `None` for streams that are named by text.
pub(crate) fn stream_id<T: From<Uuid>>(event: &Envelope) -> Option<T> {
    match &event.stream.key {
        StreamKey::Uuid(id) => Some(T::from(*id)),
        StreamKey::Text(_) => None,
    }
}

/// Reads an id; an error if the column does not hold 16 bytes.
pub(crate) fn id<T: From<Uuid>>(row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    row.get::<[u8; 16]>(column).map(|bytes| T::from(Uuid::from_bytes(bytes)))
}

/// Like [`id`] for a column that may be null.
pub(crate) fn optional_id<T: From<Uuid>>(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<T>, StoreError> {
    row.get::<Option<[u8; 16]>>(column)
        .map(|bytes| bytes.map(|bytes| T::from(Uuid::from_bytes(bytes))))
}

/// Reads ids written one after another; an error if the last one is cut off.
pub(crate) fn ids(blob: &[u8]) -> Result<impl Iterator<Item = Uuid>, FromSqlError> {
    let (whole, rest) = blob.as_chunks::<16>();
    if rest.is_empty() {
        Ok(whole.iter().map(|bytes| Uuid::from_bytes(*bytes)))
    } else {
        Err(FromSqlError::InvalidBlobSize {
            expected_size: whole.len() * 16,
            blob_size: blob.len(),
        })
    }
}
