//! The log itself, event by event: filtered, from anywhere, and on as it grows.

use std::future::Future;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Instant;

use domain::OrderId;
use journal::{Journal, Position, Recorded, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Moment, ReplayError};

const PAGE: usize = 4_096;
/// Larger, since a page of a long stream costs the way from the stream's end.
const STREAM_PAGE: usize = 65_536;

/// Which events are wanted; all that are named must hold.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Such as `order`.
    pub category: Option<String>,
    /// One stream; then only that stream is read.
    pub stream: Option<StreamId>,
    /// Such as `order.placed`.
    pub event_type: Option<String>,
    pub from: Option<Moment>,
    pub to: Option<Moment>,
    /// As recorded, such as `support:9`, or its role alone, such as `support`.
    pub actor: Option<String>,
    pub correlation_id: Option<Uuid>,
    /// Events in the order's streams and others that name it.
    pub order: Option<OrderId>,
}

/// When to stop.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogOptions {
    /// Go on with new events as they come; ends when stopped.
    pub follow: bool,
    /// Most events told.
    pub limit: Option<u64>,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LogEnd {
    pub scanned: u64,
    pub matched: u64,
    /// The last position looked at: a follower goes on from here.
    pub position: Position,
    pub seconds: f64,
    pub events_per_s: u64,
}

/// Calls `each` with every event that matches, in order, until it breaks, the limit is reached,
/// `stop` resolves, or (unless following) the log ends. Holds one page of events at a time.
///
/// # Errors
/// `UnknownStream`, and the journal's own.
pub async fn log(
    journal: &dyn Journal,
    filter: &LogFilter,
    options: LogOptions,
    stop: impl Future<Output = ()>,
    each: &mut (dyn FnMut(&Recorded) -> ControlFlow<()> + Send),
) -> Result<LogEnd, ReplayError> {
    let mut stop = pin!(stop);
    let mut reader = Reader::start(journal, filter).await?;
    let wanted = Wanted::of(filter);
    let began = Instant::now();
    let (mut scanned, mut matched) = (0_u64, 0_u64);
    'pages: while options.limit.is_none_or(|limit| matched < limit) {
        let page = reader.page().await?;
        for event in &page {
            if matches!(filter.to, Some(Moment::Position(to)) if event.position > to) {
                break 'pages;
            }
            scanned += 1;
            if !wanted.matches(event) {
                continue;
            }
            matched += 1;
            if each(event).is_break() || options.limit.is_some_and(|limit| matched >= limit) {
                break 'pages;
            }
        }
        if page.is_empty() {
            let done = matches!(filter.to, Some(Moment::Position(to)) if reader.at >= to);
            if !options.follow || done {
                break;
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                news = journal.wait_past(reader.waits_past()) => { reader.seen(news?); }
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let events_per_s = (scanned as f64 / seconds.max(1e-6)) as u64;
    Ok(LogEnd { scanned, matched, position: reader.at, seconds, events_per_s })
}

/// As [`log`], as lines of JSON. A reader of the lines that has gone ends it quietly.
///
/// # Errors
/// As [`log`], and `Output`.
pub async fn export(
    journal: &dyn Journal,
    filter: &LogFilter,
    options: LogOptions,
    stop: impl Future<Output = ()>,
    out: &mut (dyn Write + Send),
) -> Result<LogEnd, ReplayError> {
    let mut failed = None;
    let end = log(journal, filter, options, stop, &mut |event| {
        let written = line(event).and_then(|text| {
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")?;
            // A follower's events are few and wanted now; the writer buffers the rest.
            if options.follow {
                out.flush()?
            }
            Ok(())
        });
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })
    .await?;
    match failed.or_else(|| out.flush().err().map(ReplayError::Output)) {
        Some(ReplayError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(end),
        Some(error) => Err(error),
        None => Ok(end),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    position: Position,
    stream: String,
    version: u64,
    id: Uuid,
    #[serde(rename = "type")]
    event_type: &'a str,
    schema_version: u16,
    occurred: chrono::DateTime<chrono::Utc>,
    recorded: chrono::DateTime<chrono::Utc>,
    metadata: &'a RawValue,
    payload: &'a RawValue,
}

/// An event as one line of JSON, with everything on record about it; sealed values stay as they
/// are. Payload and metadata are the stored text.
///
/// # Errors
/// `Json` when the stored text is no JSON.
pub fn line(event: &Recorded) -> Result<String, ReplayError> {
    Ok(serde_json::to_string(&Line {
        position: event.position,
        stream: event.stream.to_string(),
        version: event.version,
        id: event.id,
        event_type: event.event_type.as_str(),
        schema_version: event.schema_version,
        occurred: event.occurred,
        recorded: event.recorded,
        metadata: serde_json::from_str(&event.metadata)?,
        payload: serde_json::from_str(&event.payload)?,
    })?)
}

/// Reads the log, or one stream of it, page by page.
struct Reader<'a> {
    journal: &'a dyn Journal,
    stream: Option<&'a StreamId>,
    version: u64,
    at: Position,
    /// The head when a stream's reader last looked: its own last event may be long past.
    head: Position,
}

impl<'a> Reader<'a> {
    async fn start(journal: &'a dyn Journal, filter: &'a LogFilter) -> Result<Self, ReplayError> {
        if let Some(stream) = &filter.stream
            && journal.stream_version(stream).await? == 0
        {
            return Err(ReplayError::UnknownStream(stream.clone()));
        }
        let at = match filter.from {
            Some(Moment::Position(from)) => Position(from.0.saturating_sub(1)),
            Some(Moment::Time(_)) | None => Position(0),
        };
        let head = journal.head();
        Ok(Self { journal, stream: filter.stream.as_ref(), version: 0, at, head })
    }

    async fn page(&mut self) -> Result<Vec<Recorded>, ReplayError> {
        let page = match self.stream {
            Some(stream) => self.journal.read_stream(stream, self.version, STREAM_PAGE).await?,
            None => self.journal.read_all(self.at, PAGE).await?,
        };
        if let Some(last) = page.last() {
            self.version = last.version;
            self.at = self.at.max(last.position);
        }
        Ok(page)
    }

    fn waits_past(&self) -> Position {
        if self.stream.is_some() { self.head } else { self.at }
    }

    fn seen(&mut self, head: Position) {
        self.head = head;
    }
}

/// A filter with what it looks for written out.
struct Wanted<'a> {
    filter: &'a LogFilter,
    order: Option<String>,
}

#[derive(Deserialize)]
struct Who<'a> {
    #[serde(default, borrow)]
    actor: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    correlation_id: Option<Uuid>,
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a LogFilter) -> Self {
        Self { filter, order: filter.order.map(|order| order.to_string()) }
    }

    fn matches(&self, event: &Recorded) -> bool {
        let filter = self.filter;
        filter.category.as_deref().is_none_or(|only| only == event.stream.category.as_str())
            && filter.event_type.as_deref().is_none_or(|only| only == event.event_type.as_str())
            && filter.from.is_none_or(|from| from.precedes(event))
            && filter.to.is_none_or(|to| to.includes(event))
            && self.order.as_deref().is_none_or(|order| {
                event.payload.contains(order) || event.stream.key.to_string() == order
            })
            && self.said_by(event)
    }

    fn said_by(&self, event: &Recorded) -> bool {
        let LogFilter { actor, correlation_id, .. } = self.filter;
        if actor.is_none() && correlation_id.is_none() {
            return true;
        }
        let Ok(who) = serde_json::from_str::<Who<'_>>(&event.metadata) else { return false };
        let by = |only: &str| {
            let name = who.actor.as_deref().unwrap_or_default();
            name == only || name.split_once(':').is_some_and(|(role, _)| role == only)
        };
        actor.as_deref().is_none_or(by)
            && correlation_id.is_none_or(|only| who.correlation_id == Some(only))
    }
}
