//! `POST /customers/{customer_id}/addresses`.

use domain::customer::{Address, Customer, CustomerCommand};
use domain::{AddressId, CustomerId};
use sagas::key_store::PersonalField;

use super::body::{AddressRef, own};
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, STOREFRONT, SUPPORT};
use crate::personal::{Place, check_country, checked, seal_json};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, Ids, request};

request! {
    /// Where parcels go.
    AddAddress {
        /// ISO 3166-1 alpha-2.
        country: String = String,
        recipient: String = String,
        /// Street and house, one entry for each line.
        lines: Vec<String> = Vec<String>,
        city: String = String,
        region: Option<String> = Option<String>,
        postcode: Option<String> = Option<String>,
        phone: Option<String> = Option<String>,
    }
}

/// Adds an address.
#[utoipa::path(post, path = "/customers/{customer_id}/addresses", tag = "customers",
    request_body = AddAddress,
    responses((status = 201, description = "The address's id", body = AddressRef)))]
pub(crate) async fn add_address(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN }>,
    Ids((customer_id,)): Ids<(CustomerId,)>,
    body: Body<AddAddress>,
) -> Answer {
    own(&who, customer_id)?;
    super::body::on_record(&who, customer_id).await?;
    let AddAddress { country, recipient, lines, city, region, postcode, phone } = body.value;
    let place = Place { recipient, lines, city, region, postcode, phone };
    let mut errors = Vec::new();
    check_country("country", &country, &mut errors);
    place.check("address", &mut errors);
    errors.iter_mut().for_each(|error| error.field = error.field.replace("address.", ""));
    checked(errors)?;
    let key = who.request_key(&body.bytes)?;
    let engine = &who.services().engine;
    let address_id: AddressId = engine.bus().new_id();
    let keys = engine.keys().as_ref();
    let details = seal_json(keys, customer_id.uuid(), PersonalField::Address, &place).await?;
    let command = CustomerCommand::AddAddress(Address { address_id, country, details });
    let done = change(&who, key, move |unit| {
        unit.execute::<Customer>(&customer_id, &command)?;
        Ok(AddressRef { address_id })
    })
    .await?;
    Reply::created(&format!("/customers/{customer_id}"))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
