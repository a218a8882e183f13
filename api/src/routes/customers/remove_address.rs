//! `DELETE /customers/{customer_id}/addresses/{address_id}`.

use domain::customer::{Customer, CustomerCommand};
use domain::{AddressId, CustomerId};

use super::body::{AddressRef, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::Ids;

/// Removes an address; harmless if there is none.
#[utoipa::path(delete, path = "/customers/{customer_id}/addresses/{address_id}", tag = "customers",
    responses((status = 200, description = "Removed", body = AddressRef)))]
pub(crate) async fn remove_address(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((customer_id, address_id)): Ids<(CustomerId, AddressId)>,
) -> Answer {
    own(&who, customer_id)?;
    let done = change(&who, None, move |unit| {
        let command = CustomerCommand::RemoveAddress { address_id };
        unit.execute::<Customer>(&customer_id, &command)?;
        Ok(AddressRef { address_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
