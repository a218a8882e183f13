//! The return is turned down.

use super::{ReturnEvent, ReturnOnRecord, ReturnRejection, ReturnStatus};

/// Rejects once; the first note stays. What was received stays received.
pub(super) fn reject(
    on_record: &ReturnOnRecord,
    note: &str,
) -> Result<Vec<ReturnEvent>, ReturnRejection> {
    match on_record.status {
        ReturnStatus::Requested => Ok(vec![ReturnEvent::Rejected {
            order_id: on_record.order_id,
            note: note.to_owned(),
        }]),
        ReturnStatus::Rejected => Ok(vec![]),
        ReturnStatus::Received => Err(ReturnRejection::StatusConflict {
            current: ReturnStatus::Received,
            requested: ReturnStatus::Rejected,
        }),
    }
}
