//! The client, which is replaced when it dies.
//!
//! `eventstore` 4.0 dies for good after one failed connection, stays with a node that is down,
//! leaves its tasks behind when it is dropped, panics on messages it does not know, and never comes
//! back from a subscription that ends in good order. So every client has a runtime of its own, whose
//! end takes all of it away; every call has a time limit, and reads take the place of subscriptions.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eventstore::{
    AppendToStreamOptions, BatchAppendClient, BatchAppendOptions, Client, Error, ExpectedRevision,
    ReadEvent, ReadStreamOptions, StreamMetadata, StreamMetadataBuilder, StreamPosition,
};
use tokio::runtime::Runtime;

use super::draft::Draft;
use super::faults::{Failure, failure};
use super::log::LogEvent;
use super::place::Place;
use crate::JournalError;
use crate::held::hold;

/// Bytes read at once; the rest comes with the next call.
const PAGE_BYTES: usize = 16 << 20;

/// `$tb` of a stream that is deleted softly.
const DELETED: u64 = i64::MAX as u64;

/// The server as this journal reaches it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) place: Place,
    answer_within: Duration,
    line: Mutex<Option<Arc<Line>>>,
    /// It knows how to append in batches over one open call.
    batches: Arc<AtomicBool>,
}

/// A client with all that belongs to it.
struct Line {
    client: Client,
    /// Append after append over one call: a call of its own takes 44 ms each, since the client
    /// leaves Nagle's algorithm on. A refused append ends it.
    session: tokio::sync::Mutex<Option<BatchAppendClient>>,
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    pub(super) fn new(place: Place, answer_within: Duration) -> Result<Self, JournalError> {
        own_tls()?;
        let batches = Arc::new(AtomicBool::new(true));
        Ok(Self { place, answer_within, line: Mutex::default(), batches })
    }

    fn line(&self) -> Result<Arc<Line>, Failure> {
        let mut current = hold(&self.line);
        if let Some(line) = &*current {
            return Ok(Arc::clone(line));
        }
        let unknown = |error: &dyn std::fmt::Display| Failure::Unknown(error.to_string());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("eventstore-client")
            .enable_all()
            .build()
            .map_err(|error| unknown(&error))?;
        let settings = self.place.settings.clone();
        let client = match Client::with_runtime_handle(runtime.handle().clone(), settings) {
            Ok(client) => client,
            Err(error) => {
                runtime.shutdown_background();
                return Err(unknown(&error));
            }
        };
        let line = Arc::new(Line {
            client,
            session: tokio::sync::Mutex::default(),
            runtime: Some(runtime),
        });
        *current = Some(Arc::clone(&line));
        Ok(line)
    }

    /// Runs a call on the client's own runtime, so that what it does there cannot harm this one.
    async fn call<T, Fut>(&self, work: impl FnOnce(Arc<Line>) -> Fut) -> Result<T, Failure>
    where
        T: Send + 'static,
        Fut: Future<Output = eventstore::Result<T>> + Send + 'static,
    {
        let line = self.line()?;
        let Some(runtime) = &line.runtime else {
            return Err(Failure::Unknown("the client has ended".to_owned()));
        };
        let mut running = runtime.spawn(work(Arc::clone(&line)));
        let done = match tokio::time::timeout(self.answer_within, &mut running).await {
            Ok(Ok(Ok(done))) => return Ok(done),
            Ok(Ok(Err(error))) => failure(error, &self.place),
            Ok(Err(_)) => Failure::Unknown("the client broke off".to_owned()),
            Err(_) => {
                running.abort();
                Failure::Unknown("no answer in time".to_owned())
            }
        };
        if !done.spares_the_client() {
            let mut current = hold(&self.line);
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &line)) {
                *current = None;
            }
        }
        Err(done)
    }

    /// A small append is much quicker than a large one.
    pub(super) fn is_quick(&self) -> bool {
        self.batches.load(Relaxed)
    }

    /// Appends to the log, whose next event is to be the `next`th, counted from 0.
    pub(super) async fn append(&self, next: u64, drafts: &[Draft]) -> Result<(), Failure> {
        let events: Vec<_> = drafts.iter().map(Draft::event).collect::<Result<_, _>>()?;
        let (stream, batches) = (self.place.stream.clone(), Arc::clone(&self.batches));
        self.call(move |line| async move {
            if batches.load(Relaxed) {
                match line.append_in_session(&stream, expected(next), events.clone()).await {
                    Err(Error::UnsupportedFeature) => batches.store(false, Relaxed),
                    answer => return answer,
                }
            }
            line.append(&stream, expected(next), events).await
        })
        .await
    }

    /// Appends an event to the log wherever that ends by now.
    pub(super) async fn append_anywhere(&self, draft: &Draft) -> Result<(), Failure> {
        let (events, stream) = (vec![draft.event()?], self.place.stream.clone());
        self.call(
            move |line| async move { line.append(&stream, ExpectedRevision::Any, events).await },
        )
        .await
    }

    /// Appends one event to another stream.
    pub(super) async fn append_to(
        &self,
        stream: String,
        next: u64,
        draft: &Draft,
    ) -> Result<(), Failure> {
        let events = vec![draft.event()?];
        self.call(move |line| async move { line.append(&stream, expected(next), events).await })
            .await
    }

    /// Has a stream keep no more than its last events.
    pub(super) async fn keep_last(&self, stream: String, events: u64) -> Result<(), Failure> {
        self.set_metadata(stream, StreamMetadataBuilder::new().max_count(events).build()).await
    }

    /// Deletes a stream softly.
    pub(super) async fn delete(&self, stream: String) -> Result<(), Failure> {
        self.set_metadata(stream, StreamMetadataBuilder::new().truncate_before(DELETED).build())
            .await
    }

    async fn set_metadata(&self, stream: String, said: StreamMetadata) -> Result<(), Failure> {
        self.call(move |line| async move {
            let options = AppendToStreamOptions::default().requires_leader(true);
            line.client.set_stream_metadata(stream, &options, &said).await.map(drop)
        })
        .await
    }

    /// Events of the log from the `from`th on, counted from 0: as many as there are or `max`.
    pub(super) async fn read(&self, from: u64, max: usize) -> Result<Vec<LogEvent>, Failure> {
        let options = ReadStreamOptions::default().position(StreamPosition::Position(from));
        self.read_by(self.place.stream.clone(), options.forwards().max_count(max), from).await
    }

    /// The last event of a stream.
    pub(super) async fn last(&self, stream: String) -> Result<Option<LogEvent>, Failure> {
        let options = ReadStreamOptions::default().position(StreamPosition::End).max_count(1);
        match self.read_by(stream, options, u64::MAX).await {
            Ok(mut events) => Ok(events.pop()),
            Err(Failure::Missing) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn read_by(
        &self,
        stream: String,
        options: ReadStreamOptions,
        from: u64,
    ) -> Result<Vec<LogEvent>, Failure> {
        let within = self.answer_within;
        let options = options.requires_leader(true);
        let (events, last) = self
            .call(move |line| async move {
                let mut read = line.client.read_stream(stream, &options).await?;
                let (mut events, mut bytes, mut last) = (Vec::new(), 0, None);
                loop {
                    match timely(within, read.next_read_event()).await? {
                        Some(ReadEvent::Event(event)) => {
                            let Some(event) = event.event else { continue };
                            bytes += event.data.len() + event.custom_metadata.len();
                            events.push(LogEvent::from(event));
                            if bytes > PAGE_BYTES {
                                break;
                            }
                        }
                        Some(ReadEvent::LastStreamPosition(position)) => last = Some(position),
                        Some(_) => {}
                        None => break,
                    }
                }
                Ok((events, last))
            })
            .await?;
        // That nothing is there must not be concluded from a read that was cut short.
        if events.is_empty() && last.is_some_and(|last| last >= from) {
            return Err(Failure::Unknown("a read ended early".to_owned()));
        }
        Ok(events)
    }
}

impl Line {
    async fn append(
        &self,
        stream: &str,
        expected: ExpectedRevision,
        events: Vec<eventstore::EventData>,
    ) -> eventstore::Result<()> {
        let options =
            AppendToStreamOptions::default().expected_revision(expected).requires_leader(true);
        self.client.append_to_stream(stream, &options, events).await.map(drop)
    }

    async fn append_in_session(
        &self,
        stream: &str,
        expected: ExpectedRevision,
        events: Vec<eventstore::EventData>,
    ) -> eventstore::Result<()> {
        let mut session = self.session.lock().await;
        // Taken out until it has proved good: a call that is given up leaves none behind.
        let open = match session.take() {
            Some(open) => open,
            None => {
                let options = BatchAppendOptions::default().requires_leader(true);
                self.client.batch_append(&options).await?
            }
        };
        open.append_to_stream(stream, expected, events).await?;
        *session = Some(open);
        Ok(())
    }
}

fn expected(next: u64) -> ExpectedRevision {
    next.checked_sub(1).map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact)
}

async fn timely<T>(
    within: Duration,
    next: impl Future<Output = eventstore::Result<T>>,
) -> eventstore::Result<T> {
    tokio::time::timeout(within, next).await.unwrap_or(Err(Error::DeadlineExceeded))
}

/// The client installs a TLS provider for the whole process the first time it is made, and panics
/// if there is one.
fn own_tls() -> Result<(), JournalError> {
    static FIRST: Mutex<bool> = Mutex::new(true);
    let mut first = hold(&FIRST);
    if *first && rustls::crypto::CryptoProvider::get_default().is_some() {
        return Err(JournalError::Unavailable(
            "something else in this process has chosen a TLS provider already, and the client of \
             EventStoreDB cannot work then: open this journal before anything that uses TLS"
                .to_owned(),
        ));
    }
    *first = false;
    Ok(())
}
