//! What JetStream's own errors mean, and what to do about each.

use async_nats::jetstream::Error as ServerError;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, RequestError,
    RequestErrorKind,
};
use std::error::Error as _;

use super::{BusError, JetStreamOptions};

const NO_JETSTREAM: &str = "the NATS server has no JetStream: start it with `-js`, or put a \
    `jetstream` block into its configuration";

/// The server's answer to something about the stream.
pub(super) fn answered(options: &JetStreamOptions, error: &ServerError) -> BusError {
    let stream = &options.stream;
    match error.error_code() {
        ErrorCode::JETSTREAM_NOT_ENABLED => BusError::SetUp(NO_JETSTREAM.to_owned()),
        ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => BusError::SetUp(
            "JetStream is not enabled for this account of NATS: enable it, or use another \
             account's credentials"
                .to_owned(),
        ),
        ErrorCode::STREAM_SUBJECT_OVERLAP => BusError::SetUp(format!(
            "another stream than {stream} takes subjects under `{}`: choose another prefix or \
             stream name for the bus, or change that stream",
            options.subjects()
        )),
        ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED | ErrorCode::CLUSTER_NO_PEERS => {
            BusError::SetUp(format!(
                "{} replicas of stream {stream} are more than NATS can place ({error}): ask for \
                 fewer, or add servers",
                options.replicas
            ))
        }
        ErrorCode::STREAM_NAME_EXIST | ErrorCode::STREAM_INVALID_CONFIG => {
            BusError::SetUp(format!("stream {stream} cannot be made: {error}"))
        }
        ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::MAXIMUM_STREAMS_LIMIT
        | ErrorCode::STREAM_MAX_BYTES_REQUIRED
        | ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED => BusError::SetUp(format!(
            "NATS has no room for stream {stream} ({error}): give JetStream more, or ask for fewer \
             bytes"
        )),
        ErrorCode::STREAM_MISMATCH => BusError::SetUp(format!(
            "subjects under `{}` go to another stream than {stream}: choose another prefix or \
             stream name for the bus",
            options.subjects()
        )),
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => {
            BusError::SetUp(format!(
                "a message is larger than stream {stream} takes: raise its `max_msg_size`"
            ))
        }
        ErrorCode::STREAM_SEALED => BusError::SetUp(format!(
            "stream {stream} is sealed and takes no messages: give the bus another"
        )),
        ErrorCode::STREAM_STORE_FAILED => BusError::Unavailable(format!(
            "stream {stream} takes no more ({error}): raise its limits, let it discard old \
             messages, or make room on its disk"
        )),
        _ => BusError::Unavailable(format!("JetStream, stream {stream}: {error}")),
    }
}

pub(super) fn no_stream(options: &JetStreamOptions, error: &GetStreamError) -> BusError {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => answered(options, &error),
        GetStreamErrorKind::Request => {
            let request = error.source().and_then(|source| source.downcast_ref::<RequestError>());
            match request.map(RequestError::kind) {
                // Nobody listens to JetStream's subjects.
                Some(RequestErrorKind::NoResponders) => BusError::SetUp(NO_JETSTREAM.to_owned()),
                Some(RequestErrorKind::TimedOut) => no_answer(),
                _ => {
                    let cause = error.source().map_or_else(String::new, ToString::to_string);
                    BusError::Unavailable(format!("JetStream: {error}: {cause}"))
                }
            }
        }
        GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => {
            BusError::SetUp(format!("`{}` is no stream name", options.stream))
        }
    }
}

pub(super) fn not_made(options: &JetStreamOptions, error: &CreateStreamError) -> BusError {
    match error.kind() {
        CreateStreamErrorKind::JetStream(error) => answered(options, &error),
        CreateStreamErrorKind::TimedOut => no_answer(),
        CreateStreamErrorKind::JetStreamUnavailable => BusError::SetUp(NO_JETSTREAM.to_owned()),
        other => {
            BusError::Unavailable(format!("stream {} could not be made: {other}", options.stream))
        }
    }
}

pub(super) fn no_answer() -> BusError {
    BusError::Unavailable(
        "JetStream does not answer in time: its cluster may be without a leader, or overloaded"
            .to_owned(),
    )
}
