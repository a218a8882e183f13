//! `PUT /cart/currency`.

use commands::carts;
use domain::Currency;
use domain::cart::Cart;

use super::body::CartBody;
use super::shopper::some_shopper;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{change, seen_version};
use crate::wire::{Body, request};

request! {
    /// The currency to price the cart in.
    ChangeCurrency {
        currency: Currency = String,
    }
}

/// Prices the whole cart in another currency; refused if a line has no price in it.
#[utoipa::path(put, path = "/cart/currency", tag = "cart", request_body = ChangeCurrency,
    responses((status = 200, description = "The cart", body = CartBody)))]
pub(crate) async fn change_currency(who: Who<SHOPPER>, body: Body<ChangeCurrency>) -> Answer {
    let shopper = some_shopper(&who)?;
    let currency = body.value.currency;
    let policy = who.services().engine.policy().carts.clone();
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        seen_version::<Cart>(unit, &shopper.cart_id, seen)?;
        carts::change_currency(unit, &policy, shopper, currency).map(CartBody::from)
    })
    .await?;
    Reply::ok().etag(done.value.version).position(&who, done.position).json(&done.value)
}
