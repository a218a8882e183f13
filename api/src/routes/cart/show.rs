//! `GET /cart`.

use commands::carts;

use super::body::CartBody;
use super::shopper::some_shopper;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;

/// The cart at the prices of now.
///
/// Prices that changed count as shown from now on; the `ETag` is good for `If-Match` of
/// `POST /orders`.
#[utoipa::path(get, path = "/cart", tag = "cart",
    responses((status = 200, description = "The cart", body = CartBody)))]
pub(crate) async fn show_cart(who: Who<SHOPPER>) -> Answer {
    let shopper = some_shopper(&who)?;
    who.wait_for(&[]).await?;
    let policy = who.services().engine.policy().carts.clone();
    let done =
        change(&who, None, move |unit| carts::on_offer(unit, &policy, shopper).map(CartBody::from))
            .await?;
    Reply::ok().etag(done.value.version).position(&who, done.position).json(&done.value)
}
