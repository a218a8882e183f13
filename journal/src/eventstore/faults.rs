//! What the client's errors mean to the journal, and what to do about each.

use eventstore::Error;

use super::place::Place;
use crate::JournalError;

/// gRPC's numbers of what the server says about a batch.
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const FAILED_PRECONDITION: i32 = 9;
const UNAUTHENTICATED: i32 = 16;

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was done: the stream does not end where it was expected to.
    Moved,
    /// There is no such stream.
    Missing,
    /// Nothing was done, nor will it be until somebody changes something.
    Refused(JournalError),
    /// Another node leads. The client turns to it when a read is told so.
    NotLeader,
    /// It was done, but the mirror could not take it in.
    NotTakenIn(JournalError),
    /// What was asked for may have been done or not.
    Unknown(String),
}

impl Failure {
    /// The connection is still good for other calls.
    pub(super) fn spares_the_client(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// For whoever waits.
    pub(super) fn error(self, place: &Place) -> JournalError {
        let hosts = &place.hosts;
        match self {
            Self::Refused(error) => error,
            Self::Moved => JournalError::Unavailable(format!(
                "EventStoreDB at {hosts} says that {} has moved on, but shows nothing new",
                place.stream
            )),
            Self::Missing => gone(place),
            Self::NotLeader => JournalError::Unavailable(format!(
                "EventStoreDB at {hosts} is not the leader of its cluster: name all nodes in the \
                 URL, or make sure that the leader can be reached from here"
            )),
            Self::NotTakenIn(error) => JournalError::Unavailable(format!(
                "EventStoreDB at {hosts} has taken the append, but the mirror of this node cannot \
                 ({error}): make room or repair the disk, and it goes on by itself"
            )),
            Self::Unknown(what) => JournalError::Unavailable(format!(
                "the connection to EventStoreDB at {hosts} broke: {what}"
            )),
        }
    }
}

pub(super) fn gone(place: &Place) -> JournalError {
    JournalError::Unavailable(format!(
        "the stream {} on {} was deleted: restore the server, or begin a new journal in another \
         stream (`&stream=NAME` in the URL)",
        place.stream, place.hosts
    ))
}

pub(super) fn failure(error: Error, place: &Place) -> Failure {
    match error {
        Error::WrongExpectedVersion { .. } => Failure::Moved,
        Error::ResourceNotFound => Failure::Missing,
        Error::ResourceDeleted => Failure::Refused(gone(place)),
        Error::AccessDenied => Failure::Refused(denied(place)),
        Error::NotLeaderException(_) => Failure::NotLeader,
        Error::Grpc { code, message } => match code as i32 {
            FAILED_PRECONDITION => Failure::Moved,
            PERMISSION_DENIED | UNAUTHENTICATED => Failure::Refused(denied(place)),
            INVALID_ARGUMENT => Failure::Refused(JournalError::Unavailable(format!(
                "EventStoreDB refuses the append ({message}): raise MaxAppendSize on the server, \
                 or lower `append_bytes_max` here"
            ))),
            _ => Failure::Unknown(message),
        },
        Error::ConnectionClosed => Failure::Unknown(
            "the client has ended; if that stays so, check that the system's CA certificates (or \
             `tlsCaFile`) can be read"
                .to_owned(),
        ),
        other => Failure::Unknown(other.to_string()),
    }
}

fn denied(place: &Place) -> JournalError {
    let (hosts, stream) = (&place.hosts, &place.stream);
    JournalError::Unavailable(match &place.user {
        Some(user) => format!(
            "EventStoreDB at {hosts} denies user {user} access: check user and password in the \
             URL, and that the user may read and write {stream} and {stream}-lease-*"
        ),
        None => format!(
            "EventStoreDB at {hosts} demands a user: write esdb://USER:PASSWORD@HOST:2113 in the URL"
        ),
    })
}
