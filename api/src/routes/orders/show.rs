//! `GET /orders/{order_id}`.

use actix_web::http::StatusCode;
use domain::order::{Order, OrderOnRecord};
use domain::{Decider, OrderId, Timestamp};
use projections::orders::{self, OrderView};
use schemas::StoredEvent;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{OrderBody, keep_lines_of};
use crate::auth::roles::{ADMIN, CUSTOMER, ORDER_TOKEN, SELLER, STOREFRONT, SUPPORT};
use crate::auth::{Asking, Who};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::acting::Reach;
use crate::wire::{Ids, Query, query};

/// Whoever may see some orders.
pub(crate) const READER: u8 = CUSTOMER | STOREFRONT | SELLER | SUPPORT | ADMIN | ORDER_TOKEN;

/// Events read at a time when an order is folded as of an earlier time.
const PAGE_EVENTS: usize = 1_000;

query! {
    /// As of when.
    OrderAsOf {
        /// Show the order as it was then.
        at: Timestamp = String,
    }
}

/// An order as it was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderThen {
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// How many events the order had.
    version: u64,
    /// Status, lines with their progress, totals, shipments and returns.
    #[schema(value_type = Object)]
    order: OrderOnRecord,
}

/// The answer, with `at` or without.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only described: each is written as what it is")]
pub(crate) enum OrderShown {
    Now(Box<OrderBody>),
    Then(Box<OrderThen>),
}

/// One order, as it is now, or with `at` as it was.
#[utoipa::path(get, path = "/orders/{order_id}", tag = "orders", params(OrderAsOf),
    responses((status = 200, description = "The order", body = OrderShown)))]
pub(crate) async fn show_order(
    who: Who<READER>,
    Ids((order_id,)): Ids<(OrderId,)>,
    Query(query): Query<OrderAsOf>,
) -> Answer {
    who.wait_for(&["orders"]).await?;
    let view = visible_order(&who, order_id).await?;
    if let Some(at) = query.at {
        // What a seller must not see of it now, nobody showed before either.
        if who.seller().is_some() {
            return Err(Problem::new(catalogue::FORBIDDEN, "`at` is not for sellers"));
        }
        return show_then(&who, order_id, at).await;
    }
    let body = OrderBody::open(&who, view).await?;
    Reply::ok().etag(body.version()).json(&body)
}

/// The order, if this caller may see it. One that was placed a moment ago is waited for.
pub(crate) async fn visible_order(who: &Asking, order_id: OrderId) -> Result<OrderView, Problem> {
    let services = who.services();
    let mut found = orders::by_id(&services.reads, order_id)?;
    if found.is_none() {
        let placed = services.engine.bus().read::<Order, _>(order_id, Option::is_some).await?;
        if placed.value {
            let (head, patience) = (services.journal.head(), who.patience());
            services.reads.wait_for_models(&["orders"], head, patience).await?;
            found = orders::by_id(&services.reads, order_id)?;
        }
    }
    let view = found.ok_or_else(|| Problem::not_found("order"))?;
    if may_see(who, &view)? { Ok(view) } else { Err(Problem::not_found("order")) }
}

/// As much of an order as this caller may see, for one `part` of it that was asked for: where the
/// order is not theirs to see, there is no such part.
pub(crate) async fn visible_order_of(
    who: &Asking,
    part: &str,
    order_id: OrderId,
) -> Result<OrderView, Problem> {
    let seen = visible_order(who, order_id).await;
    let mut view = seen.map_err(|problem| match problem.status() {
        StatusCode::NOT_FOUND => Problem::not_found(part),
        _ => problem,
    })?;
    if let Some(seller) = who.seller() {
        keep_lines_of(&mut view, seller);
    }
    Ok(view)
}

fn may_see(who: &Asking, view: &OrderView) -> Result<bool, Problem> {
    Ok(match Reach::of(who)? {
        Reach::Everybodys => true,
        Reach::Customer(customer) => view.customer_id == Some(customer),
        Reach::Seller(seller) => view.lines.iter().any(|line| line.seller_id == seller),
        Reach::Order(order) => view.order_id == order,
        Reach::Nobodys => false,
    })
}

async fn show_then(who: &Asking, order_id: OrderId, at: Timestamp) -> Answer {
    let stream = <Order as commands::Runs>::stream(&order_id);
    let journal = &who.services().journal;
    let (mut state, mut version) = (None, 0);
    'pages: loop {
        let page = journal.read_stream(&stream, version, PAGE_EVENTS).await?;
        if page.is_empty() {
            break;
        }
        for recorded in page {
            if recorded.occurred > at {
                break 'pages;
            }
            let name = recorded.event_type.as_str();
            let events = <Order as Decider>::Event::decode_all(
                name,
                recorded.schema_version,
                &recorded.payload,
            );
            let events = events.map_err(|error| {
                tracing::error!(%error, %order_id, "an order's event cannot be read");
                Problem::new(catalogue::INTERNAL, "stored data cannot be read")
            })?;
            events.iter().for_each(|event| Order::evolve(&mut state, event));
            version = recorded.version;
        }
    }
    let order = state.ok_or_else(|| Problem::not_found("order at that time"))?;
    Reply::ok().json(&OrderThen { as_of: at, version, order: *order })
}
