//! `GET /orders`.

use domain::order::OrderStatus;
use domain::{CustomerId, SellerId, Timestamp};
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
        status: OrderStatus = String,
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
        limit: usize = usize,
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    #[schema(value_type = Vec<Object>)]
    orders: Vec<OrderSummary>,
    /// Where the next page begins; null on the last.
    next: Option<String>,
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
    let mut orders = page.orders;
    if who.seller().is_some() {
        // What the other sellers of an order sold is not theirs to see.
        orders.iter_mut().for_each(|order| order.totals = Default::default());
    }
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
