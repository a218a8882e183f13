//! The one shape every aggregate has: decide on a state, fold events into it.

use std::error::Error;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A pure aggregate.
///
/// `decide` never changes anything: a refused command leaves no trace. `evolve` is total:
/// facts cannot be refused. Deciding the same command twice yields no events the second
/// time, unless the command itself means "once more".
pub trait Decider: 'static {
    /// Category of its streams; part of the stored format.
    const CATEGORY: &'static str;

    type Id: AggregateId;
    /// Folded state; serialized only as a snapshot that may be thrown away.
    type State: Default + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    type Command: Clone + Debug + Send + Sync + 'static;
    type Event: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    type Rejection: Rejection;

    fn decide(
        state: &Self::State,
        command: &Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    fn evolve(state: &mut Self::State, event: &Self::Event);
}

/// Names one aggregate of its kind.
pub trait AggregateId: Clone + Debug + PartialEq + Send + Sync + 'static {
    fn key(&self) -> IdKey;
}

/// An aggregate's id in the form a store files it under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdKey {
    Uuid(Uuid),
    Text(String),
}

/// Why a command was refused. Serializes to its `code` and the values it saw.
pub trait Rejection: Error + Serialize + Clone + PartialEq + Send + Sync + 'static {
    fn kind(&self) -> RejectionKind;
}

/// What a caller can do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionKind {
    /// There is no such thing, or not for this caller.
    NotFound,
    /// The current state does not allow it.
    Conflict,
    /// A value breaks a rule, whatever the state.
    Invalid,
    /// The caller saw an older version than the current one.
    Stale,
}
