//! `POST /cart/merge`.

use commands::carts;

use super::body::CartBody;
use super::shopper::session;
use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// The guest's cart that comes in.
    MergeCart {
        session_token: String = String,
    }
}

/// Takes a guest's cart over into the customer's, by the larger quantity of each SKU.
///
/// Harmless when repeated.
#[utoipa::path(post, path = "/cart/merge", tag = "cart", request_body = MergeCart,
    responses((status = 200, description = "The customer's cart", body = CartBody)))]
pub(crate) async fn merge_carts(who: Who<SHOPPER>, body: Body<MergeCart>) -> Answer {
    let customer = who.shops_for()?.ok_or_else(|| {
        Problem::field("Tillroll-Customer", "required", "name the customer who signed in")
    })?;
    let guest = session(&who, &body.value.session_token)?;
    let key = who.request_key(&body.bytes)?;
    let policy = who.services().engine.policy().carts.clone();
    let done = change(&who, key, move |unit| {
        carts::merge(unit, &policy, guest, customer).map(CartBody::from)
    })
    .await?;
    Reply::ok()
        .etag(done.value.version)
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
