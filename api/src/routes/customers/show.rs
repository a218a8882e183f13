//! `GET /customers/{customer_id}`.

use domain::CustomerId;

use super::body::{CustomerBody, on_record, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::wire::Ids;

/// One customer, with addresses and payment methods.
#[utoipa::path(get, path = "/customers/{customer_id}", tag = "customers",
    responses((status = 200, description = "The customer", body = CustomerBody)))]
pub(crate) async fn show_customer(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((customer_id,)): Ids<(CustomerId,)>,
) -> Answer {
    own(&who, customer_id)?;
    who.wait_for(&[]).await?;
    let (customer, version) = on_record(&who, customer_id).await?;
    let body = CustomerBody::open(&who, &customer).await?;
    Reply::ok().etag(version).json(&body)
}
