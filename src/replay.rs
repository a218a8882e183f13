//! What happened, told from the journal alone: one order's whole story, the state of anything at
//! any past moment, and the log itself as lines. Only reads, and works beside a running server.
//!
//! An event has a time it occurred (business time) and a time it was recorded. A moment is one of
//! the first kind unless said otherwise.

mod find;
mod log;
mod moment;
mod reference;
mod sealed;
mod state;
mod state_text;
mod story;
mod story_text;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests;
mod words;
mod words_of_goods;

use std::io;

use domain::OrderId;
use journal::{JournalError, Position, StreamId};

pub use log::{LogEnd, LogFilter, LogOptions, export, line, log};
pub use moment::{AsOf, Moment};
pub use reference::orders_by_reference;
pub use sealed::{ERASED, Reveal, SEALED};
pub use state::{StateThen, state};
pub use story::{LineThen, Story, StoryEntry, StorySummary, order};
pub use story_text::Telling;

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("`{0}` is no moment: give a time such as 2026-03-01T09:00:00Z, a date, or @position")]
    NotAMoment(String),
    #[error("there is no order {0}")]
    UnknownOrder(OrderId),
    #[error("there is no order with the id or the reference `{0}`")]
    UnknownReference(String),
    #[error("{} orders have the reference `{reference}`: {}", .orders.len(), listed(.orders))]
    SeveralOrders { reference: String, orders: Vec<OrderId> },
    #[error("there is no stream {0}")]
    UnknownStream(StreamId),
    #[error("{0} had no events yet at that moment")]
    NotYet(StreamId),
    #[error("no aggregate is kept in streams of category `{0}`")]
    UnknownCategory(String),
    #[error("the event at position {} cannot be read: {why}", position.0)]
    Unreadable { position: Position, why: String },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn listed(orders: &[OrderId]) -> String {
    orders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
