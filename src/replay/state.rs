//! The state of anything at any past moment: the decider's own fold of its stream up to there.

use chrono::{DateTime, Utc};
use commands::{RequestLog, Runs};
use domain::cart::Cart;
use domain::category::Category;
use domain::checkout::Checkout;
use domain::customer::Customer;
use domain::inventory::Inventory;
use domain::order::Order;
use domain::payment::Payment;
use domain::product::Product;
use domain::product_return::ProductReturn;
use domain::rating::Rating;
use domain::seller::Seller;
use domain::shipment::Shipment;
use domain::warehouse::Warehouse;
use journal::{Journal, Position, Recorded, StreamId, Version};
use sagas::webhook_inbox::Inbox;
use schemas::StoredEvent;
use serde::Serialize;
use serde_json::Value;

use super::{AsOf, ReplayError, Reveal};

/// Large, since a page of a long stream costs the way from the stream's end.
const PAGE: usize = 65_536;

/// What an aggregate was.
#[derive(Debug, Clone, Serialize)]
pub struct StateThen {
    pub stream: String,
    /// Version at that moment.
    pub version: Version,
    /// Events folded.
    pub events: u64,
    /// Position of the last of them.
    pub position: Position,
    pub occurred: DateTime<Utc>,
    pub recorded: DateTime<Utc>,
    /// The folded state, as the engine holds it in memory.
    pub state: Value,
}

/// Folds a stream up to a moment: its first events, up to the last before one that is later.
/// Reads the stream alone, page by page.
///
/// # Errors
/// `UnknownCategory`, `UnknownStream`, `NotYet`; `Unreadable` and the journal's own.
pub async fn state(
    journal: &dyn Journal,
    stream: &StreamId,
    as_of: &AsOf,
    reveal: Reveal<'_>,
) -> Result<StateThen, ReplayError> {
    let category = stream.category.as_str();
    macro_rules! by_category {
        ($($decider:ty),* $(,)?) => {
            $(if category == <$decider as domain::Decider>::CATEGORY {
                return fold::<$decider>(journal, stream, as_of, reveal).await;
            })*
        };
    }
    by_category![
        Order,
        Cart,
        Checkout,
        Payment,
        Inventory,
        Shipment,
        ProductReturn,
        Product,
        Category,
        Customer,
        Seller,
        Warehouse,
        Rating,
        RequestLog,
        Inbox,
    ];
    Err(ReplayError::UnknownCategory(category.to_owned()))
}

async fn fold<D: Runs>(
    journal: &dyn Journal,
    stream: &StreamId,
    as_of: &AsOf,
    reveal: Reveal<'_>,
) -> Result<StateThen, ReplayError> {
    let mut state = D::State::default();
    let mut last: Option<Recorded> = None;
    let mut read = 0;
    'pages: loop {
        let page = journal.read_stream(stream, read, PAGE).await?;
        let Some(end) = page.last().map(|event| event.version) else { break };
        for event in page {
            if !as_of.includes(&event) {
                read = end;
                break 'pages;
            }
            let name = event.event_type.as_str();
            D::Event::decode_all(name, event.schema_version, &event.payload)
                .map_err(|error| ReplayError::Unreadable {
                    position: event.position,
                    why: error.to_string(),
                })?
                .iter()
                .for_each(|said| D::evolve(&mut state, said));
            last = Some(event);
        }
        read = end;
    }
    let Some(last) = last else {
        return Err(if read == 0 {
            ReplayError::UnknownStream(stream.clone())
        } else {
            ReplayError::NotYet(stream.clone())
        });
    };
    let mut state = serde_json::to_value(&state)?;
    reveal.tree(&mut state).await;
    Ok(StateThen {
        stream: stream.to_string(),
        version: last.version,
        events: last.version,
        position: last.position,
        occurred: last.occurred,
        recorded: last.recorded,
        state,
    })
}
