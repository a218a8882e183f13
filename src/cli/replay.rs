//! `tillroll replay`: what happened, for audit and customer service. Reads the journal alone, also
//! beside a running server.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use clap::{Args, Subcommand};
use domain::OrderId;
use journal::{Journal, Position, StreamId};
use projections::{ReadModels, models, order_history, orders};
use sagas::key_store::KeyStore;
use uuid::Uuid;

use super::{Exit, Failure, Global, terminal};
use crate::replay::{self, AsOf, LogFilter, LogOptions, Moment, ReplayError, Reveal, Telling};

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
    at: Option<Moment>,
    /// As it was known then: by when events were recorded, not by when they occurred.
    #[arg(long, value_name = "MOMENT")]
    recorded_at: Option<Moment>,
    /// Open personal fields; needs the key store.
    #[arg(long)]
    reveal: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One order's whole story, across all streams it touched.
    Order {
        /// The order's id, or its reference: its number in the system it was imported from.
        order: String,
        /// A line for each event, also where a command says the same of many goods.
        #[arg(long)]
        every_event: bool,
        #[command(flatten)]
        until: Until,
    },
    /// The state of one aggregate, such as `inventory-0190…` or `order-0190…`.
    State {
        /// The aggregate's kind and id, as `replay log` and the order's story name it.
        stream: StreamId,
        #[command(flatten)]
        until: Until,
    },
    /// The log itself, a line of JSON for each event.
    Log {
        /// Only streams of this category, such as `payment`.
        #[arg(long, value_parser = category)]
        category: Option<String>,
        /// Only this stream.
        #[arg(long)]
        stream: Option<StreamId>,
        /// Only events of this type, such as `order.placed`.
        #[arg(long = "type", value_name = "TYPE", value_parser = event_type)]
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
        #[arg(long, value_name = "MOMENT", value_parser = Moment::starting)]
        from: Option<Moment>,
        /// Up to this moment; of a date, to its end.
        #[arg(long, value_name = "MOMENT")]
        to: Option<Moment>,
        /// Go on with new events as they come.
        #[arg(long, short)]
        follow: bool,
        /// At most so many events.
        #[arg(long, short = 'n')]
        limit: Option<u64>,
    },
}

pub(super) fn run(global: &Global, args: &ReplayArgs) -> Result<Exit, Failure> {
    let journal = global.stores()?.read_journal()?;
    let journal = journal.as_ref();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.what {
        What::Order { order, every_event, until } => {
            let keys = runtime.block_on(keys(global, until))?;
            let reads = read_models(global);
            let order_id = runtime.block_on(order_of(journal, reads.as_ref(), order))?;
            let also = known_positions(reads.as_ref(), order_id);
            let reveal = keys.as_ref().map_or(Reveal::No, |keys| Reveal::With(keys.as_ref()));
            let as_of = until.as_of();
            let story =
                runtime.block_on(replay::order(journal, order_id, &as_of, reveal, &also))?;
            if global.json {
                terminal::say_json(&story)?;
            } else {
                let telling = if *every_event { Telling::EveryEvent } else { Telling::Summed };
                terminal::say(story.to_text(telling).trim_end())?;
            }
        }
        What::State { stream, until } => {
            let keys = runtime.block_on(keys(global, until))?;
            let reveal = keys.as_ref().map_or(Reveal::No, |keys| Reveal::With(keys.as_ref()));
            let then = runtime.block_on(replay::state(journal, stream, &until.as_of(), reveal))?;
            if global.json {
                terminal::say_json(&then)?;
            } else {
                terminal::say(then.to_text().trim_end())?;
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
                from: *from,
                to: *to,
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
                runtime.block_on(replay::export(journal, &filter, options, stop, &mut out))?;
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

async fn keys(global: &Global, until: &Until) -> Result<Option<Box<dyn KeyStore>>, Failure> {
    if !until.reveal {
        return Ok(None);
    }
    Ok(Some(global.stores()?.read_keys().await?))
}

impl Until {
    fn as_of(&self) -> AsOf {
        AsOf { at: self.at, recorded_at: self.recorded_at }
    }
}

/// The read models, if they are there: a story is told without them too.
fn read_models(global: &Global) -> Option<ReadModels> {
    let stores = global.stores().ok()?;
    let directory = stores.read_models().ok()?;
    ReadModels::open(&directory, &models::all()).ok()
}

/// The order with this id or reference.
async fn order_of(
    journal: &dyn Journal,
    reads: Option<&ReadModels>,
    text: &str,
) -> Result<OrderId, Failure> {
    if let Ok(order_id) = text.parse() {
        return Ok(order_id);
    }
    let filter = orders::Filter { reference: Some(text.to_owned()), ..orders::Filter::default() };
    let page = reads.and_then(|reads| orders::list(reads, &filter, None, orders::LIMIT_MAX).ok());
    let mut found: Vec<OrderId> = match page {
        Some(Ok(page)) => page.orders.iter().map(|order| order.order_id).collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        found = replay::orders_by_reference(journal, text).await?;
    }
    match found.as_slice() {
        [order_id] => Ok(*order_id),
        [] => Err(ReplayError::UnknownReference(text.to_owned()).into()),
        _ => Err(ReplayError::SeveralOrders { reference: text.to_owned(), orders: found }.into()),
    }
}

/// What the order's history knows besides.
fn known_positions(reads: Option<&ReadModels>, order_id: OrderId) -> Vec<Position> {
    let history = reads.and_then(|reads| order_history::history(reads, order_id).ok());
    history.into_iter().flatten().map(|entry| entry.position).collect()
}

fn category(text: &str) -> Result<String, String> {
    let known: BTreeSet<&str> = ::schemas::catalogue().iter().map(|entry| entry.category).collect();
    if known.contains(text) {
        return Ok(text.to_owned());
    }
    Err(format!("the categories are {}", known.into_iter().collect::<Vec<_>>().join(", ")))
}

fn event_type(text: &str) -> Result<String, String> {
    let known = ::schemas::catalogue().iter().any(|entry| entry.event_type == text);
    known.then(|| text.to_owned()).ok_or_else(|| "`tillroll schemas` lists the types".to_owned())
}
