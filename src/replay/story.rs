//! One order's whole story, for customer service and for programs.

use chrono::{DateTime, Utc};
use commands::Metadata;
use domain::order::{Order, OrderEvent, OrderState, OrderStatus, PlacedOrder};
use domain::payment::{Payment, PaymentState, PaymentStatus};
use domain::{Currency, CustomerId, Decider, LineNumber, OrderId};
use journal::{Journal, Position};
use schemas::AnyEvent;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::find::{self, Told};
use super::words::{self, Glossary};
use super::words_of_goods::{self, OfGoods};
use super::{AsOf, ReplayError, Reveal};

/// Everything on record about an order, in the order in which it was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Story {
    pub order_id: OrderId,
    pub entries: Vec<StoryEntry>,
    /// How things stood after the last entry.
    pub summary: StorySummary,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct StoryEntry {
    pub position: Position,
    pub stream: String,
    pub version: u64,
    /// The stored name, such as `order.placed`.
    #[serde(rename = "type")]
    pub event_type: String,
    pub occurred: DateTime<Utc>,
    pub recorded: DateTime<Utc>,
    /// Who did it; empty where nobody said.
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// What happened, in words.
    pub text: String,
    /// The event's payload; sealed values are shown as such or opened.
    pub event: Value,
    /// Set where one command says the same of many goods, an event for each.
    #[serde(skip)]
    pub(super) of_goods: Option<OfGoods>,
}

/// How an order stood; amounts in minor units of its currency.
#[derive(Debug, Clone, Serialize)]
pub struct StorySummary {
    /// The order's number in another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub status: OrderStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// `None` for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// A guest's e-mail and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Where the goods go: the country, and the rest as far as it may be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<String>,
    pub currency: Currency,
    pub total_minor: i64,
    /// `None` where nothing was to be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<PaymentStatus>,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    /// Calls that the provider has not answered.
    pub waiting_for: Vec<String>,
    pub lines: Vec<LineThen>,
}

/// One line and how far its units had come.
#[derive(Debug, Clone, Serialize)]
pub struct LineThen {
    pub line: LineNumber,
    pub name: String,
    pub unit_minor: i64,
    pub ordered: u32,
    pub shipped: u32,
    pub delivered: u32,
    pub returned: u32,
}

/// Tells an order's story up to a moment. The log is not scanned: the cost goes with the order's
/// own events. `also` are positions of events known to be the order's, such as those of the order
/// history read model: a return that nobody has received yet is named by nothing else.
///
/// # Errors
/// `UnknownOrder`, `NotYet`; `Unreadable` and the journal's own.
pub async fn order(
    journal: &dyn Journal,
    order_id: OrderId,
    as_of: &AsOf,
    reveal: Reveal<'_>,
    also: &[Position],
) -> Result<Story, ReplayError> {
    let mut told = find::events(journal, order_id, also).await?;
    told.retain(|told| as_of.includes(&told.recorded));
    let not_yet = || ReplayError::NotYet(find::uuid_stream("order", order_id.uuid()));
    let placed = told.iter().find_map(placed).ok_or_else(not_yet)?;
    let glossary = Glossary::of(placed);
    let summary = summary(&told, placed, reveal).await.ok_or_else(not_yet)?;
    let mut entries = Vec::with_capacity(told.len());
    for told in &told {
        entries.push(entry(told, &glossary, reveal).await?);
    }
    Ok(Story { order_id, entries, summary })
}

fn placed(told: &Told) -> Option<&PlacedOrder> {
    told.said.iter().find_map(|said| match said {
        AnyEvent::Order(OrderEvent::Placed(placed)) => Some(placed.as_ref()),
        _ => None,
    })
}

async fn entry(
    told: &Told,
    glossary: &Glossary,
    reveal: Reveal<'_>,
) -> Result<StoryEntry, ReplayError> {
    let Told { recorded, said } = told;
    let metadata = serde_json::from_str::<Metadata>(&recorded.metadata).ok();
    let metadata = metadata.as_ref();
    let mut event: Value = serde_json::from_str(&recorded.payload)?;
    reveal.tree(&mut event).await;
    Ok(StoryEntry {
        position: recorded.position,
        stream: recorded.stream.to_string(),
        version: recorded.version,
        event_type: recorded.event_type.to_string(),
        occurred: recorded.occurred,
        recorded: recorded.recorded,
        actor: metadata.map(|m| m.actor.to_string()).unwrap_or_default(),
        on_behalf_of: metadata.and_then(|m| m.on_behalf_of.as_deref()).map(str::to_owned),
        request: metadata.and_then(|m| m.request.as_deref()).map(str::to_owned),
        command_id: metadata.map(|m| m.command_id),
        correlation_id: metadata.map(|m| m.correlation_id),
        causation_id: metadata.and_then(|m| m.causation_id),
        text: words::listed(said.iter().map(|said| words::of(recorded, said, glossary))),
        event,
        of_goods: match said.as_slice() {
            [said] => words_of_goods::of_goods(said),
            _ => None,
        },
    })
}

/// Folds the order and its payment as their deciders do.
async fn summary(told: &[Told], placed: &PlacedOrder, reveal: Reveal<'_>) -> Option<StorySummary> {
    let (mut order, mut payment) = (OrderState::default(), PaymentState::default());
    for said in told.iter().flat_map(|told| &told.said) {
        match said {
            AnyEvent::Order(said) => Order::evolve(&mut order, said),
            AnyEvent::Payment(said) => Payment::evolve(&mut payment, said),
            _ => {}
        }
    }
    let order = order?;
    let payment = payment.as_deref();
    let contact = match &placed.guest_contact {
        Some(contact) => Some(reveal.text(contact).await),
        None => None,
    };
    let ship_to = match &placed.shipping_address {
        Some(to) => Some(format!("{}, {}", to.country, reveal.text(&to.details).await)),
        None => None,
    };
    let lines = placed.lines.iter().filter_map(|line| {
        let progress = order.lines.get(&line.line)?;
        Some(LineThen {
            line: line.line,
            name: line.name.clone(),
            unit_minor: line.unit_minor,
            ordered: progress.ordered,
            shipped: progress.shipped,
            delivered: progress.delivered,
            returned: progress.returned,
        })
    });
    Some(StorySummary {
        reference: placed.reference.clone(),
        status: order.status,
        end_reason: order.end_reason.as_ref().map(words::why),
        customer_id: order.customer_id,
        contact,
        ship_to,
        currency: order.currency,
        total_minor: order.totals.total_minor,
        payment_status: payment.map(|payment| payment.status()),
        captured_minor: payment.map_or(0, |payment| payment.captured_minor),
        refunded_minor: payment.map_or(0, |payment| payment.refunded_minor),
        waiting_for: payment.map_or_else(Vec::new, |payment| {
            payment.pending().map(|(_, attempt)| attempt.operation.to_string()).collect()
        }),
        lines: lines.collect(),
    })
}
