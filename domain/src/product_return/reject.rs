//! The return is turned down.

use super::{ReturnEvent, ReturnOnRecord, ReturnRejection, ReturnStatus};

/// Rejects once; the first note stays. What was received stays received.
pub(super) fn reject(
    on_record: &ReturnOnRecord,
    note: &str,
) -> Result<Vec<ReturnEvent>, ReturnRejection> {
    match on_record.status {
        ReturnStatus::Requested => {
            Ok(vec![ReturnEvent::Rejected { order_id: on_record.order_id, note: note.to_owned() }])
        }
        ReturnStatus::Rejected => Ok(vec![]),
        ReturnStatus::Received => Err(ReturnRejection::StatusConflict {
            current: ReturnStatus::Received,
            requested: ReturnStatus::Rejected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReturnCommand;
    use super::super::fixtures::{received_event, rejected_event, requested};
    use super::*;

    fn reject(note: &str) -> ReturnCommand {
        ReturnCommand::Reject { note: note.to_owned() }
    }

    #[test]
    fn a_return_is_rejected_once() {
        requested()
            .when(reject("too late"))
            .then_once([rejected_event()])
            .when(reject("another note"))
            .then_nothing();
    }

    #[test]
    fn what_was_received_stays_received() {
        requested().and([received_event(&[(1, 1, 1)])]).when(reject("too late")).then_rejected(
            ReturnRejection::StatusConflict {
                current: ReturnStatus::Received,
                requested: ReturnStatus::Rejected,
            },
        );
    }
}
