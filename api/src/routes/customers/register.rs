//! `POST /customers`.

use domain::CustomerId;
use domain::customer::{Customer, CustomerCommand};
use domain::pricing::Tier;
use sagas::key_store::PersonalField;

use super::body::CustomerRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, STOREFRONT};
use crate::personal::{Contact, checked, seal_json};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// A new customer.
    RegisterCustomer {
        /// retail (the default) or wholesale, which only an admin gives.
        tier: Option<Tier> = Option<String>,
        name: String = String,
        email: String = String,
        phone: Option<String> = Option<String>,
    }
}

/// Registers a customer. Personal fields are sealed under a key of their own.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = RegisterCustomer,
    responses((status = 201, description = "The customer's id", body = CustomerRef)))]
pub(crate) async fn register_customer(
    who: Who<{ STOREFRONT | ADMIN }>,
    body: Body<RegisterCustomer>,
) -> Answer {
    let RegisterCustomer { tier, name, email, phone } = body.value;
    let tier = tier.unwrap_or_default();
    if tier == Tier::Wholesale && !who.is_admin() {
        return Err(Problem::new(catalogue::FORBIDDEN, "only an admin gives the wholesale tier"));
    }
    let contact = Contact { name: Some(name), email: Some(email), phone };
    let mut errors = Vec::new();
    contact.check(&mut errors);
    checked(errors)?;
    let key = who.request_key(&body.bytes)?;
    let engine = &who.services().engine;
    let customer_id: CustomerId = engine.bus().new_id();
    let keys = engine.keys().as_ref();
    let contact = seal_json(keys, customer_id.uuid(), PersonalField::Contact, &contact).await?;
    let done = change(&who, key, move |unit| {
        let contact = contact.clone();
        let command = CustomerCommand::Register { customer_id, tier, contact };
        unit.execute::<Customer>(&customer_id, &command)?;
        Ok(CustomerRef { customer_id })
    })
    .await?;
    Reply::created(&format!("/customers/{}", done.value.customer_id))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
