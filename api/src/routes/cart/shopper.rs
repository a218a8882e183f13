//! Whose cart a request is about.

use commands::carts::Shopper;
use domain::CartId;

use crate::auth::{Asking, who};
use crate::problem::Problem;

/// The cart of the customer, or of the guest whose session the storefront names; `None` without
/// either.
pub(crate) fn shopper(who: &Asking) -> Result<Option<Shopper>, Problem> {
    if let Some(customer) = who.shops_for()? {
        return Ok(Some(Shopper::customer(customer)));
    }
    match who.header(who::SESSION)? {
        None => Ok(None),
        Some(token) => session(who, token).map(|cart| Some(Shopper::guest(cart))),
    }
}

/// As [`shopper`]; somebody must be named.
pub(crate) fn some_shopper(who: &Asking) -> Result<Shopper, Problem> {
    shopper(who)?.ok_or_else(|| {
        let message = "name a guest by this header, or a customer by Tillroll-Customer";
        Problem::field("Tillroll-Session", "required", message)
    })
}

pub(crate) fn session(who: &Asking, token: &str) -> Result<CartId, Problem> {
    who.services().tokens.read_session(token).ok_or_else(|| Problem::not_found("session"))
}
