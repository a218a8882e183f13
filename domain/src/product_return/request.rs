//! A buyer asks to send units back.

use super::rejection::check_named_once;
use super::{ReturnEvent, ReturnOnRecord, ReturnReason, ReturnRejection};
use crate::order::LineUnits;
use crate::order::line_units::same_units;
use crate::{OrderId, ReturnId};

/// What a request is compared by.
pub(super) struct Asked<'a> {
    pub(super) return_id: ReturnId,
    pub(super) order_id: OrderId,
    pub(super) rma_number: &'a str,
    pub(super) lines: &'a [LineUnits],
}

/// Opens a return once. Whether its units were ever delivered is the order's to say.
pub(super) fn request(
    state: Option<&ReturnOnRecord>,
    asked: &Asked<'_>,
    reason: ReturnReason,
    note: &str,
) -> Result<Vec<ReturnEvent>, ReturnRejection> {
    if let Some(on_record) = state {
        let same = on_record.order_id == asked.order_id
            && on_record.rma_number == asked.rma_number
            && same_units(&on_record.lines, asked.lines);
        return if same {
            Ok(vec![])
        } else {
            Err(ReturnRejection::ReturnDiffers { return_id: asked.return_id })
        };
    }
    check_named_once(asked.lines.iter().map(|units| units.line))?;
    if asked.rma_number.trim().is_empty() {
        return Err(ReturnRejection::Missing { field: "rma_number" });
    }
    Ok(vec![ReturnEvent::Requested {
        return_id: asked.return_id,
        order_id: asked.order_id,
        rma_number: asked.rma_number.to_owned(),
        lines: asked.lines.to_vec(),
        reason,
        note: note.to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{request, requested, requested_event};
    use super::super::{ProductReturn, ReturnCommand};
    use super::*;
    use crate::testing::{given, id};

    #[test]
    fn a_return_is_asked_for_once() {
        given::<ProductReturn>([])
            .when(request(&[(1, 2), (2, 1)], "RMA-1"))
            .then_once([requested_event()]);
        for other in [request(&[(1, 1), (2, 1)], "RMA-1"), request(&[(1, 2), (2, 1)], "RMA-2")] {
            requested()
                .when(other)
                .then_rejected(ReturnRejection::ReturnDiffers { return_id: id(21) });
        }
    }

    #[test]
    fn a_request_names_lines_once_and_has_a_number() {
        let field = "lines";
        given::<ProductReturn>([])
            .when(request(&[], "RMA-1"))
            .then_rejected(ReturnRejection::NoLines { field })
            .when(request(&[(1, 1), (1, 1)], "RMA-1"))
            .then_rejected(ReturnRejection::LineRepeated { field, line: 1 })
            .when(request(&[(1, 1)], " "))
            .then_rejected(ReturnRejection::Missing { field: "rma_number" })
            .when(ReturnCommand::Reject { note: String::new() })
            .then_rejected(ReturnRejection::NotFound);
    }
}
