//! The goods arrived and were looked at.

use super::rejection::check_named_once;
use super::{ReceivedUnits, ReturnEvent, ReturnOnRecord, ReturnRejection, ReturnStatus};
use crate::RefundId;

/// Receives once, at most the units requested. The refund is not compared on a repeat: the first
/// receipt settled it.
pub(super) fn receive(
    on_record: &ReturnOnRecord,
    lines: &[ReceivedUnits],
    refund_minor: i64,
    refund_id: Option<RefundId>,
) -> Result<Vec<ReturnEvent>, ReturnRejection> {
    match on_record.status {
        ReturnStatus::Requested => {}
        ReturnStatus::Received if same_receipt(&on_record.received, lines) => return Ok(vec![]),
        ReturnStatus::Received => return Err(ReturnRejection::ReceiptDiffers),
        ReturnStatus::Rejected => {
            return Err(ReturnRejection::StatusConflict {
                current: ReturnStatus::Rejected,
                requested: ReturnStatus::Received,
            });
        }
    }
    check_named_once(lines.iter().map(|received| received.line))?;
    for received in lines {
        check_received(on_record, *received)?;
    }
    if refund_minor < 0 {
        return Err(ReturnRejection::NegativeAmount { field: "refund_minor", given: refund_minor });
    }
    Ok(vec![ReturnEvent::Received {
        order_id: on_record.order_id,
        lines: lines.to_vec(),
        refund_minor,
        refund_id,
    }])
}

fn check_received(
    on_record: &ReturnOnRecord,
    received: ReceivedUnits,
) -> Result<(), ReturnRejection> {
    let line = received.line;
    let requested = on_record
        .lines
        .iter()
        .find(|units| units.line == line)
        .ok_or(ReturnRejection::UnknownLine { field: "lines", line })?;
    if received.quantity > requested.quantity {
        return Err(ReturnRejection::ReceivedBeyondRequested {
            field: "lines.quantity",
            line,
            requested: requested.quantity.get(),
            received: received.quantity.get(),
        });
    }
    if received.resellable > received.quantity.get() {
        return Err(ReturnRejection::ResellableBeyondReceived {
            field: "lines.resellable",
            line,
            received: received.quantity.get(),
            resellable: received.resellable,
        });
    }
    Ok(())
}

fn same_receipt(left: &[ReceivedUnits], right: &[ReceivedUnits]) -> bool {
    let sorted = |lines: &[ReceivedUnits]| {
        let mut rows: Vec<_> = lines.iter().map(|r| (r.line, r.quantity, r.resellable)).collect();
        rows.sort_unstable();
        rows
    };
    sorted(left) == sorted(right)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{receive, received_event, rejected_event, requested};
    use super::*;

    #[test]
    fn goods_are_received_once_and_may_be_fewer() {
        requested()
            .when(receive(&[(2, 1, 0), (1, 1, 1)], 400))
            .then_once([received_event(&[(2, 1, 0), (1, 1, 1)])])
            .when(receive(&[(1, 1, 1), (2, 1, 0)], 399))
            .then_nothing()
            .when(receive(&[(1, 2, 1), (2, 1, 0)], 400))
            .then_rejected(ReturnRejection::ReceiptDiffers);
    }

    #[test]
    fn a_rejected_return_is_not_received() {
        requested().and([rejected_event()]).when(receive(&[(1, 1, 1)], 400)).then_rejected(
            ReturnRejection::StatusConflict {
                current: ReturnStatus::Rejected,
                requested: ReturnStatus::Received,
            },
        );
    }

    #[test]
    fn no_more_comes_back_than_was_asked_for() {
        requested()
            .when(receive(&[(1, 3, 0)], 400))
            .then_rejected(ReturnRejection::ReceivedBeyondRequested {
                field: "lines.quantity",
                line: 1,
                requested: 2,
                received: 3,
            })
            .when(receive(&[(1, 1, 2)], 400))
            .then_rejected(ReturnRejection::ResellableBeyondReceived {
                field: "lines.resellable",
                line: 1,
                received: 1,
                resellable: 2,
            })
            .when(receive(&[(3, 1, 0)], 400))
            .then_rejected(ReturnRejection::UnknownLine { field: "lines", line: 3 });
    }

    #[test]
    fn a_receipt_names_lines_once_and_owes_no_less_than_nothing() {
        let field = "lines";
        requested()
            .when(receive(&[], 400))
            .then_rejected(ReturnRejection::NoLines { field })
            .when(receive(&[(1, 1, 0), (1, 1, 0)], 400))
            .then_rejected(ReturnRejection::LineRepeated { field, line: 1 })
            .when(receive(&[(1, 1, 0)], -1))
            .then_rejected(ReturnRejection::NegativeAmount { field: "refund_minor", given: -1 });
    }
}
