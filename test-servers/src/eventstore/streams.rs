//! Reading and appending, with what the test wants to go wrong.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::Fate;
use super::serve::{Line, not_leader};
use super::store::{Expected, Refusal, Stored};
use super::wire::{
    AppendReq, AppendResp, AppendResult, BatchReq, BatchResp, BatchResult, Content, Count, Current,
    From, NotFound, Proposed, ReadEvent, ReadReq, ReadResp, RecordedEvent, RpcStatus, StreamName,
    Success, Uuid, Wanted, Wrong,
};

pub type Answers<R> = ReceiverStream<Result<R, Status>>;

pub async fn read(line: Line, request: ReadReq) -> Result<Answers<ReadResp>, Status> {
    let shared = &line.shared;
    shared.reads.fetch_add(1, Relaxed);
    let cut = shared.faults.cut_reads.lock().unwrap().pop_front();
    if cut.unwrap_or_else(|| shared.random().0 < shared.faults.cut_of_1000.load(Relaxed)) {
        line.cut().await;
    }
    if let Some(leader) = *shared.faults.leader_is.lock().unwrap() {
        return Err(not_leader(leader));
    }
    let invalid = || Status::invalid_argument("a request without its options");
    let options = request.options.ok_or_else(invalid)?;
    let stream = options.stream.ok_or_else(invalid)?;
    let name = name(stream.stream);
    let Some(Count::AtMost(max)) = options.count else {
        return Err(Status::unimplemented("the double has no subscriptions"));
    };
    let found = {
        let store = shared.store();
        if store.is_deleted(&name) {
            let mut status = Status::failed_precondition(format!("Stream {name} is deleted."));
            status.metadata_mut().insert("exception", "stream-deleted".parse().unwrap());
            return Err(status);
        }
        match (options.direction, stream.from) {
            (0, Some(From::Revision(from))) => store.forwards(&name, from, max),
            (0, _) => store.forwards(&name, 0, max),
            (_, Some(From::Revision(from))) => store.backwards(&name, from, max),
            (_, _) => store.backwards(&name, u64::MAX, max),
        }
    };
    let end_after = match shared.faults.reads_end_after.load(Relaxed) {
        0 => usize::MAX,
        some => some as usize,
    };
    let (answer, answers) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut out = Vec::new();
        match found {
            None => out.push(Content::StreamNotFound(NotFound { stream: stream_name(&name) })),
            Some(events) => {
                let events = events.into_iter().take(end_after);
                out.extend(events.map(|(revision, event)| recorded(&name, revision, event)));
            }
        }
        for content in out {
            if answer.send(Ok(ReadResp { content: Some(content) })).await.is_err() {
                return;
            }
        }
    });
    Ok(ReceiverStream::new(answers))
}

fn recorded(name: &str, revision: u64, event: Stored) -> Content {
    Content::Event(ReadEvent {
        event: Some(RecordedEvent {
            id: Uuid::of(event.id),
            stream: stream_name(name),
            revision,
            prepare: event.place,
            commit: event.place,
            metadata: event.metadata,
            custom: event.custom,
            data: event.data,
        }),
        commit: Some(event.place),
    })
}

pub async fn append(line: Line, mut events: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    let mut options = None;
    let mut proposed = Vec::new();
    while let Some(message) = events.next().await {
        let message = message?;
        options = options.or(message.options);
        proposed.extend(message.proposed);
    }
    let options = options.ok_or_else(|| Status::invalid_argument("an append without options"))?;
    let (name, expected) = (name(options.stream), expected(options.expected.as_ref()));
    let result = match effect(&line, &name, expected, proposed).await {
        Ok(revision) => AppendResult::Success(success(revision)),
        Err(Failed::Refused(Refusal::Wrong { current })) => AppendResult::Wrong(Wrong {
            current: Some(current.map_or(Current::NoStream(()), Current::Revision)),
            wanted: Some(match expected {
                Expected::Any => Wanted::Any(()),
                Expected::Exists => Wanted::Exists(()),
                Expected::NoStream => Wanted::NoStream(()),
                Expected::Revision(revision) => Wanted::Revision(revision),
            }),
        }),
        Err(Failed::Refused(refusal)) => return Err(status_of(&refusal, &name)),
        Err(Failed::Status(status)) => return Err(*status),
    };
    Ok(AppendResp { result: Some(result) })
}

pub fn batches(line: Line, mut requests: Streaming<BatchReq>) -> Answers<BatchResp> {
    let (answer, answers) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Some(Ok(batch)) = requests.next().await {
            let options = batch.options.unwrap_or_default();
            let (name, expected) = (name(options.stream), expected(options.expected.as_ref()));
            let delay = line.shared.faults.delay_micros.load(Relaxed);
            if delay > 0 {
                tokio::time::sleep(Duration::from_micros(delay)).await;
            }
            let result = match effect(&line, &name, expected, batch.proposed).await {
                Ok(revision) => BatchResult::Success(success(revision)),
                Err(Failed::Refused(refusal)) => {
                    let status = status_of(&refusal, &name);
                    BatchResult::Error(RpcStatus {
                        code: status.code() as i32,
                        message: status.message().to_owned(),
                    })
                }
                Err(Failed::Status(status)) if status.code() == Code::NotFound => {
                    let _ = answer.send(Err(*status)).await;
                    return;
                }
                Err(Failed::Status(status)) => BatchResult::Error(RpcStatus {
                    code: status.code() as i32,
                    message: status.message().to_owned(),
                }),
            };
            let correlation = batch.correlation.and_then(|c| Uuid::of(c.id()));
            let stream = stream_name(&name);
            let response = BatchResp { correlation, result: Some(result), stream };
            if answer.send(Ok(response)).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(answers)
}

enum Failed {
    Refused(Refusal),
    Status(Box<Status>),
}

/// Appends as far as fate lets it.
async fn effect(
    line: &Line,
    name: &str,
    expected: Expected,
    proposed: Vec<Proposed>,
) -> Result<u64, Failed> {
    let shared = line.shared.clone();
    shared.appends.fetch_add(1, Relaxed);
    let events: Vec<_> = proposed.into_iter().map(stored).collect();
    let mut fate = shared.faults.appends.lock().unwrap().pop_front();
    let (drawn, before) = shared.random();
    if fate.is_none() && drawn < shared.faults.cut_of_1000.load(Relaxed) {
        fate = Some(if before { Fate::CutBefore } else { Fate::CutAfter });
    }
    let append = |events| shared.store().append(name, expected, events).map_err(Failed::Refused);
    match fate {
        None | Some(Fate::Pass) => append(events),
        Some(Fate::Swallow) => std::future::pending().await,
        Some(Fate::CutBefore) => line.cut().await,
        Some(Fate::CutAfter) => {
            let _ = append(events);
            line.cut().await
        }
        Some(Fate::CutThenLate(after)) => {
            let (shared, name) = (shared.clone(), name.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = shared.store().append(&name, expected, events);
            });
            line.cut().await
        }
        Some(Fate::Silent) => {
            let _ = append(events);
            std::future::pending().await
        }
        Some(Fate::NotLeader(leader)) => Err(Failed::Status(Box::new(not_leader(leader)))),
        Some(Fate::AccessDenied) => {
            Err(Failed::Status(Box::new(Status::permission_denied("Access Denied"))))
        }
        Some(Fate::Timeout) => {
            Err(Failed::Status(Box::new(Status::deadline_exceeded("Operation timed out"))))
        }
    }
}

fn status_of(refusal: &Refusal, name: &str) -> Status {
    match refusal {
        Refusal::Wrong { current } => Status::failed_precondition(format!(
            "Append failed due to WrongExpectedVersion. Stream: {name}, actual version: {}",
            current.map_or(-1, |revision| revision as i64)
        )),
        Refusal::TooLarge => Status::invalid_argument(format!(
            "Maximum Append Size of {} Exceeded.",
            super::store::APPEND_BYTES_MAX
        )),
        Refusal::Deleted => {
            let mut status = Status::failed_precondition(format!("Stream {name} is deleted."));
            status.metadata_mut().insert("exception", "stream-deleted".parse().unwrap());
            status
        }
    }
}

fn success(revision: u64) -> Success {
    let position = super::wire::Position { commit: revision, prepare: revision };
    Success { revision: Some(revision), position: Some(position) }
}

fn stored(proposed: Proposed) -> Stored {
    let mut metadata = proposed.metadata;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    metadata.insert("created".to_owned(), (now.as_micros() * 10).to_string());
    let id = proposed.id.map_or(uuid::Uuid::nil(), |id| id.id());
    Stored { id, metadata, custom: proposed.custom, data: proposed.data, place: 0 }
}

fn expected(given: Option<&super::wire::Expected>) -> Expected {
    use super::wire::Expected as Wire;
    match given {
        Some(Wire::Revision(revision)) => Expected::Revision(*revision),
        Some(Wire::NoStream(())) => Expected::NoStream,
        Some(Wire::Exists(())) => Expected::Exists,
        Some(Wire::Any(())) | None => Expected::Any,
    }
}

fn name(stream: Option<StreamName>) -> String {
    String::from_utf8(stream.unwrap_or_default().name).unwrap()
}

fn stream_name(name: &str) -> Option<StreamName> {
    Some(StreamName { name: name.as_bytes().to_vec() })
}
