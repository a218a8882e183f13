//! `POST /customers`.

use domain::customer::{Customer, CustomerCommand};
use domain::order::Order;
use domain::pricing::Tier;
use domain::seller::Seller;
use domain::{CustomerId, OrderId, SellerId};
use sagas::key_store::PersonalField;

use super::body::CustomerRef;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT};
use crate::auth::{Asking, Who};
use crate::personal::{Contact, checked, seal_json};
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// A new customer.
    RegisterCustomer {
        /// The id they sign in with, the subject of their tokens: a customer's own, if a customer
        /// registers; a new one, if left out.
        customer_id: Option<CustomerId> = Option<Uuid>,
        /// retail (the default) or wholesale, which only an admin gives.
        tier: Option<Tier> = Option<crate::openapi::shapes::Tier>,
        name: String = String,
        email: String = String,
        phone: Option<String> = Option<String>,
    }
}

/// Refuses an id that a seller or an order has: what is sealed for one must not go when the other
/// is erased.
async fn is_a_persons(who: &Asking, customer_id: CustomerId) -> Result<(), Problem> {
    let caller = who.caller();
    let id = customer_id.uuid();
    let read = who.services().engine.bus().run(&caller, move |unit| {
        let seller = unit.state::<Seller>(&SellerId::new(id))?.is_some();
        Ok(seller || unit.state::<Order>(&OrderId::new(id))?.is_some())
    });
    match read.await?.value {
        false => Ok(()),
        true => Err(Problem::field("customer_id", "invalid", "is the id of something else")),
    }
}

/// Registers a customer. Personal fields are sealed under a key of their own.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = RegisterCustomer,
    responses((status = 201, description = "The customer's id", body = CustomerRef)))]
pub(crate) async fn register_customer(
    who: Who<{ CUSTOMER | STOREFRONT | ADMIN }>,
    body: Body<RegisterCustomer>,
) -> Answer {
    let RegisterCustomer { customer_id, tier, name, email, phone } = body.value;
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
    let customer_id = match (who.customer(), customer_id) {
        (Some(own), given) if given.is_none_or(|id| id == own) => own,
        (Some(_), _) => {
            return Err(Problem::new(catalogue::FORBIDDEN, "a customer registers themselves only"));
        }
        (None, given) => given.unwrap_or_else(|| engine.bus().new_id()),
    };
    is_a_persons(&who, customer_id).await?;
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
