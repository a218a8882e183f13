//! What was acknowledged is present once: a command's events stand in one row, and command ids,
//! event ids and request keys are each used once.
//!
//! Ids are compared by sorting: a million of each kind in memory, the rest in sorted files that are
//! merged at the end. So memory stays at 48 MB however long the journal is.

use journal::{Position, StreamKey};
use schemas::{AnyEvent, RequestEvent, WebhookEvent};
use sha2::{Digest, Sha256};

use super::findings::{Findings, Place};
use super::laws::{Law, Observed};
use super::unique::UniqueIds;

#[derive(Default)]
pub struct Requests {
    commands: UniqueIds,
    events: UniqueIds,
}

impl Law for Requests {
    fn name(&self) -> &'static str {
        "requests"
    }

    fn says(&self) -> &'static str {
        "command ids, event ids, request keys and provider messages are each on record once"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        let recorded = event.recorded;
        found.checked();
        self.events.push(recorded.id, recorded.position.0);
        if event.starts_unit
            && let Some(command_id) = event.command_id
        {
            self.commands.push(command_id, recorded.position.0);
        }
        for said in event.events {
            match said {
                AnyEvent::Request(RequestEvent::Recorded { caller, key, .. }) => {
                    let stream = request_stream(caller, key);
                    let named = matches!(&recorded.stream.key, StreamKey::Text(k) if **k == stream);
                    found.require(
                        named && recorded.version == 1,
                        recorded,
                        || format!("the one answer to this key, in request-{stream}"),
                        || format!("version {} of {}", recorded.version, recorded.stream),
                    );
                }
                AnyEvent::Webhook(WebhookEvent::Received { event_id, .. }) => {
                    found.require(
                        recorded.version == 1,
                        recorded,
                        || format!("provider message {event_id} on record once"),
                        || format!("version {}", recorded.version),
                    );
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        let mut report = |ids: &mut UniqueIds, what: &str| {
            let repeated = std::mem::take(ids).repeated(&mut |id, first, again| {
                let place = Place {
                    position: Position(again),
                    stream: format!("{what} {}", id.hyphenated()),
                };
                found.violation(&place, "used once", format!("first at position {first}"));
            });
            if let Err(error) = repeated {
                let place = Place::outside(format!("{what} ids"));
                found.violation(&place, "ids that can be compared", error.to_string());
            }
        };
        report(&mut self.commands, "command");
        report(&mut self.events, "event");
    }
}

/// The key of the stream in which a caller's request key is recorded: so that there is one stream
/// for each, and one event in it.
fn request_stream(caller: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((caller.len() as u64).to_be_bytes());
    hash.update(caller.as_bytes());
    hash.update(key.as_bytes());
    let digest = hash.finalize();
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
