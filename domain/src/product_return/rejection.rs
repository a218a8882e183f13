//! Why a return command was refused.

use serde::Serialize;

use super::ReturnStatus;
use crate::{LineNumber, Rejection, RejectionKind, ReturnId};

/// Which rule of a return was broken, and what was seen.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ReturnRejection {
    #[error("there is no such return")]
    NotFound,
    #[error("return {return_id} is already on record with other content")]
    ReturnDiffers { return_id: ReturnId },
    #[error("a return that is {current} cannot become {requested}")]
    StatusConflict { current: ReturnStatus, requested: ReturnStatus },
    #[error("the return is already received with other units")]
    ReceiptDiffers,
    #[error("{field} must not be empty")]
    Missing { field: &'static str },
    #[error("at least one line is needed, none was given")]
    NoLines { field: &'static str },
    #[error("each line may be named once, {line} was named twice")]
    LineRepeated { field: &'static str, line: LineNumber },
    #[error("line {line} is not part of the return")]
    UnknownLine { field: &'static str, line: LineNumber },
    #[error("of line {line} {requested} units were to come back, not {received}")]
    ReceivedBeyondRequested { field: &'static str, line: LineNumber, requested: u32, received: u32 },
    #[error("of line {line} {received} units came back: {resellable} cannot be resellable")]
    ResellableBeyondReceived {
        field: &'static str,
        line: LineNumber,
        received: u32,
        resellable: u32,
    },
    #[error("{field} must not be negative, as {given} is")]
    NegativeAmount { field: &'static str, given: i64 },
}

impl Rejection for ReturnRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::ReturnDiffers { .. } | Self::StatusConflict { .. } | Self::ReceiptDiffers => {
                RejectionKind::Conflict
            }
            Self::Missing { .. }
            | Self::NoLines { .. }
            | Self::LineRepeated { .. }
            | Self::UnknownLine { .. }
            | Self::ReceivedBeyondRequested { .. }
            | Self::ResellableBeyondReceived { .. }
            | Self::NegativeAmount { .. } => RejectionKind::Invalid,
        }
    }
}

/// At least one line, each once.
pub(super) fn check_named_once(
    lines: impl ExactSizeIterator<Item = LineNumber>,
) -> Result<(), ReturnRejection> {
    let field = "lines";
    if lines.len() == 0 {
        return Err(ReturnRejection::NoLines { field });
    }
    match crate::order::line_units::repeated_line(lines) {
        Some(line) => Err(ReturnRejection::LineRepeated { field, line }),
        None => Ok(()),
    }
}
