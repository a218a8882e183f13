//! All laws over one pass of events: the same for a journal on disk, a test and a simulation.

use std::sync::Arc;

use journal::Recorded;
use schemas::{AnyEvent, DecodeError, decode_any, decode_any_all};
use serde::Deserialize;
use uuid::Uuid;

use super::findings::{Findings, LawReport};
use super::{events, liveness, money, once, orders, requests, reservations, stock, streams};

/// One event as laws see it.
pub struct Observed<'a> {
    pub recorded: &'a Recorded,
    /// What it says in today's terms: one event, or several or none for an old one.
    pub events: &'a [AnyEvent],
    /// Why it cannot be read, if it cannot.
    pub unreadable: Option<&'a str>,
    /// The command it came from; all events of one command are next to each other.
    pub command_id: Option<Uuid>,
    /// Whether it is the first of its command.
    pub starts_unit: bool,
}

/// Something that must hold after anything, always.
///
/// Events come in journal order, each once, from the first one on. A law keeps what it needs to
/// judge the next event and no more; each says in its module how much that is.
pub trait Law: Send {
    fn name(&self) -> &'static str;

    /// The law, in one line.
    fn says(&self) -> &'static str;

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings);

    /// Every event of one command has been seen: what only holds between commands holds now.
    fn unit_ended(&mut self, _found: &mut Findings) {}

    /// There are no more events.
    fn finish(&mut self, _found: &mut Findings) {}
}

/// A set of laws and what they have found so far.
pub struct Laws {
    laws: Vec<(Box<dyn Law>, Findings)>,
    events: u64,
    unit: UnitInSight,
}

impl Laws {
    /// Every law that needs nothing but the events.
    #[must_use]
    pub fn all() -> Self {
        Self::of(vec![
            Box::new(events::Events),
            Box::new(streams::Streams::default()),
            Box::new(stock::Stock::default()),
            Box::new(reservations::Reservations::default()),
            Box::new(money::Payments::default()),
            Box::new(orders::Orders::default()),
            Box::new(once::Once::default()),
            Box::new(requests::Requests::default()),
            Box::new(liveness::Liveness::default()),
        ])
    }

    #[must_use]
    pub fn of(laws: Vec<Box<dyn Law>>) -> Self {
        let laws = laws.into_iter().map(|law| (law, Findings::default())).collect();
        Self { laws, events: 0, unit: UnitInSight::default() }
    }

    /// Adds a law that needs more than the events, such as [`super::provider::Agreement`].
    #[must_use]
    pub fn and(mut self, law: Box<dyn Law>) -> Self {
        self.laws.push((law, Findings::default()));
        self
    }

    /// Takes in the next event of the journal.
    pub fn observe(&mut self, recorded: &Recorded) {
        self.events += 1;
        let starts_unit = self.unit.begins_anew(recorded);
        if starts_unit && self.events > 1 {
            self.unit_ended();
        }
        let mut unreadable = None;
        let mut one;
        let mut several = Vec::new();
        let name = recorded.event_type.as_str();
        let events = match decode_any(name, recorded.schema_version, &recorded.payload) {
            Ok(event) => {
                one = Some(event);
                one.as_mut_slice()
            }
            Err(DecodeError::NotOneEvent { .. }) => {
                match decode_any_all(name, recorded.schema_version, &recorded.payload) {
                    Ok(events) => several = events,
                    Err(error) => unreadable = Some(in_full(&error)),
                }
                several.as_mut_slice()
            }
            Err(error) => {
                unreadable = Some(in_full(&error));
                several.as_mut_slice()
            }
        };
        let observed = Observed {
            recorded,
            events,
            unreadable: unreadable.as_deref(),
            command_id: self.unit.command_id,
            starts_unit,
        };
        for (law, found) in &mut self.laws {
            law.observe(&observed, found);
        }
    }

    /// How many events have been taken in.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Ends the pass: how each law stands.
    #[must_use]
    pub fn finish(mut self) -> Vec<LawReport> {
        self.unit_ended();
        let judged = self.laws.into_iter().map(|(mut law, mut found)| {
            law.finish(&mut found);
            found.into_report(law.name(), law.says())
        });
        judged.collect()
    }

    fn unit_ended(&mut self) {
        for (law, found) in &mut self.laws {
            law.unit_ended(found);
        }
    }
}

fn in_full(error: &DecodeError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The command whose events are passing by.
#[derive(Default)]
struct UnitInSight {
    metadata: Option<Arc<str>>,
    command_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct CommandOf {
    #[serde(default)]
    command_id: Option<Uuid>,
}

impl UnitInSight {
    /// Whether this event is of another command than the one before. Events of a program that
    /// names no commands stand each for itself.
    fn begins_anew(&mut self, recorded: &Recorded) -> bool {
        // All events of a unit carry the same text, so it is read once a unit.
        if self.metadata.as_deref() == Some(&*recorded.metadata) {
            return self.command_id.is_none();
        }
        let read = serde_json::from_str::<CommandOf>(&recorded.metadata);
        let command_id = read.ok().and_then(|metadata| metadata.command_id);
        let same = command_id.is_some() && command_id == self.command_id;
        self.metadata = Some(Arc::clone(&recorded.metadata));
        self.command_id = command_id;
        !same
    }
}
