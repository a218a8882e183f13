//! `GET /customers`.

use domain::CustomerId;
use domain::pricing::Tier;
use projections::Projector;
use projections::parties::{CustomerFilter, CustomerSummary, Parties, customers};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::routes::page::limit_of;
use crate::wire::{Query, query};

query! {
    /// Which customers; those that meet all of what is given.
    ListCustomers {
        /// retail or wholesale.
        tier: Tier = crate::openapi::shapes::Tier,
        /// Whether their personal data was erased.
        erased: bool = bool,
        /// `next` of the page before, with the same filters.
        cursor: Uuid = Uuid,
        /// 1 to 100, 50 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

/// What a list shows of a customer: nothing personal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerSummary)]
pub(crate) struct CustomerSummaryBody {
    #[schema(value_type = Uuid)]
    customer_id: CustomerId,
    #[schema(value_type = crate::openapi::shapes::Tier)]
    tier: Tier,
    /// How many.
    addresses: usize,
    /// How many.
    payment_methods: usize,
    erased: bool,
}

impl From<CustomerSummary> for CustomerSummaryBody {
    fn from(of: CustomerSummary) -> Self {
        let CustomerSummary { customer_id, tier, addresses, payment_methods, erased } = of;
        Self { customer_id, tier, addresses, payment_methods, erased }
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerPage {
    customers: Vec<CustomerSummaryBody>,
    /// The `cursor` of the next page; null on the last.
    #[schema(value_type = Option<String>)]
    next: Option<CustomerId>,
}

/// Customers, in the order in which they came.
#[utoipa::path(get, path = "/customers", tag = "customers", params(ListCustomers),
    responses((status = 200, description = "A page of customers", body = CustomerPage)))]
pub(crate) async fn list_customers(
    who: Who<{ SUPPORT | ADMIN }>,
    Query(query): Query<ListCustomers>,
) -> Answer {
    who.wait_for(&[Parties::NAME]).await?;
    let (limit, after) = (limit_of(query.limit)?, query.cursor.map(CustomerId::new));
    let filter = CustomerFilter { tier: query.tier, erased: query.erased };
    let reads = who.services().reads.clone();
    let page = off_thread(move || {
        reads.read(Parties::NAME, |connection| customers(connection, filter, after, limit))
    });
    let page = page.await??;
    let customers = page.rows.into_iter().map(CustomerSummaryBody::from).collect();
    Reply::ok().json(&CustomerPage { customers, next: page.next })
}
