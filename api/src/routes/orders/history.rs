//! `GET /orders/{order_id}/history`.

use domain::OrderId;
use projections::order_history::history;
use serde::Serialize;
use utoipa::ToSchema;

use super::show::visible_order;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::Ids;

/// Everything on record about an order, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderHistoryBody {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    entries: Vec<HistoryEntryBody>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryEntryBody {
    /// Such as `order.placed`.
    event_type: String,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: domain::Timestamp,
    actor: Option<String>,
    /// One line for people.
    summary: String,
    /// Place in the journal.
    position: u64,
}

/// What happened to an order, its payment, shipments and returns.
#[utoipa::path(get, path = "/orders/{order_id}/history", tag = "orders",
    responses((status = 200, description = "The history", body = OrderHistoryBody)))]
pub(crate) async fn show_order_history(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
) -> Answer {
    who.wait_for(&["orders", "order_history"]).await?;
    visible_order(&who, order_id).await?;
    let reads = who.services().reads.clone();
    let entries = off_thread(move || history(&reads, order_id)).await??;
    let entries = entries.into_iter().map(|entry| HistoryEntryBody {
        event_type: entry.event_type,
        occurred_at: entry.occurred_at,
        actor: entry.actor,
        summary: entry.summary,
        position: entry.position.0,
    });
    Reply::ok().json(&OrderHistoryBody { order_id, entries: entries.collect() })
}
