//! The stream and the bucket: found or made, and checked.

use async_nats::jetstream::Context;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, RawMessageErrorKind, RetentionPolicy, State, StorageType, Stream,
};
use journal::{JournalId, Position};
use schemas::public::{MessagePlace, PublicMessage};

use super::checkpoint::{self, Kept};
use super::refusals::{answered, no_stream, not_made};
use super::{BusError, JetStreamOptions, Mark};

/// How far back a message of ours is looked for, past those that others put into the stream.
const LOOK_BACK: u64 = 100;

/// What the server has.
pub(super) struct Found {
    pub(super) last_sequence: u64,
    /// The place of the last message that is there.
    pub(super) last: Option<Mark>,
    pub(super) store: Store,
    pub(super) kept: Option<Kept>,
    pub(super) revision: u64,
}

/// Finds stream and bucket, making what is missing.
pub(super) async fn find(
    context: &Context,
    options: &JetStreamOptions,
    journal: JournalId,
) -> Result<Found, BusError> {
    let stream = stream(context, options).await?;
    let store = bucket(context, options).await?;
    let (kept, revision) = checkpoint::read(&store, journal).await?;
    let state = stream.cached_info().state.clone();
    let last = last_message(&stream, options, journal, &state).await?;
    Ok(Found { last_sequence: state.last_sequence, last, store, kept, revision })
}

async fn stream(context: &Context, options: &JetStreamOptions) -> Result<Stream, BusError> {
    let found = context.get_stream(&options.stream).await;
    match found {
        Ok(stream) => {
            fits(&stream.cached_info().config, options)?;
            Ok(stream)
        }
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(reason)
                if reason.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                let made = context.create_stream(wanted(options)).await;
                made.map_err(|error| not_made(options, &error))
            }
            _ => Err(no_stream(options, &error)),
        },
    }
}

fn wanted(options: &JetStreamOptions) -> Config {
    Config {
        name: options.stream.clone(),
        description: Some("Public messages of a Tillroll engine; only its relay publishes".into()),
        subjects: vec![options.subjects()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_age: options.max_age,
        max_bytes: options.max_bytes,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: options.replicas,
        duplicate_window: options.duplicate_window,
        ..Config::default()
    }
}

/// Limits are the operator's to change; what the promise rests on is not.
fn fits(config: &Config, options: &JetStreamOptions) -> Result<(), BusError> {
    let wrong = [
        (config.subjects != [options.subjects()], "its subjects are others"),
        (config.retention != RetentionPolicy::Limits, "its retention is not `limits`"),
        (config.storage != StorageType::File, "its storage is not `file`"),
        (config.no_ack, "it confirms nothing (`no_ack`)"),
        (config.sealed, "it is sealed"),
        (config.mirror.is_some() || config.sources.is_some(), "it copies other streams"),
    ];
    let wrong: Vec<&str> = wrong.into_iter().filter_map(|(is, what)| is.then_some(what)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(BusError::SetUp(format!(
        "stream {} is not as the relay needs it: {}. It must have the one subject `{}`, retention \
         `limits` and storage `file`: change or remove it (it is made anew), or give the bus another \
         stream name and prefix",
        options.stream,
        wrong.join(", "),
        options.subjects()
    )))
}

/// The client's own way of making a bucket asks for the account first, in words that servers before
/// 2.10 do not have.
async fn bucket(context: &Context, options: &JetStreamOptions) -> Result<Store, BusError> {
    let name = &options.bucket;
    if let Ok(store) = context.get_key_value(name).await {
        return Ok(store);
    }
    let made = context.create_stream(Config {
        name: format!("KV_{name}"),
        description: Some("How far Tillroll's relay has told the stream, by journal".to_owned()),
        subjects: vec![format!("$KV.{name}.>")],
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_messages: -1,
        max_messages_per_subject: 1,
        max_bytes: -1,
        max_consumers: -1,
        num_replicas: options.replicas,
        allow_rollup: true,
        deny_delete: true,
        // A follower may answer late, and what is read here is believed.
        allow_direct: false,
        ..Config::default()
    });
    made.await.map_err(|error| not_made(options, &error))?;
    context.get_key_value(name).await.map_err(|error| {
        BusError::SetUp(format!(
            "bucket {name} cannot be used ({error}): remove it, or name another for the bus"
        ))
    })
}

/// The last message that is ours; others' are passed over and spoken of.
async fn last_message(
    stream: &Stream,
    options: &JetStreamOptions,
    journal: JournalId,
    state: &State,
) -> Result<Option<Mark>, BusError> {
    if state.messages == 0 {
        return Ok(None);
    }
    let lowest = state.first_sequence.max(state.last_sequence.saturating_sub(LOOK_BACK)).max(1);
    for sequence in (lowest..=state.last_sequence).rev() {
        let message = match stream.get_raw_message(sequence).await {
            Ok(message) => message,
            Err(error) => match error.kind() {
                // Somebody deleted it, or it has just become too old.
                RawMessageErrorKind::NoMessageFound => continue,
                RawMessageErrorKind::JetStream(error) => return Err(answered(options, &error)),
                RawMessageErrorKind::InvalidSubject | RawMessageErrorKind::Other => {
                    return Err(BusError::Unavailable(format!("JetStream: {error}")));
                }
            },
        };
        let place = std::str::from_utf8(&message.payload).ok().map(PublicMessage::place);
        let Some(Ok(MessagePlace { journal: of, position, id })) = place else {
            tracing::warn!(
                stream = options.stream,
                sequence,
                subject = %message.subject,
                "relay: somebody else publishes to the stream; only the relay should be allowed to"
            );
            continue;
        };
        if of != journal {
            return Err(BusError::SetUp(format!(
                "stream {} holds messages of journal {of}, not of {journal}: give this engine a \
                 stream name and prefix of its own",
                options.stream
            )));
        }
        return Ok(Some(Mark { position: Position(position), event: Some(id) }));
    }
    Ok(None)
}
