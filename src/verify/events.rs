//! Every event can be read by this release, and is in a stream of its own kind.
//!
//! Keeps nothing.

use super::findings::Findings;
use super::laws::{Law, Observed};

#[derive(Debug)]
pub struct Events;

impl Law for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn says(&self) -> &'static str {
        "every event can be read, and is in a stream of its own kind"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        let recorded = event.recorded;
        found.checked();
        if let Some(why) = event.unreadable {
            let expected = || format!("a payload of {}", recorded.event_type);
            found.require(false, recorded, expected, || why.to_owned());
        }
        for said in event.events {
            found.require(
                said.category() == recorded.stream.category.as_str(),
                recorded,
                || format!("{} in a stream of category {}", said.event_type(), said.category()),
                || format!("it is in {}", recorded.stream),
            );
        }
    }
}
