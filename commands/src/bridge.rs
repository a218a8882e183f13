//! The bridge to cqrs-es: any decider is a `cqrs_es::Aggregate`, and a journal is its event store.
//!
//! A plain cqrs-es program can so run the engine's aggregates on the engine's journal. The bus
//! itself decides on the decider directly: `Aggregate::handle` changes the aggregate as it goes
//! and so cannot take part in a unit that may yet be refused (docs/adr/0002).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{
    Aggregate, AggregateContext, AggregateError, DomainEvent, EventEnvelope, EventStore,
};
use domain::{Decider, Timestamp};
use journal::{
    Category, Group, Journal, JournalError, NewEvent, Recorded, StreamId, Unit, Verdict,
};
use schemas::StoredEvent;
use serde::{Deserialize, Serialize};

use crate::ports::{Clock, IdSource};
use crate::unit::Runs;

/// A decider as a cqrs-es aggregate.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Bridge<D: Decider>(pub D::State);

/// A decider's event as a cqrs-es event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stored<E>(pub E);

impl<D: Decider> Default for Bridge<D> {
    fn default() -> Self {
        Self(D::State::default())
    }
}

impl<D: Decider> fmt::Debug for Bridge<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(D::CATEGORY).field(&self.0).finish()
    }
}

impl<E> DomainEvent for Stored<E>
where
    E: StoredEvent + Serialize + serde::de::DeserializeOwned + Clone + PartialEq + fmt::Debug,
{
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }
    fn event_version(&self) -> String {
        self.0.schema_version().to_string()
    }
}

impl<D: Runs> Aggregate for Bridge<D> {
    const TYPE: &'static str = D::CATEGORY;
    type Command = D::Command;
    type Event = Stored<D::Event>;
    type Error = D::Rejection;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        _: &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in D::decide(&self.0, &command)? {
            sink.write(Stored(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        D::evolve(&mut self.0, &event.0);
    }
}

/// A journal as a cqrs-es event store: reads each event once, and commits at the version read.
pub struct JournalEventStore {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// An aggregate and the version it was read at.
#[derive(Debug)]
pub struct Loaded<D: Decider> {
    aggregate: Bridge<D>,
    stream: StreamId,
    version: u64,
}

impl<D: Runs> AggregateContext<Bridge<D>> for Loaded<D> {
    fn aggregate(&mut self) -> &mut Bridge<D> {
        &mut self.aggregate
    }
}

impl JournalEventStore {
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { journal, clock, ids }
    }

    async fn read(&self, stream: &StreamId) -> Result<Vec<Recorded>, JournalError> {
        let mut events: Vec<Recorded> = Vec::new();
        loop {
            let after = events.last().map_or(0, |last| last.version);
            let page = self.journal.read_stream(stream, after, 4_096).await?;
            if page.is_empty() {
                return Ok(events);
            }
            events.extend(page);
        }
    }
}

fn stream_of<D: Runs>(aggregate_id: &str) -> StreamId {
    StreamId::of_text(Category::from_static(D::CATEGORY), aggregate_id)
}

fn envelope<D: Runs>(
    recorded: &Recorded,
) -> Result<EventEnvelope<Bridge<D>>, AggregateError<D::Rejection>> {
    let event =
        D::Event::decode(recorded.event_type.as_str(), recorded.schema_version, &recorded.payload)
            .map_err(|e| AggregateError::DeserializationError(Box::new(e)))?;
    // Metadata in cqrs-es is text by name; ours is one JSON object.
    let metadata = serde_json::from_str::<HashMap<String, serde_json::Value>>(&recorded.metadata)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect();
    Ok(EventEnvelope {
        aggregate_id: recorded.stream.key.to_string(),
        sequence: usize::try_from(recorded.version).unwrap_or(usize::MAX),
        payload: Stored(event),
        metadata,
    })
}

fn failed<R: std::error::Error>(error: JournalError) -> AggregateError<R> {
    AggregateError::DatabaseConnectionError(Box::new(error))
}

impl<D: Runs> EventStore<Bridge<D>> for JournalEventStore {
    type AC = Loaded<D>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<Bridge<D>>>, AggregateError<D::Rejection>> {
        let events = self.read(&stream_of::<D>(aggregate_id)).await.map_err(failed)?;
        events.iter().map(envelope::<D>).collect()
    }

    async fn load_aggregate(
        &self,
        aggregate_id: &str,
    ) -> Result<Self::AC, AggregateError<D::Rejection>> {
        let stream = stream_of::<D>(aggregate_id);
        let mut loaded = Loaded { aggregate: Bridge::default(), stream, version: 0 };
        for recorded in self.read(&loaded.stream).await.map_err(failed)? {
            loaded.aggregate.apply(envelope::<D>(&recorded)?.payload);
            loaded.version = recorded.version;
        }
        Ok(loaded)
    }

    async fn commit(
        &self,
        events: Vec<Stored<D::Event>>,
        context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<Bridge<D>>>, AggregateError<D::Rejection>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let occurred: Timestamp = self.clock.now();
        let text = serde_json::to_string(&metadata)
            .map_err(|e| AggregateError::UnexpectedError(Box::new(e)))?;
        let new_events = events
            .iter()
            .map(|Stored(event)| NewEvent {
                id: self.ids.next(occurred),
                event_type: Category::from_static(event.event_type()),
                schema_version: event.schema_version(),
                payload: Arc::from(event.encode()),
                occurred,
            })
            .collect();
        let aggregate_id = context.stream.key.to_string();
        let group = Group { stream: context.stream, expected: context.version, events: new_events };
        let unit = Unit::new(vec![group], Arc::from(text));
        match self.journal.append(vec![unit]).await.map_err(failed)?.first() {
            Some(Verdict::Committed { .. }) => {}
            Some(_) | None => return Err(AggregateError::AggregateConflict),
        }
        let first = usize::try_from(context.version).unwrap_or(usize::MAX);
        Ok(events
            .into_iter()
            .enumerate()
            .map(|(index, payload)| EventEnvelope {
                aggregate_id: aggregate_id.clone(),
                sequence: first + index + 1,
                payload,
                metadata: metadata.clone(),
            })
            .collect())
    }
}
