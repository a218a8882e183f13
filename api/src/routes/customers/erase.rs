//! `DELETE /customers/{customer_id}`.

use domain::CustomerId;
use domain::customer::{Customer, CustomerCommand};

use super::body::{CustomerRef, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::Ids;

/// Erases a customer: the key that opens their personal data is destroyed, for good, and what they
/// looked at is not used any more.
///
/// Amounts, stock and orders stay. Harmless when repeated.
#[utoipa::path(delete, path = "/customers/{customer_id}", tag = "customers",
    responses((status = 200, description = "Erased", body = CustomerRef)))]
pub(crate) async fn erase_customer(
    who: Who<{ CUSTOMER | SUPPORT | ADMIN }>,
    Ids((customer_id,)): Ids<(CustomerId,)>,
) -> Answer {
    own(&who, customer_id)?;
    // On record first: a crash in between is made good by a repeat.
    let done = change(&who, None, move |unit| {
        unit.execute::<Customer>(&customer_id, &CustomerCommand::Erase { customer_id })?;
        Ok(CustomerRef { customer_id })
    })
    .await?;
    who.services().engine.keys().erase(customer_id.uuid()).await?;
    if let Some(browsing) = &who.services().browsing {
        browsing.erase(customer_id, who.services().engine.bus().now()).await?;
    }
    Reply::ok().position(&who, done.position).json(&done.value)
}
