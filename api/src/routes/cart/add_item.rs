//! `POST /cart/items`.

use commands::carts::{self, Shopper};
use domain::{Currency, Quantity, SkuId};

use super::body::CartChange;
use super::shopper::shopper;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::auth::who::SESSION;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// Units of a SKU for the cart.
    AddItem {
        sku_id: SkuId = Uuid,
        #[schema(minimum = 1, maximum = 9999)]
        quantity: Quantity = u32,
        /// Currency of a cart that is opened; must be the cart's if it is open.
        currency: Option<Currency> = Option<String>,
    }
}

/// Adds units of a SKU to the cart.
///
/// Without a session or a customer a guest's cart is opened, and its token returned.
#[utoipa::path(post, path = "/cart/items", tag = "cart", request_body = AddItem,
    responses((status = 201, description = "The line as it is now", body = CartChange)))]
pub(crate) async fn add_item(who: Who<SHOPPER>, body: Body<AddItem>) -> Answer {
    let services = who.services();
    let (shopper, session_token) = match shopper(&who)? {
        Some(shopper) => (shopper, None),
        None => {
            let cart = services.engine.bus().new_id();
            (Shopper::guest(cart), Some(services.tokens.session(cart)))
        }
    };
    let AddItem { sku_id, quantity, currency } = body.value;
    let key = who.request_key(&body.bytes)?;
    let policy = services.engine.policy().carts.clone();
    let done = change(&who, key, move |unit| {
        let edit = carts::add_item(unit, &policy, shopper, sku_id, quantity, currency)?;
        Ok(CartChange::new(edit, session_token.clone()))
    })
    .await?;
    let reply = Reply::created("/cart")
        .etag(done.value.version)
        .position(&who, done.position)
        .replayed(done.replayed);
    match &done.value.session_token {
        Some(token) => reply.header(SESSION, token).json(&done.value),
        None => reply.json(&done.value),
    }
}
