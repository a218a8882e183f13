//! What an operator asks later: who, on whose behalf, which request, caused by what.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use journal::Fence;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Recorded with every event of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Names the command; all events of one unit share it.
    pub command_id: Uuid,
    /// Names the whole conversation: the request, and all that followed from it.
    pub correlation_id: Uuid,
    /// The event that led to this command, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// Who did it, by role and id: `system`, `customer:…`, `support:…`.
    pub actor: Arc<str>,
    /// For whom, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Arc<str>>,
    /// The HTTP request's id, or the import's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Arc<str>>,
    /// W3C trace context, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Arc<str>>,
}

/// Who sends a command, as far as the bus must know.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    pub actor: Option<Arc<str>>,
    pub on_behalf_of: Option<Arc<str>>,
    pub request: Option<Arc<str>>,
    pub traceparent: Option<Arc<str>>,
    /// `None` starts a new conversation.
    pub correlation_id: Option<Uuid>,
    pub causation_id: Option<Uuid>,
    /// Business time, where it is not the clock's: an import.
    pub occurred: Option<DateTime<Utc>>,
    /// The lease under which this is done; once it has passed on, nothing is.
    pub fence: Option<Fence>,
}

impl Caller {
    /// The engine itself.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn named(actor: &str) -> Self {
        Self { actor: Some(Arc::from(actor)), ..Self::default() }
    }

    /// The same in this conversation, unless it is in one already. What is done for an order is one
    /// conversation under the order's id, however long after and by whomever it goes on.
    #[must_use]
    pub fn in_conversation(&self, id: Uuid) -> Self {
        Self { correlation_id: self.correlation_id.or(Some(id)), ..self.clone() }
    }

    /// The same, under a lease.
    #[must_use]
    pub fn under(&self, fence: Option<Fence>) -> Self {
        Self { fence, ..self.clone() }
    }

    /// The actor's name as recorded.
    #[must_use]
    pub fn actor_name(&self) -> Arc<str> {
        self.actor.clone().unwrap_or_else(|| Arc::from("system"))
    }
}
