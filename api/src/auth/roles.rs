//! Roles, as bits, so that a handler's signature says who may call it.

use actix_web::http::Method;

use super::Who;

/// Who may call something; a union of roles.
pub(crate) type Access = u8;

/// Everybody alike: a credential is not even looked at.
pub(crate) const PUBLIC: Access = 0;
pub(crate) const CUSTOMER: Access = 1;
pub(crate) const STOREFRONT: Access = 2;
pub(crate) const SELLER: Access = 4;
pub(crate) const SUPPORT: Access = 8;
pub(crate) const ADMIN: Access = 16;
/// Whoever holds the token of the one order asked for.
pub(crate) const ORDER_TOKEN: Access = 32;

/// Anybody; but a credential that is given must be good, and says who asks.
pub(crate) const ANYBODY: Access = 64;

/// Shopping: a customer, or a storefront for one or for a guest.
pub(crate) const SHOPPER: Access = CUSTOMER | STOREFRONT;

/// Names of the roles in `access`.
pub(crate) fn names(access: Access) -> Vec<&'static str> {
    let all = [
        (CUSTOMER, "customer"),
        (STOREFRONT, "storefront"),
        (SELLER, "seller"),
        (SUPPORT, "support"),
        (ADMIN, "admin"),
        (ORDER_TOKEN, "order_token"),
        (ANYBODY, "anybody"),
    ];
    all.iter().filter(|(bit, _)| access & bit != 0).map(|(_, name)| *name).collect()
}

/// One route, as registered.
#[derive(Debug, Clone)]
pub(crate) struct RouteEntry {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
}

/// A handler whose first argument says who may call it.
pub(crate) trait Guarded<Args> {
    const ACCESS: Access;
}

macro_rules! guarded {
    ($(($($arg:ident)*))*) => {$(
        impl<F, Fut, const ACCESS: Access, $($arg),*> Guarded<(Who<ACCESS>, $($arg,)*)> for F
        where
            F: Fn(Who<ACCESS>, $($arg),*) -> Fut,
        {
            const ACCESS: Access = ACCESS;
        }
    )*};
}

guarded! { () (A) (A B) (A B C) (A B C D) }

/// Who may call a handler.
pub(crate) fn access_of<F: Guarded<Args>, Args>(_: &F) -> Access {
    F::ACCESS
}
