//! `PATCH /sellers/{seller_id}`.

use commands::known;
use domain::SellerId;
use domain::seller::{Seller, SellerCommand, SellerDetails};
use sagas::key_store::PersonalField;

use super::register::SellerRef;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::personal::{Contact, checked, open_json, seal_json};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// What changes; what is left out stays.
    ChangeSeller {
        name: Option<String> = Option<String>,
        email: Option<String> = Option<String>,
        phone: Option<String> = Option<String>,
        contact_name: Option<String> = Option<String>,
        /// Empty for none.
        webhook: Option<String> = Option<String>,
    }
}

/// Changes what is said about a seller.
#[utoipa::path(patch, path = "/sellers/{seller_id}", tag = "catalogue",
    request_body = ChangeSeller,
    responses((status = 200, description = "Changed", body = SellerRef)))]
pub(crate) async fn change_seller(
    who: Who<{ SELLER | ADMIN }>,
    Ids((seller_id,)): Ids<(SellerId,)>,
    body: Body<ChangeSeller>,
) -> Answer {
    if !who.is_admin() && who.seller() != Some(seller_id) {
        return Err(Problem::not_found("seller"));
    }
    let engine = &who.services().engine;
    let caller = who.caller();
    let on_record = engine.bus().run(&caller, move |unit| {
        let seller = unit.state::<Seller>(&seller_id)?.as_ref();
        known(seller, "seller", seller_id).cloned()
    });
    let on_record = on_record.await?.value;
    let ChangeSeller { name, email, phone, contact_name, webhook } = body.value;
    let keys = engine.keys().as_ref();
    let before: Contact =
        open_json(keys, PersonalField::Contact, &on_record.contact).await?.unwrap_or_default();
    let contact = Contact {
        name: contact_name.or_else(|| before.name.clone()),
        email: email.or_else(|| before.email.clone()),
        phone: phone.or_else(|| before.phone.clone()),
    };
    let mut errors = Vec::new();
    contact.check(&mut errors);
    checked(errors)?;
    let contact = if contact == before {
        on_record.contact
    } else {
        seal_json(keys, seller_id.uuid(), PersonalField::Contact, &contact).await?
    };
    let details = SellerDetails {
        name: name.unwrap_or(on_record.name),
        contact,
        webhook: webhook.map_or(on_record.webhook, |url| Some(url).filter(|url| !url.is_empty())),
    };
    let command = SellerCommand::ChangeDetails(details);
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        seen_version::<Seller>(unit, &seller_id, seen)?;
        unit.execute::<Seller>(&seller_id, &command)?;
        Ok(SellerRef { seller_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
