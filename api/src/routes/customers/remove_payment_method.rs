//! `DELETE /customers/{customer_id}/payment-methods/{payment_method_id}`.

use domain::customer::{Customer, CustomerCommand};
use domain::{CustomerId, PaymentMethodId};

use super::body::{PaymentMethodRef, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::Ids;

/// Removes a payment method; harmless if there is none.
#[utoipa::path(delete, path = "/customers/{customer_id}/payment-methods/{payment_method_id}",
    tag = "customers",
    responses((status = 200, description = "Removed", body = PaymentMethodRef)))]
pub(crate) async fn remove_payment_method(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((customer_id, payment_method_id)): Ids<(CustomerId, PaymentMethodId)>,
) -> Answer {
    own(&who, customer_id)?;
    let done = change(&who, None, move |unit| {
        let command = CustomerCommand::RemovePaymentMethod { payment_method_id };
        unit.execute::<Customer>(&customer_id, &command)?;
        Ok(PaymentMethodRef { payment_method_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
