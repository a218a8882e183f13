//! Idempotent requests: the same key from the same caller gets the first one's result.
//!
//! The result is recorded in the same unit as what it is the result of, so a crash leaves both or
//! neither. Refusals are not recorded: they left nothing, and a repeat is decided anew.

use std::convert::Infallible;

use domain::{AggregateId, Decider, IdKey, Rejection, RejectionKind};
use schemas::{RawJson, RequestEvent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::refusal::{Refused, Stop};
use crate::unit::Unit;

/// A request that can be repeated: who sent it, under which key, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Keys of different callers never meet.
    pub caller: String,
    /// 1 to 255 characters, chosen by the caller.
    pub key: String,
    /// Digest of method, path and body: a repeat must say the same.
    pub digest: String,
}

impl RequestKey {
    #[must_use]
    pub fn new(caller: &str, key: &str, said: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in said {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { caller: caller.to_owned(), key: key.to_owned(), digest: hex(&hash.finalize()[..16]) }
    }
}

/// A result, and whether it is the one of an earlier request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once<T> {
    pub value: T,
    pub replayed: bool,
}

impl Unit<'_> {
    /// Runs `work` unless this request was answered before; then returns that answer.
    pub fn once<T: Serialize + DeserializeOwned>(
        &mut self,
        request: Option<&RequestKey>,
        work: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<Once<T>, Stop> {
        let Some(request) = request else {
            return Ok(Once { value: work(self)?, replayed: false });
        };
        let id = RequestId::of(request);
        if let Some(answered) = self.state::<RequestLog>(&id)? {
            if answered.digest != request.digest {
                return Err(Refused::new(
                    RejectionKind::Invalid,
                    "idempotency_key_reused",
                    "this idempotency key was used for a different request",
                )
                .with("field", "Idempotency-Key")
                .into());
            }
            let value = serde_json::from_str(&answered.outcome)
                .map_err(|e| Stop::Corrupt(format!("recorded outcome: {e}")))?;
            return Ok(Once { value, replayed: true });
        }
        let value = work(self)?;
        let outcome =
            RawJson::of(&value).map_err(|e| Stop::Corrupt(format!("outcome to record: {e}")))?;
        self.record::<RequestLog>(
            &id,
            vec![RequestEvent::Recorded {
                caller: request.caller.clone(),
                key: request.key.clone(),
                digest: request.digest.clone(),
                outcome,
            }],
        )?;
        Ok(Once { value, replayed: false })
    }
}

/// Names the stream of one caller's key, by digest: keys are chosen by callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    fn of(request: &RequestKey) -> Self {
        let mut hash = Sha256::new();
        hash.update((request.caller.len() as u64).to_be_bytes());
        hash.update(request.caller.as_bytes());
        hash.update(request.key.as_bytes());
        Self(hex(&hash.finalize()[..16]))
    }
}

impl AggregateId for RequestId {
    fn key(&self) -> IdKey {
        IdKey::Text(self.0.clone())
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub digest: String,
    /// The result as JSON text.
    pub outcome: String,
}

/// The answers given to one key; there is at most one.
#[derive(Debug)]
pub struct RequestLog;

impl Decider for RequestLog {
    const CATEGORY: &'static str = "request";
    type Id = RequestId;
    type State = Option<Answered>;
    type Command = Infallible;
    type Event = RequestEvent;
    type Rejection = NeverRefused;

    fn decide(_: &Self::State, command: &Infallible) -> Result<Vec<RequestEvent>, NeverRefused> {
        match *command {}
    }

    fn evolve(state: &mut Self::State, event: &RequestEvent) {
        let RequestEvent::Recorded { digest, outcome, .. } = event;
        *state = Some(Answered { digest: digest.clone(), outcome: outcome.get().to_owned() });
    }
}

/// Facts are recorded here without a decision.
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
pub enum NeverRefused {}

impl Rejection for NeverRefused {
    fn kind(&self) -> RejectionKind {
        match *self {}
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
