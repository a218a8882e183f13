//! `PUT /cart/items/{sku_id}`.

use commands::carts;
use domain::cart::Cart;
use domain::{Quantity, SkuId};

use super::body::CartChange;
use super::shopper::some_shopper;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{change, seen_version};
use crate::wire::{Body, Ids, request};

request! {
    /// How many units the line holds from now on.
    SetQuantity {
        #[schema(minimum = 1, maximum = 9999)]
        quantity: Quantity = u32,
    }
}

/// Sets the units of a line.
#[utoipa::path(put, path = "/cart/items/{sku_id}", tag = "cart", request_body = SetQuantity,
    responses((status = 200, description = "The line as it is now", body = CartChange)))]
pub(crate) async fn set_quantity(
    who: Who<SHOPPER>,
    Ids((sku_id,)): Ids<(SkuId,)>,
    body: Body<SetQuantity>,
) -> Answer {
    let shopper = some_shopper(&who)?;
    let quantity = body.value.quantity;
    let policy = who.services().engine.policy().carts.clone();
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        seen_version::<Cart>(unit, &shopper.cart_id, seen)?;
        let edit = carts::set_quantity(unit, &policy, shopper, sku_id, quantity)?;
        Ok(CartChange::new(edit, None))
    })
    .await?;
    Reply::ok().etag(done.value.version).position(&who, done.position).json(&done.value)
}
