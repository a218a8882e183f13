//! `DELETE /cart/items/{sku_id}`.

use commands::carts;
use domain::SkuId;
use domain::cart::Cart;

use super::body::CartChange;
use super::shopper::some_shopper;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::reply::{Answer, Reply};
use crate::routes::acting::{change, seen_version};
use crate::wire::Ids;

/// Removes a line; harmless if there is none.
#[utoipa::path(delete, path = "/cart/items/{sku_id}", tag = "cart",
    responses((status = 200, description = "The cart's new version", body = CartChange)))]
pub(crate) async fn remove_item(who: Who<SHOPPER>, Ids((sku_id,)): Ids<(SkuId,)>) -> Answer {
    let shopper = some_shopper(&who)?;
    let policy = who.services().engine.policy().carts.clone();
    let seen = who.if_match()?;
    let done = change(&who, None, move |unit| {
        seen_version::<Cart>(unit, &shopper.cart_id, seen)?;
        let edit = carts::remove_item(unit, &policy, shopper, sku_id)?;
        Ok(CartChange::new(edit, None))
    })
    .await?;
    Reply::ok().etag(done.value.version).position(&who, done.position).json(&done.value)
}
