//! All problems there are: code, status, title, and what whoever reads one can do about it.
//! Codes are promises: clients branch on them.

use serde::Serialize;
use utoipa::ToSchema;

/// One kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Kind {
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    pub explanation: &'static str,
}

/// The problem with this code.
#[must_use]
pub(crate) fn find(code: &str) -> Option<Kind> {
    ALL.iter().find(|kind| kind.code == code).copied()
}

macro_rules! problems {
    ($($name:ident = $code:literal, $status:literal, $title:literal, $explanation:literal;)*) => {
        $(pub(crate) const $name: Kind =
            Kind { code: $code, status: $status, title: $title, explanation: $explanation };)*

        /// Every kind, in the order of this page.
        pub const ALL: &[Kind] = &[$($name),*];
    };
}

problems! {
    // The request itself.
    MALFORMED_JSON = "malformed_json", 400, "The body is not readable JSON", "Send one JSON object, nested at most 32 deep, in UTF-8.";
    MALFORMED_HEADER = "malformed_header", 400, "A header is malformed", "The detail names the header and the form it must have.";
    FOREIGN_POSITION = "foreign_position", 400, "The position is of another journal", "Positions are only good for the engine that gave them out; drop the header.";
    MALFORMED_WEBHOOK = "malformed_webhook", 400, "The webhook cannot be read", "Send the Standard Webhooks headers and a JSON body.";
    UNAUTHENTICATED = "unauthenticated", 401, "A credential is needed", "Send `Authorization: Bearer` with an API key or a customer's token that is in force.";
    WEBHOOK_NOT_AUTHENTIC = "webhook_not_authentic", 401, "The webhook's signature is not good", "Check the secret and the sender's clock; nothing was stored.";
    PAYMENT_DECLINED = "payment_declined", 402, "The payment did not succeed", "Nothing was charged and the cart has its lines back; try another payment method.";
    FORBIDDEN = "forbidden", 403, "The credential's role may not do this", "Use a credential of one of the roles the API's description names.";
    NOT_FOUND = "not_found", 404, "There is no such thing", "It does not exist, or not for this credential.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "The path does not know this method", "The `Allow` header lists the methods it knows.";
    REQUEST_TIMEOUT = "request_timeout", 408, "The request took too long to arrive", "Send the body faster, or smaller.";
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large", "Bodies have at most 64 KiB, 256 KiB for the catalogue.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The body must be JSON", "Send `Content-Type: application/json`.";
    INVALID_VALUE = "invalid_value", 422, "A value breaks a rule", "`errors` names every field that is wrong and what it must be.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 422, "The idempotency key was used for another request", "Make a new key for each new request; repeat only the very same request with the same key.";
    PRECONDITION_REQUIRED = "precondition_required", 428, "A precondition is needed", "Read the thing first, and send its `ETag` in `If-Match`.";
    RATE_LIMITED = "rate_limited", 429, "Too many requests", "Wait as long as `Retry-After` says.";
    INTERNAL = "internal", 500, "The engine failed", "It is logged under the request's id; tell the operator.";
    OVERLOADED = "overloaded", 503, "The engine takes in no more for now", "Nothing was done; repeat after `Retry-After`.";
    TIMED_OUT = "timed_out", 503, "The answer took too long", "What was asked may still be done: repeat with the same idempotency key.";
    DISK_FULL = "disk_full", 503, "The disk is full", "Nothing was done; reads go on. The operator must make room.";
    SHUTTING_DOWN = "shutting_down", 503, "The engine is shutting down", "Repeat after `Retry-After`.";
    NOT_READY = "not_ready", 503, "The engine is not ready", "`reasons` lists what is missing.";
    JOURNAL_UNAVAILABLE = "journal_unavailable", 503, "The journal is unavailable", "What was asked may have been done: repeat with the same idempotency key.";
    KEY_STORE_UNAVAILABLE = "key_store_unavailable", 503, "The key store is unavailable", "Repeat after `Retry-After`; the operator finds the cause in the log.";
    READ_MODEL_UNAVAILABLE = "read_model_unavailable", 503, "A read model is unavailable", "Repeat after `Retry-After`.";
    READ_MODEL_BEHIND = "read_model_behind", 503, "The read model has not seen that position yet", "`Tillroll-Position` says how far it is; repeat after `Retry-After`.";
    SEARCH_NOT_AVAILABLE = "search_not_available", 503, "Search is not available for now", "Repeat after `Retry-After`; everything else goes on.";
    // Refused by the current state.
    CONFLICT = "conflict", 409, "The current state does not allow it", "Read the thing again; the detail says what stands in the way.";
    STALE = "stale", 412, "It has changed since it was read", "Read it again, and repeat with its new `ETag`.";
    CART_CHANGED = "cart_changed", 412, "The cart has changed since it was read", "Read the cart again and show it to the shopper.";
    ORDER_CHANGED = "order_changed", 412, "The order has changed since it was read", "Read the order again; `current_version` is its version.";
    STOCK_CHANGED = "stock_changed", 409, "On hand is not what it was believed to be", "Count again, or leave out `expected` to override.";
    PERSON_ERASED = "person_erased", 409, "The personal data was erased", "It cannot be brought back.";
    INSUFFICIENT_STOCK = "insufficient_stock", 409, "There is not enough stock", "`short` names every line that cannot be met and what is available.";
    PRICE_CHANGED = "price_changed", 409, "Prices changed since they were shown", "`changed` lists the difference; read the cart again and show it to the shopper.";
    CART_EMPTY = "cart_empty", 409, "The cart is empty", "Add an item first.";
    CHECKOUT_IN_PROGRESS = "checkout_in_progress", 409, "The cart is being checked out", "`order_id` is the order; wait until it has settled.";
    CHECKOUT_PENDING = "checkout_pending", 409, "The cart's lines are locked to an order", "Wait until the order has settled.";
    STATUS_CONFLICT = "status_conflict", 409, "The status does not allow this move", "`current` and `requested` name both.";
    NOT_FOR_SALE = "not_for_sale", 409, "The SKU is not for sale", "Take it out of the cart.";
    NO_PRICE_IN_CURRENCY = "no_price_in_currency", 409, "The SKU has no price in this currency", "Choose another currency or another SKU.";
    CURRENCY_MISMATCH = "currency_mismatch", 409, "The cart is in another currency", "Change the cart's currency first.";
    TOO_MANY_LINES = "too_many_lines", 409, "The cart has too many lines", "`max` is the most a cart can have.";
    NOT_A_BUYER = "not_a_buyer", 409, "Only a buyer can rate a product", "Name an order of this customer that holds the product.";
    NOT_RETURNABLE = "not_returnable", 409, "These units cannot come back", "`returnable` says how many can.";
    CUSTOMER_ERASED = "customer_erased", 409, "The customer was erased", "An erased customer stays erased.";
    CATEGORY_CYCLE = "category_cycle", 409, "The category would be below itself", "Choose another parent.";
    SHIPPED_BEYOND_ORDERED = "shipped_beyond_ordered", 409, "More would be shipped than was ordered", "`ordered` and `shipped` say what is left.";
    LINE_QUANTITY_EXCEEDED = "line_quantity_exceeded", 422, "The line would hold too many units", "`max` is the most a line can hold.";
    PAYMENT_METHOD_REQUIRED = "payment_method_required", 422, "A payment method is needed", "Only an order that costs nothing can do without.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        for (index, kind) in ALL.iter().enumerate() {
            assert!((400..600).contains(&kind.status), "{}", kind.code);
            assert!(ALL[..index].iter().all(|other| other.code != kind.code), "{}", kind.code);
            assert!(kind.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }
}
