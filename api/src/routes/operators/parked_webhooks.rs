//! `GET /admin/webhooks/parked`.

use commands::Runs;
use domain::Timestamp;
use journal::Recorded;
use sagas::webhook_inbox::{Inbox, InboxId};
use schemas::{StoredEvent, WebhookEvent};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::roles::{ADMIN, SUPPORT};
use crate::auth::{Asking, Who};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;

const LISTED_MAX: usize = 200;
/// A message is received, parked, and later applied or ignored: three events.
const EVENTS_MAX: usize = 16;

/// A payment provider's message that cannot be applied yet.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ParkedWebhook {
    /// Its stream in the journal is `webhook-` and this.
    id: String,
    provider: String,
    /// The provider's own id of the message.
    message_id: String,
    event_type: String,
    /// The order it names, if it names one.
    order_id: Option<String>,
    /// What it waits for.
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    parked_at: Timestamp,
}

/// Messages that wait, those that wait longest first; at most 200.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParkedWebhooksBody {
    webhooks: Vec<ParkedWebhook>,
}

/// Payment providers' messages that wait for their order, or for an answer that is ahead of them.
///
/// Each is tried again every few seconds. `tillroll_webhooks_parked_oldest_seconds` at `/metrics`
/// is what to put an alarm on.
#[utoipa::path(get, path = "/admin/webhooks/parked", tag = "operators",
    responses((status = 200, description = "Parked webhooks", body = ParkedWebhooksBody)))]
pub(crate) async fn list_parked_webhooks(who: Who<{ SUPPORT | ADMIN }>) -> Answer {
    let parked = parked(&who, LISTED_MAX).await?;
    let mut webhooks = Vec::with_capacity(parked.len());
    for (id, parked_at) in parked {
        let stream = Inbox::stream(&InboxId(id.clone()));
        let events = who.services().journal.read_stream(&stream, 0, EVENTS_MAX).await?;
        let mut webhook = ParkedWebhook { id, parked_at, ..ParkedWebhook::default() };
        for event in events.iter().flat_map(decoded) {
            webhook.learn(event);
        }
        webhooks.push(webhook);
    }
    Reply::ok().json(&ParkedWebhooksBody { webhooks })
}

/// Which messages wait, and since when.
pub(crate) async fn parked(who: &Asking, max: usize) -> Result<Vec<(String, Timestamp)>, Problem> {
    let services = who.shared();
    let listed = off_thread(move || (services.parked_webhooks)(max)).await?;
    listed.map_err(|error| {
        tracing::error!(error, "parked webhooks cannot be listed");
        Problem::new(catalogue::READ_MODEL_UNAVAILABLE, "the list cannot be read now")
            .retry_after(1)
    })
}

/// What cannot be read is left out: the message itself is still listed.
fn decoded(event: &Recorded) -> Vec<WebhookEvent> {
    let name = event.event_type.as_str();
    WebhookEvent::decode_all(name, event.schema_version, &event.payload).unwrap_or_default()
}

impl ParkedWebhook {
    fn learn(&mut self, event: WebhookEvent) {
        match event {
            WebhookEvent::Received { provider, event_id, event_type, payload } => {
                let body: Value = serde_json::from_str(payload.get()).unwrap_or_default();
                self.order_id = body["data"]["order_id"].as_str().map(str::to_owned);
                (self.provider, self.message_id) = (provider, event_id);
                self.event_type = event_type;
            }
            WebhookEvent::Parked { reason } => self.reason = reason,
            WebhookEvent::Applied {} | WebhookEvent::Ignored { .. } => {}
        }
    }
}
