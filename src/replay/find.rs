//! Finds the events of one order without reading the log.
//!
//! Ids lead from the order's stream to its payment, checkout, shipments and returns. What other
//! streams (stock, cart, requests, webhooks) say of the order was decided by the same commands, and
//! the events of one command stand next to each other: so a few events around each known one are
//! read, and never a popular SKU's whole stream.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use domain::OrderId;
use domain::cart::CartEvent;
use domain::order::OrderEvent;
use journal::{Category, Journal, Position, Recorded, StreamId, StreamKey};
use schemas::{AnyEvent, decode_any_all};
use serde::Deserialize;
use uuid::Uuid;

use super::ReplayError;

const PAGE: usize = 1_024;
/// Events read at a time on either side of a known one.
const AROUND: usize = 64;
/// Changes to the cart that are told, counted back from the order.
const CART_EVENTS_MAX: u64 = 2_000;

/// An event and what it says.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) recorded: Recorded,
    pub(super) said: Vec<AnyEvent>,
}

/// All events of an order in journal order; `also` are positions known from elsewhere.
pub(super) async fn events(
    journal: &dyn Journal,
    order_id: OrderId,
    also: &[Position],
) -> Result<Vec<Told>, ReplayError> {
    let mut finder = Finder {
        journal,
        mark: order_id.to_string(),
        streams: BTreeSet::new(),
        found: BTreeMap::new(),
        units: BTreeMap::new(),
    };
    finder.stream(uuid_stream("order", order_id.uuid())).await?;
    if finder.found.is_empty() {
        return Err(ReplayError::UnknownOrder(order_id));
    }
    finder.stream(uuid_stream("checkout", order_id.uuid())).await?;
    for position in also {
        let before = Position(position.0.saturating_sub(1));
        for event in journal.read_all(before, 1).await? {
            finder.stream(event.stream).await?;
        }
    }
    // Each round may name streams that the rounds before did not know.
    loop {
        let known = (finder.streams.len(), finder.found.len());
        finder.named_streams().await?;
        finder.units().await?;
        if known == (finder.streams.len(), finder.found.len()) {
            break;
        }
    }
    finder.cart(order_id).await?;
    Ok(finder.found.into_values().collect())
}

pub(super) fn uuid_stream(category: &'static str, id: Uuid) -> StreamId {
    StreamId::of_uuid(Category::from_static(category), id)
}

/// A stream's events from the first, all of them.
pub(super) async fn whole_stream(
    journal: &dyn Journal,
    stream: &StreamId,
) -> Result<Vec<Recorded>, ReplayError> {
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let after = events.last().map_or(0, |last| last.version);
        let page = journal.read_stream(stream, after, PAGE).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page);
    }
}

/// What an event says, in today's terms.
pub(super) fn said(event: &Recorded) -> Result<Vec<AnyEvent>, ReplayError> {
    decode_any_all(event.event_type.as_str(), event.schema_version, &event.payload).map_err(
        |error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            let why = format!("{error}{}", source.unwrap_or_default());
            ReplayError::Unreadable { position: event.position, why }
        },
    )
}

struct Finder<'a> {
    journal: &'a dyn Journal,
    /// The order's id as events of other streams write it.
    mark: String,
    /// Streams that belong to the order as a whole.
    streams: BTreeSet<StreamId>,
    found: BTreeMap<u64, Told>,
    /// Commands looked at: first position to last.
    units: BTreeMap<u64, u64>,
}

impl Finder<'_> {
    async fn stream(&mut self, stream: StreamId) -> Result<(), ReplayError> {
        if self.streams.contains(&stream) {
            return Ok(());
        }
        for event in whole_stream(self.journal, &stream).await? {
            self.keep(event)?;
        }
        self.streams.insert(stream);
        Ok(())
    }

    fn keep(&mut self, recorded: Recorded) -> Result<(), ReplayError> {
        if let Entry::Vacant(new) = self.found.entry(recorded.position.0) {
            let said = said(&recorded)?;
            new.insert(Told { recorded, said });
        }
        Ok(())
    }

    /// Reads the streams that known events name as the order's own.
    async fn named_streams(&mut self) -> Result<(), ReplayError> {
        let mut named = BTreeSet::new();
        for told in self.found.values() {
            if matches!(told.recorded.stream.category.as_str(), "webhook" | "request") {
                named.insert(told.recorded.stream.clone());
            }
            for said in &told.said {
                match said {
                    AnyEvent::Order(OrderEvent::Placed(placed)) => {
                        named.extend(placed.payment_id.map(|id| uuid_stream("payment", id.uuid())));
                    }
                    AnyEvent::Order(OrderEvent::LinesShipped { shipment_id, .. }) => {
                        named.insert(uuid_stream("shipment", shipment_id.uuid()));
                    }
                    AnyEvent::Order(OrderEvent::LinesReturned { return_id, .. }) => {
                        named.insert(uuid_stream("return", return_id.uuid()));
                    }
                    _ => {}
                }
            }
        }
        for stream in named {
            self.stream(stream).await?;
        }
        Ok(())
    }

    /// Reads what was decided together with each known event.
    async fn units(&mut self) -> Result<(), ReplayError> {
        let known: Vec<Recorded> = self.found.values().map(|told| told.recorded.clone()).collect();
        for event in known {
            let around = self.units.range(..=event.position.0).next_back();
            if around.is_some_and(|(_, last)| event.position.0 <= *last) {
                continue;
            }
            let unit = unit_of(self.journal, &event).await?;
            let ends = unit.first().zip(unit.last()).map(|(a, b)| (a.position.0, b.position.0));
            self.units.extend(ends);
            for event in unit {
                if self.concerns(&event) {
                    self.keep(event)?;
                }
            }
        }
        Ok(())
    }

    /// Whether an event that was decided together with the order's own is about it.
    fn concerns(&self, event: &Recorded) -> bool {
        match event.stream.category.as_str() {
            "webhook" | "request" => true,
            _ => self.streams.contains(&event.stream) || event.payload.contains(&self.mark),
        }
    }

    /// Reads what the shopper did to the cart since the order before.
    async fn cart(&mut self, order_id: OrderId) -> Result<(), ReplayError> {
        let started = self.found.values().find(|told| {
            told.said.iter().any(|said| {
                matches!(said, AnyEvent::Cart(CartEvent::CheckoutStarted { order_id: o }) if *o == order_id)
            })
        });
        let Some(started) = started.map(|told| told.recorded.clone()) else { return Ok(()) };
        let after = started.version.saturating_sub(CART_EVENTS_MAX + 1);
        let count = usize::try_from(started.version - after - 1).unwrap_or(0);
        let mut edits: Vec<Told> = Vec::new();
        for recorded in self.journal.read_stream(&started.stream, after, count).await? {
            let said = said(&recorded)?;
            match said.first() {
                Some(AnyEvent::Cart(CartEvent::CheckoutStarted { .. })) => edits.clear(),
                Some(AnyEvent::Cart(
                    CartEvent::ItemAdded { .. }
                    | CartEvent::QuantitySet { .. }
                    | CartEvent::ItemRemoved { .. }
                    | CartEvent::Merged { .. }
                    | CartEvent::CurrencyChanged { .. },
                )) => edits.push(Told { recorded, said }),
                _ => {}
            }
        }
        self.found.extend(edits.into_iter().map(|told| (told.recorded.position.0, told)));
        Ok(())
    }
}

#[derive(Deserialize, PartialEq)]
struct CommandOf {
    command_id: Uuid,
}

/// The events of the command that this event came from, in order. Without a command id: itself.
async fn unit_of(journal: &dyn Journal, event: &Recorded) -> Result<Vec<Recorded>, ReplayError> {
    let command_of = |event: &Recorded| serde_json::from_str::<CommandOf>(&event.metadata).ok();
    let Some(command) = command_of(event) else { return Ok(vec![event.clone()]) };
    let same = |other: &Recorded| {
        other.metadata == event.metadata || command_of(other).is_some_and(|c| c == command)
    };
    let mut unit = vec![event.clone()];
    let mut first = event.position;
    loop {
        let page = journal.read_back(Some(first), AROUND).await?;
        let read = page.len();
        let before = unit.len();
        unit.extend(page.into_iter().take_while(same));
        first = unit.last().map_or(first, |event| event.position);
        if read < AROUND || unit.len() - before < read {
            break;
        }
    }
    unit.reverse();
    loop {
        let last = unit.last().map_or(event.position, |event| event.position);
        let page = journal.read_all(last, AROUND).await?;
        let read = page.len();
        let before = unit.len();
        unit.extend(page.into_iter().take_while(same));
        if read < AROUND || unit.len() - before < read {
            return Ok(unit);
        }
    }
}

/// The SKU a stock event is about.
pub(super) fn sku_of(event: &Recorded) -> Option<domain::SkuId> {
    match event.stream.key {
        StreamKey::Uuid(id) => Some(domain::SkuId::new(id)),
        StreamKey::Text(_) => None,
    }
}
