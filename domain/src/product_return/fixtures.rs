//! Returns for tests: 2 units of line 1 and 1 unit of line 2 of order 1.

use super::{ProductReturn, ReceivedUnits, ReturnCommand, ReturnEvent, ReturnReason};
use crate::LineNumber;
use crate::order::LineUnits;
use crate::testing::{Given, given, id, units};

pub(super) fn lines(of: &[(LineNumber, u32)]) -> Vec<LineUnits> {
    of.iter()
        .map(|(line, quantity)| LineUnits { line: *line, quantity: units(*quantity) })
        .collect()
}

/// (line, units, of these resellable)
pub(super) fn received_lines(of: &[(LineNumber, u32, u32)]) -> Vec<ReceivedUnits> {
    of.iter()
        .map(|(line, quantity, resellable)| ReceivedUnits {
            line: *line,
            quantity: units(*quantity),
            resellable: *resellable,
        })
        .collect()
}

pub(super) fn request(of: &[(LineNumber, u32)], rma_number: &str) -> ReturnCommand {
    ReturnCommand::Request {
        return_id: id(21),
        order_id: id(1),
        rma_number: rma_number.to_owned(),
        lines: lines(of),
        reason: ReturnReason::Damaged,
        note: String::new(),
    }
}

pub(super) fn receive(of: &[(LineNumber, u32, u32)], refund_minor: i64) -> ReturnCommand {
    ReturnCommand::Receive { lines: received_lines(of), refund_minor, refund_id: Some(id(31)) }
}

pub(super) fn requested_event() -> ReturnEvent {
    ReturnEvent::Requested {
        return_id: id(21),
        order_id: id(1),
        rma_number: "RMA-1".to_owned(),
        lines: lines(&[(1, 2), (2, 1)]),
        reason: ReturnReason::Damaged,
        note: String::new(),
    }
}

pub(super) fn received_event(of: &[(LineNumber, u32, u32)]) -> ReturnEvent {
    ReturnEvent::Received {
        order_id: id(1),
        lines: received_lines(of),
        refund_minor: 400,
        refund_id: Some(id(31)),
    }
}

pub(super) fn rejected_event() -> ReturnEvent {
    ReturnEvent::Rejected { order_id: id(1), note: "too late".to_owned() }
}

pub(super) fn requested() -> Given<ProductReturn> {
    given::<ProductReturn>([requested_event()])
}
