//! Request: the stored answer of one idempotent request, so that a repeat gets the same one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RawJson;

/// What is kept of an idempotent request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum RequestEvent {
    /// The request was answered; the same key of the same caller gets this answer again.
    Recorded {
        /// Who asked; keys of different callers never meet.
        caller: String,
        /// The caller's idempotency key.
        key: String,
        /// Fingerprint of the request: the same key with another digest is a mistake.
        digest: String,
        /// The answer.
        outcome: RawJson,
    },
}
