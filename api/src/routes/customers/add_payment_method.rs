//! `POST /customers/{customer_id}/payment-methods`.

use domain::customer::{Customer, CustomerCommand, PaymentMethod};
use domain::{CustomerId, PaymentMethodId};
use sagas::key_store::PersonalField;

use super::body::{PaymentMethodRef, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::personal::{check_text, check_token, checked};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::routes::orders::place::check_provider;
use crate::wire::{Body, Ids, request};

request! {
    /// A payment provider's token, never a card's number.
    AddPaymentMethod {
        /// Name of a payment provider in use here, such as `sandbox`.
        provider: String = String,
        token: String = String,
        /// What the customer knows it by, such as `Visa ending 4242`.
        label: Option<String> = Option<String>,
    }
}

/// Adds a payment method.
#[utoipa::path(post, path = "/customers/{customer_id}/payment-methods", tag = "customers",
    request_body = AddPaymentMethod,
    responses((status = 201, description = "The payment method's id", body = PaymentMethodRef)))]
pub(crate) async fn add_payment_method(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((customer_id,)): Ids<(CustomerId,)>,
    body: Body<AddPaymentMethod>,
) -> Answer {
    own(&who, customer_id)?;
    super::body::on_record(&who, customer_id).await?;
    let AddPaymentMethod { provider, token, label } = body.value;
    let mut errors = Vec::new();
    check_provider(&who, "provider", &provider, &mut errors);
    check_token("token", &token, &mut errors);
    label.iter().for_each(|label| check_text("label", label, &mut errors));
    checked(errors)?;
    let key = who.request_key(&body.bytes)?;
    let engine = &who.services().engine;
    let payment_method_id: PaymentMethodId = engine.bus().new_id();
    let (keys, person) = (engine.keys(), customer_id.uuid());
    let token = keys.seal(person, PersonalField::PaymentToken, &token).await?;
    let label = match label {
        Some(label) => Some(keys.seal(person, PersonalField::PaymentLabel, &label).await?),
        None => None,
    };
    let method = PaymentMethod { payment_method_id, provider, token, label };
    let command = CustomerCommand::AddPaymentMethod(method);
    let done = change(&who, key, move |unit| {
        unit.execute::<Customer>(&customer_id, &command)?;
        Ok(PaymentMethodRef { payment_method_id })
    })
    .await?;
    Reply::created(&format!("/customers/{customer_id}"))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
