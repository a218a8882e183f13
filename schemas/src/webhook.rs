//! Webhook: one message of a payment provider, kept before it is acted on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RawJson;

/// What became of a provider's message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum WebhookEvent {
    /// Its signature was good; it is on record as it came.
    Received {
        /// Name of the provider, such as `sandbox`.
        provider: String,
        /// The provider's own id of the message; a repeat has the same one.
        event_id: String,
        /// The provider's own name for what happened.
        event_type: String,
        /// The message.
        payload: RawJson,
    },
    /// What it says is in the books.
    Applied {},
    /// It cannot be applied yet, or contradicts the books: somebody looks at it.
    Parked {
        /// Why.
        reason: String,
    },
    /// Nothing here is meant by it.
    Ignored {
        /// Why.
        reason: String,
    },
}
