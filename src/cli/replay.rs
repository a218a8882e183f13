//! `tillroll replay`: what happened, for audit and customer service. Reads the journal alone, also
//! beside a running server.

use std::io::{self, BufWriter, Write};

use clap::{Args, Subcommand};
use domain::OrderId;
use journal::{Options, Position, SqliteJournal, StreamId};
use projections::{Directory, ReadModels, models, order_history};
use sagas::key_store::KeyReader;
use uuid::Uuid;

use super::{Exit, Failure, Global, terminal};
use crate::compose::{JOURNAL_FILE, READ_MODELS};
use crate::replay::{self, AsOf, LogFilter, LogOptions, Moment, Reveal};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(subcommand)]
    what: What,
}

/// Up to which moment.
#[derive(Debug, Args)]
struct Until {
    /// As it stood at this time (2026-03-01T09:00:00Z), at the end of this day (2026-03-01), or at
    /// this position of the log (@1234).
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// As it was known at this time: by when events were recorded, not by when they occurred.
    #[arg(long, value_name = "TIME")]
    recorded_at: Option<String>,
    /// Open personal fields; needs the key store.
    #[arg(long)]
    reveal: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One order's whole story, across all streams it touched.
    Order {
        /// The order's id.
        order_id: OrderId,
        #[command(flatten)]
        until: Until,
    },
    /// The state of one aggregate, such as `inventory-0190…` or `order-0190…`.
    State {
        /// The aggregate's stream: its kind and its id.
        stream: StreamId,
        #[command(flatten)]
        until: Until,
    },
    /// The log itself, a line of JSON for each event.
    Log {
        /// Only streams of this category, such as `payment`.
        #[arg(long)]
        category: Option<String>,
        /// Only this stream.
        #[arg(long)]
        stream: Option<StreamId>,
        /// Only events of this type, such as `order.placed`.
        #[arg(long = "type")]
        event_type: Option<String>,
        /// Only events that name this order.
        #[arg(long)]
        order: Option<OrderId>,
        /// Only events by this actor, such as `support:9`, or by a role, such as `support`.
        #[arg(long)]
        actor: Option<String>,
        /// Only events of this conversation.
        #[arg(long)]
        correlation: Option<Uuid>,
        /// From this moment on: a time, a date or @position.
        #[arg(long)]
        from: Option<String>,
        /// Up to this moment.
        #[arg(long)]
        to: Option<String>,
        /// Go on with new events as they come.
        #[arg(long, short)]
        follow: bool,
        /// At most so many events.
        #[arg(long, short = 'n')]
        limit: Option<u64>,
    },
}

pub(super) fn run(global: &Global, args: &ReplayArgs) -> Result<Exit, Failure> {
    let journal =
        SqliteJournal::open_read_only(&global.data.join(JOURNAL_FILE), Options::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.what {
        What::Order { order_id, until } => {
            let keys = keys(global, until)?;
            let as_of = AsOf::parse(until.at.as_deref(), until.recorded_at.as_deref())?;
            let also = known_positions(global, *order_id);
            let reveal = keys.as_ref().map_or(Reveal::No, |keys| Reveal::With(keys));
            let story =
                runtime.block_on(replay::order(&journal, *order_id, &as_of, reveal, &also))?;
            if global.json {
                terminal::say_json(&story)?;
            } else {
                terminal::say(story.to_text().trim_end())?;
            }
        }
        What::State { stream, until } => {
            let keys = keys(global, until)?;
            let as_of = AsOf::parse(until.at.as_deref(), until.recorded_at.as_deref())?;
            let reveal = keys.as_ref().map_or(Reveal::No, |keys| Reveal::With(keys));
            let then = runtime.block_on(replay::state(&journal, stream, &as_of, reveal))?;
            if global.json {
                terminal::say_json(&then)?;
            } else {
                terminal::say(&serde_json::to_string_pretty(&then)?)?;
            }
        }
        What::Log {
            category,
            stream,
            event_type,
            order,
            actor,
            correlation,
            from,
            to,
            follow,
            limit,
        } => {
            let filter = LogFilter {
                category: category.clone(),
                stream: stream.clone(),
                event_type: event_type.clone(),
                from: from.as_deref().map(Moment::starting).transpose()?,
                to: to.as_deref().map(str::parse).transpose()?,
                actor: actor.clone(),
                correlation_id: *correlation,
                order: *order,
            };
            let options = LogOptions { follow: *follow, limit: *limit };
            let stop = async {
                // Without a handler the program ends at once, which is as good.
                let _ = tokio::signal::ctrl_c().await;
            };
            let mut out = BufWriter::new(io::stdout());
            let end =
                runtime.block_on(replay::export(&journal, &filter, options, stop, &mut out))?;
            out.flush()?;
            tracing::info!(
                matched = end.matched,
                scanned = end.scanned,
                events_per_s = end.events_per_s,
                "log read"
            );
        }
    }
    Ok(Exit::Ok)
}

fn keys(global: &Global, until: &Until) -> Result<Option<KeyReader>, Failure> {
    if !until.reveal {
        return Ok(None);
    }
    Ok(Some(KeyReader::open_data_dir(&global.data)?))
}

/// What the order's history knows besides; a story is told without it too.
fn known_positions(global: &Global, order_id: OrderId) -> Vec<Position> {
    let known = || {
        let directory = Directory::on_disk(&global.data.join(READ_MODELS)).ok()?;
        let reads = ReadModels::open(&directory, &models::all()).ok()?;
        let history = order_history::history(&reads, order_id).ok()?;
        Some(history.into_iter().map(|entry| entry.position).collect())
    };
    known().unwrap_or_default()
}
