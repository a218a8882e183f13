//! `PATCH /customers/{customer_id}`.

use domain::CustomerId;
use domain::customer::{Customer, CustomerCommand};
use domain::pricing::Tier;
use sagas::key_store::PersonalField;

use super::body::{CustomerRef, on_record, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::personal::{Contact, checked, open_json, seal_json};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// What changes; what is left out stays.
    ChangeCustomer {
        name: Option<String> = Option<String>,
        email: Option<String> = Option<String>,
        phone: Option<String> = Option<String>,
        /// retail or wholesale; admins only.
        tier: Option<Tier> = Option<crate::openapi::shapes::Tier>,
    }
}

/// Changes how to reach a customer, and (admins) on which terms they buy.
#[utoipa::path(patch, path = "/customers/{customer_id}", tag = "customers",
    request_body = ChangeCustomer,
    responses((status = 200, description = "Changed", body = CustomerRef)))]
pub(crate) async fn change_customer(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((customer_id,)): Ids<(CustomerId,)>,
    body: Body<ChangeCustomer>,
) -> Answer {
    own(&who, customer_id)?;
    let ChangeCustomer { name, email, phone, tier } = body.value;
    if tier.is_some() && !who.is_admin() {
        return Err(Problem::new(catalogue::FORBIDDEN, "only an admin changes the tier"));
    }
    let (customer, _) = on_record(&who, customer_id).await?;
    let keys = who.services().engine.keys().as_ref();
    let before: Contact =
        open_json(keys, PersonalField::Contact, &customer.contact).await?.unwrap_or_default();
    let contact = Contact {
        name: name.or_else(|| before.name.clone()),
        email: email.or_else(|| before.email.clone()),
        phone: phone.or_else(|| before.phone.clone()),
    };
    let mut errors = Vec::new();
    contact.check(&mut errors);
    checked(errors)?;
    let sealed = if contact == before {
        None
    } else {
        Some(seal_json(keys, customer_id.uuid(), PersonalField::Contact, &contact).await?)
    };
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        seen_version::<Customer>(unit, &customer_id, seen)?;
        if let Some(contact) = sealed.clone() {
            let command = CustomerCommand::ChangeContact { contact };
            unit.execute::<Customer>(&customer_id, &command)?;
        }
        if let Some(tier) = tier {
            unit.execute::<Customer>(&customer_id, &CustomerCommand::ChangeTier { tier })?;
        }
        Ok(CustomerRef { customer_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
