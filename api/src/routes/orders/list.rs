//! `GET /orders`.

use domain::order::{OrderStatus, OrderTotals};
use domain::{Currency, CustomerId, OrderId, SellerId, Timestamp};
use projections::orders::{self, Cursor, Filter, LIMIT_MAX, OrderSummary};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::roles::{ADMIN, CUSTOMER, SELLER, STOREFRONT, SUPPORT};
use crate::auth::{Asking, Who};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::acting::Reach;
use crate::routes::off_thread;
use crate::wire::{Query, query};

const LISTER: u8 = CUSTOMER | STOREFRONT | SELLER | SUPPORT | ADMIN;
const LIMIT: usize = 50;

query! {
    /// Which orders; those that meet all of what is given, newest first.
    ListOrders {
        status: OrderStatus = crate::openapi::shapes::OrderStatus,
        /// Customers and storefronts only see their own.
        customer_id: CustomerId = Uuid,
        /// Sellers only see their own.
        seller_id: SellerId = Uuid,
        /// Placed at this instant or later.
        placed_from: Timestamp = String,
        /// Placed before this instant.
        placed_to: Timestamp = String,
        /// The order's number in another system.
        reference: String = String,
        /// `next` of the page before, with the same filters.
        cursor: String = String,
        /// 1 to 200, 50 if left out.
        #[param(minimum = 1, maximum = 200)]
        limit: usize = usize,
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    orders: Vec<OrderSummaryBody>,
    /// Where the next page begins; null on the last.
    next: Option<String>,
}

/// What a list shows of an order. Amounts are minor units of `currency`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderSummary)]
pub(crate) struct OrderSummaryBody {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    /// As in the `ETag`.
    version: u64,
    #[schema(value_type = crate::openapi::shapes::OrderStatus)]
    status: OrderStatus,
    #[schema(value_type = Option<Uuid>)]
    customer_id: Option<CustomerId>,
    #[schema(value_type = String)]
    currency: Currency,
    /// Null for sellers.
    #[schema(value_type = Option<crate::openapi::shapes::OrderTotals>)]
    totals: Option<OrderTotals>,
    /// Null for sellers, whose lines may not be all.
    line_count: Option<u32>,
    /// The order's number in another system.
    reference: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl OrderSummaryBody {
    /// `whole`: what the other sellers of an order sold is theirs to see, too.
    fn of(order: OrderSummary, whole: bool) -> Self {
        Self {
            order_id: order.order_id,
            version: order.version,
            status: order.status,
            customer_id: order.customer_id,
            currency: order.currency,
            totals: whole.then_some(order.totals),
            line_count: whole.then_some(order.line_count),
            reference: order.reference,
            placed_at: order.placed_at,
            updated_at: order.updated_at,
        }
    }
}

/// Orders, newest first.
#[utoipa::path(get, path = "/orders", tag = "orders", params(ListOrders),
    responses((status = 200, description = "A page of orders", body = OrderPage)))]
pub(crate) async fn list_orders(who: Who<LISTER>, Query(query): Query<ListOrders>) -> Answer {
    who.wait_for(&["orders"]).await?;
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("must be from 1 to {LIMIT_MAX}");
        return Err(Problem::field("limit", "invalid", message));
    }
    let bad_cursor =
        |error: orders::CursorError| Problem::field("cursor", "invalid", error.to_string());
    let after: Option<Cursor> =
        query.cursor.as_ref().map(|text| text.parse()).transpose().map_err(bad_cursor)?;
    let filter = within_reach(&who, query)?;
    let reads = who.services().reads.clone();
    let page = off_thread(move || orders::list(&reads, &filter, after, limit)).await??;
    let page = page.map_err(bad_cursor)?;
    let whole = who.seller().is_none();
    let orders = page.orders.into_iter().map(|order| OrderSummaryBody::of(order, whole)).collect();
    let next = page.next.map(|cursor| cursor.to_string());
    Reply::ok().json(&OrderPage { orders, next })
}

fn within_reach(who: &Asking, query: ListOrders) -> Result<Filter, Problem> {
    let mut filter = Filter {
        customer: query.customer_id,
        seller: query.seller_id,
        status: query.status,
        placed_from: query.placed_from,
        placed_to: query.placed_to,
        reference: query.reference,
    };
    let foreign =
        || Problem::new(catalogue::FORBIDDEN, "only the caller's own orders can be listed");
    match Reach::of(who)? {
        Reach::Everybodys => {}
        Reach::Customer(own) if filter.customer.is_none_or(|id| id == own) => {
            filter.customer = Some(own);
        }
        Reach::Seller(own) if filter.seller.is_none_or(|id| id == own) => filter.seller = Some(own),
        Reach::Nobodys if who.is_storefront() => {
            let message = "name the customer whose orders are to be listed";
            return Err(Problem::field("Tillroll-Customer", "required", message));
        }
        Reach::Customer(_) | Reach::Seller(_) | Reach::Order(_) | Reach::Nobodys => {
            return Err(foreign());
        }
    }
    Ok(filter)
}
