//! `POST /sellers`.

use domain::SellerId;
use domain::seller::{Seller, SellerCommand, SellerDetails};
use sagas::key_store::PersonalField;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::personal::{Contact, checked, seal_json};
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// A new seller.
    RegisterSeller {
        /// The shop's name for everybody to see.
        name: String = String,
        email: String = String,
        phone: Option<String> = Option<String>,
        /// Whom to ask for.
        contact_name: Option<String> = Option<String>,
        /// Where notifications go, https only.
        webhook: Option<String> = Option<String>,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SellerRef {
    #[schema(value_type = Uuid)]
    pub(crate) seller_id: SellerId,
}

/// Registers a seller.
#[utoipa::path(post, path = "/sellers", tag = "catalogue", request_body = RegisterSeller,
    responses((status = 201, description = "The seller's id", body = SellerRef)))]
pub(crate) async fn register_seller(who: Who<ADMIN>, body: Body<RegisterSeller>) -> Answer {
    let RegisterSeller { name, email, phone, contact_name, webhook } = body.value;
    let contact = Contact { name: contact_name, email: Some(email), phone };
    let mut errors = Vec::new();
    contact.check(&mut errors);
    checked(errors)?;
    let key = who.request_key(&body.bytes)?;
    let engine = &who.services().engine;
    let seller_id: SellerId = engine.bus().new_id();
    let keys = engine.keys().as_ref();
    let contact = seal_json(keys, seller_id.uuid(), PersonalField::Contact, &contact).await?;
    let details = SellerDetails { name, contact, webhook };
    let command = SellerCommand::Register { seller_id, details };
    let done = change(&who, key, move |unit| {
        unit.execute::<Seller>(&seller_id, &command)?;
        Ok(SellerRef { seller_id })
    })
    .await?;
    Reply::created(&format!("/sellers/{}", done.value.seller_id))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
