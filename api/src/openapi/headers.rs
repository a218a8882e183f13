//! Headers of requests and answers, which follow from the route.

use serde_json::{Map, Value, json};

use crate::auth::roles::{self, RouteEntry};

/// Routes whose answers carry the version of what they are about.
const WITH_ETAG: &[&str] = &["/cart", "/orders", "/shipments", "/returns", "/inventory"];
/// Routes that refuse a change of what has moved on since it was seen.
const WITH_IF_MATCH: &[&str] = &[
    "/orders",
    "/shipments",
    "/returns",
    "/products/{product_id}",
    "/sellers/{seller_id}",
    "/warehouses/{warehouse_id}",
    "/customers/{customer_id}",
    "/cart/items/{sku_id}",
    "/cart/currency",
];
/// Changes below these paths that have no version of their own.
const WITHOUT_IF_MATCH: &[&str] =
    &["/ratings", "/addresses", "/payment-methods", "/activate", "/deactivate", "/skus", "/views"];
/// Hints, which leave nothing to be asked for, and may be repeated as they are.
const HINTS: &[&str] = &["/products/{product_id}/views", "/impressions", "/clicks"];

/// All headers an answer can have.
pub(super) fn answered() -> Map<String, Value> {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    let mut headers = Map::new();
    let mut put = |name: &str, header: Value| headers.insert(name.to_owned(), header);
    put(
        "X-Request-Id",
        text(
            "Names the request in the log and the journal; the client's own, if it sent a plain one.",
        ),
    );
    put("ETag", text("The version of what was answered, for `If-Match`."));
    put("Location", text("Where the new thing is."));
    put(
        "Tillroll-Position",
        text("Send it back as `Tillroll-Min-Position` to read what was written."),
    );
    put(
        "Idempotent-Replayed",
        text("`true`: this is the answer of an earlier request with the same key."),
    );
    put("Tillroll-Session", text("The guest's session, when a cart was opened."));
    put(
        "Retry-After",
        json!({ "description": "Seconds to wait before a repeat.", "schema": { "type": "integer" } }),
    );
    headers
}

/// Headers of a good answer with this status.
pub(super) fn given(route: &RouteEntry, status: &str) -> Value {
    let mut names = vec!["X-Request-Id"];
    if HINTS.contains(&route.path) {
        return described(&names);
    }
    let changes = route.method != "GET";
    if changes {
        names.push("Tillroll-Position");
    }
    if status == "201" || status == "202" {
        names.push("Location");
    }
    if status == "202" {
        names.push("Retry-After");
    }
    if route.method == "POST" && route.access != roles::PUBLIC {
        names.push("Idempotent-Replayed");
    }
    let one = !changes && route.path.ends_with("_id}");
    if one || WITH_ETAG.iter().any(|start| route.path.starts_with(start)) {
        names.push("ETag");
    }
    if route.path == "/cart/items" {
        names.push("Tillroll-Session");
    }
    described(&names)
}

fn described(names: &[&str]) -> Value {
    let reference = |name: &&str| {
        let to = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), to)
    };
    Value::Object(names.iter().map(reference).collect())
}

/// What the text of a request's header looks like.
fn form_of(name: &str) -> Value {
    match name {
        "Idempotency-Key" => json!({ "type": "string", "pattern": "^[!-~]{1,255}$" }),
        "If-Match" => json!({ "type": "string", "pattern": "^(\\*|(W/)?\"[!#-~]*\")$" }),
        "Tillroll-Min-Position" => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{32}$" }),
        "Tillroll-Customer" => json!({ "type": "string", "format": "uuid" }),
        _ => json!({ "type": "string" }),
    }
}

/// Headers a request can have.
pub(super) fn asked(route: &RouteEntry) -> Vec<Value> {
    let mut headers = Vec::new();
    let mut add = |name: &str, required: bool, description: &str| {
        headers.push(json!({ "name": name, "in": "header", "required": required,
            "description": description, "schema": form_of(name) }));
    };
    let changes = route.method != "GET";
    if route.path == "/webhooks/payment" {
        add("webhook-id", true, "The message's own id (Standard Webhooks).");
        add("webhook-timestamp", true, "When it was sent, in seconds since 1970.");
        add("webhook-signature", true, "`v1,` and the signature; several, separated by spaces.");
        return headers;
    }
    if route.method == "POST" && !HINTS.contains(&route.path) {
        let text = "1 to 255 visible ASCII characters; a repeat gets the first answer.";
        add("Idempotency-Key", false, text);
    }
    let about = |start: &&str| route.path.starts_with(start);
    let apart = WITHOUT_IF_MATCH.iter().any(|end| route.path.ends_with(end))
        || (route.path.contains("/addresses/") || route.path.contains("/payment-methods/"))
        || (route.path == "/customers/{customer_id}" && route.method == "DELETE");
    if changes && !apart && WITH_IF_MATCH.iter().any(about) {
        add("If-Match", false, "The `ETag` that was seen; 412 if it is no longer so.");
    }
    let process = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/problems"];
    let operators = ["/admin/projections", "/admin/webhooks"];
    if !changes && !process.iter().chain(&operators).any(about) {
        let text = "A `Tillroll-Position`: wait until the answer reflects it, at most 2 s.";
        add("Tillroll-Min-Position", false, text);
    }
    if route.path == "/orders" && changes {
        add("Prefer", false, "`respond-async`: answer 202 at once.");
    }
    if route.access & (roles::STOREFRONT | roles::ANYBODY) != 0 {
        add(
            "Tillroll-Customer",
            false,
            "The customer a storefront acts for; not looked at from others.",
        );
        if route.access == roles::SHOPPER {
            add("Tillroll-Session", false, "The guest a storefront acts for.");
        }
        if ["/orders/{", "/shipments/{", "/returns/{"].iter().any(about) {
            let text = "What a guest was given with the order, passed on by a storefront.";
            add("Tillroll-Order-Token", false, text);
        }
    }
    headers
}
