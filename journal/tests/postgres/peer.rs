//! A plain `postgres-es` program and this journal on the same aggregates.

use std::sync::Arc;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, AggregateError, CqrsFramework, DomainEvent};
use journal::{Category, EventType, Group, Journal, NewEvent, Position, StreamId, Unit, Verdict};
use postgres_es::{PostgresEventRepository, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::sample::{all, append, assert_sound, is_committed, open};
use test_servers::postgres as server;

/// Counts what it was given.
#[derive(Default, Serialize, Deserialize)]
struct Tally {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Counted {
    Added { number: u64 },
}

#[derive(Debug, thiserror::Error)]
#[error("the total is {0}")]
struct Wrong(u64);

enum Command {
    Add(u64),
    /// Fails unless the total is this.
    Expect(u64),
}

impl DomainEvent for Counted {
    fn event_type(&self) -> String {
        "tally.added".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Tally {
    const TYPE: &'static str = "tally";
    type Command = Command;
    type Event = Counted;
    type Error = Wrong;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Wrong> {
        match command {
            Command::Add(number) => {
                sink.write(Counted::Added { number }, self).await;
                sink.write(Counted::Added { number: 0 }, self).await;
                Ok(())
            }
            Command::Expect(total) if total == self.total => Ok(()),
            Command::Expect(_) => Err(Wrong(self.total)),
        }
    }

    fn apply(&mut self, event: Counted) {
        let Counted::Added { number } = event;
        self.total += number;
    }
}

type Program =
    CqrsFramework<Tally, cqrs_es::persist::PersistedEventStore<PostgresEventRepository, Tally>>;

async fn program(url: &str) -> Program {
    postgres_cqrs(PgPool::connect(url).await.unwrap(), Vec::new(), ())
}

fn add(stream: &StreamId, expected: u64, number: u64) -> Unit {
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: EventType::new("tally.added"),
        schema_version: 1,
        payload: Arc::from(format!(r#"{{"Added":{{"number":{number}}}}}"#)),
        occurred: chrono::DateTime::UNIX_EPOCH,
    };
    Unit::new(
        vec![Group { stream: stream.clone(), expected, events: vec![event] }],
        Arc::from(r#"{"actor":"journal"}"#),
    )
}

#[tokio::test]
async fn both_read_and_write_the_same_aggregate() {
    let url = server::database().await;
    let journal = open(&url).await;
    let program = program(&url).await;
    for id in [Uuid::now_v7().to_string(), "by name".to_owned()] {
        let stream = StreamId::of_text(Category::new("tally"), &id);
        assert!(is_committed(&append(&*journal, add(&stream, 0, 5)).await));
        program.execute(&id, Command::Expect(5)).await.unwrap();
        program.execute(&id, Command::Add(7)).await.unwrap();
        assert_eq!(journal.stream_version(&stream).await.unwrap(), 3);
        let late = append(&*journal, add(&stream, 1, 1)).await;
        assert_eq!(late, Verdict::Conflict { stream: stream.clone(), expected: 1, actual: 3 });
        assert!(is_committed(&append(&*journal, add(&stream, 3, 30)).await));
        program.execute(&id, Command::Expect(42)).await.unwrap();
        let events = journal.read_stream(&stream, 0, usize::MAX).await.unwrap();
        let payloads: Vec<_> = events.iter().map(|event| event.payload.replace(' ', "")).collect();
        let wanted = [5, 7, 0, 30].map(|n| format!(r#"{{"Added":{{"number":{n}}}}}"#));
        assert_eq!(payloads, wanted);
        assert!(events.iter().all(|event| event.stream == stream && event.schema_version == 1));
    }
    journal.wait_past(Position(7)).await.unwrap();
    assert_sound(&all(&*journal).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_at_once_lose_nothing() {
    const EACH: u64 = 40;
    let url = server::database().await;
    let journal = open(&url).await;
    let id = Uuid::now_v7().to_string();
    let stream = StreamId::of_text(Category::new("tally"), &id);
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let (url, id) = (url.clone(), id.clone());
        tasks.push(tokio::spawn(async move {
            let program = program(&url).await;
            let mut done = 0;
            while done < EACH {
                match program.execute(&id, Command::Add(1)).await {
                    Ok(()) => done += 1,
                    Err(AggregateError::AggregateConflict) => {}
                    Err(other) => panic!("only conflicts are expected: {other}"),
                }
            }
        }));
        let (journal, stream) = (journal.clone(), stream.clone());
        tasks.push(tokio::spawn(async move {
            let (mut done, mut version) = (0, 0);
            while done < EACH {
                match append(&*journal, add(&stream, version, 1)).await {
                    Verdict::Committed { .. } => (done, version) = (done + 1, version + 1),
                    Verdict::Conflict { actual, .. } => version = actual,
                    other => panic!("{other:?}"),
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    program(&url).await.execute(&id, Command::Expect(4 * EACH)).await.unwrap();
    // Two events a command of the program, one a unit of ours.
    journal.wait_past(Position(6 * EACH - 1)).await.unwrap();
    let events = all(&*journal).await;
    assert_eq!(events.len() as u64, 6 * EACH);
    assert_sound(&events);
}
