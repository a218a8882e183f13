//! The API's own description: what utoipa finds at the handlers, and what holds for all of them.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::auth::roles::{self, Access, RouteEntry};
use crate::routes;

/// The OpenAPI 3.1 document.
#[must_use]
pub fn openapi() -> Value {
    let mut document = match serde_json::to_value(routes::Described::openapi()) {
        Ok(Value::Object(document)) => document,
        // A description that cannot be written is an empty one; a test holds it to be whole.
        Ok(_) | Err(_) => Map::new(),
    };
    document.insert("info".to_owned(), info());
    document.insert("servers".to_owned(), json!([{ "url": "/" }]));
    for route in routes::table() {
        let method = route.method.as_str().to_lowercase();
        let operation = document
            .get_mut("paths")
            .and_then(|paths| paths.get_mut(route.path))
            .and_then(|path| path.get_mut(&method))
            .and_then(Value::as_object_mut);
        if let Some(operation) = operation {
            complete(operation, &route);
        }
    }
    if let Some(Value::Object(components)) = document.get_mut("components") {
        components.insert("securitySchemes".to_owned(), security_schemes());
        components.insert("responses".to_owned(), json!({ "Problem": problem_response() }));
    }
    Value::Object(document)
}

fn info() -> Value {
    json!({
        "title": "Tillroll",
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "MIT OR Apache-2.0" },
        "description": "Carts, stock, checkout, shipments and returns on one append-only journal. \
            Every write answers `Tillroll-Position`; send it back as `Tillroll-Min-Position` to \
            read what you wrote. Every refusal is an RFC 9457 problem; `GET /problems/{code}` \
            explains each.",
    })
}

fn security_schemes() -> Value {
    json!({
        "customer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "A customer's token; its subject is the customer's id.",
        },
        "api_key": {
            "type": "http", "scheme": "bearer", "bearerFormat": "tk_<role>_<id>_<secret>",
            "description": "An API key of a storefront, a seller, support or an admin.",
        },
        "order_token": {
            "type": "apiKey", "in": "header", "name": "Tillroll-Order-Token",
            "description": "Reads the one order it was given out for.",
        },
    })
}

fn problem_response() -> Value {
    json!({
        "description": "RFC 9457 problem details",
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } },
    })
}

/// Adds what follows from the path and from who may call.
fn complete(operation: &mut Map<String, Value>, route: &RouteEntry) {
    let access = route.access;
    operation.insert("security".to_owned(), security(access));
    operation.insert("x-roles".to_owned(), json!(roles::names(access)));
    let changes = route.method != "GET";
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Value::Array(parameters) = parameters {
        for name in in_path(route.path) {
            let format = if name == "code" { json!({}) } else { json!({ "format": "uuid" }) };
            let mut schema = json!({ "type": "string" });
            merge(&mut schema, format);
            parameters
                .push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        }
        if access != roles::PUBLIC {
            parameters.extend(headers(route, changes));
        }
    }
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        for status in statuses(route, changes) {
            let problem = json!({ "$ref": "#/components/responses/Problem" });
            responses.entry(status.to_owned()).or_insert(problem);
        }
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn security(access: Access) -> Value {
    let mut schemes = Vec::new();
    if access & roles::CUSTOMER != 0 {
        schemes.push(json!({ "customer": [] }));
    }
    if access & (roles::STOREFRONT | roles::SELLER | roles::SUPPORT | roles::ADMIN) != 0 {
        schemes.push(json!({ "api_key": [] }));
    }
    if access & roles::ORDER_TOKEN != 0 {
        schemes.push(json!({ "order_token": [] }));
    }
    Value::Array(schemes)
}

fn headers(route: &RouteEntry, changes: bool) -> Vec<Value> {
    let header = |name: &str, description: &str| {
        json!({ "name": name, "in": "header", "required": false, "description": description,
            "schema": { "type": "string" } })
    };
    let mut headers = Vec::new();
    if route.method == "POST" {
        let text = "1 to 255 visible ASCII characters; a repeat gets the first answer.";
        headers.push(header("Idempotency-Key", text));
    }
    let about_orders = ["/orders", "/shipments", "/returns"];
    if changes && about_orders.iter().any(|start| route.path.starts_with(start)) {
        headers.push(header("If-Match", "The `ETag` that was seen; 412 if it is no longer so."));
    }
    if !changes {
        let text = "A `Tillroll-Position`: wait until the answer reflects it, at most 2 s.";
        headers.push(header("Tillroll-Min-Position", text));
    }
    if route.access & roles::STOREFRONT != 0 {
        headers.push(header("Tillroll-Customer", "The customer a storefront acts for."));
        headers.push(header("Tillroll-Session", "The guest a storefront acts for."));
    }
    headers
}

fn statuses(route: &RouteEntry, changes: bool) -> Vec<&'static str> {
    let mut statuses = vec!["400", "503"];
    if route.access != roles::PUBLIC {
        statuses.extend(["401", "403", "429"]);
    }
    if route.path.contains('{') {
        statuses.push("404");
    }
    if changes {
        statuses.extend(["404", "409", "412", "413", "415", "422"]);
    }
    if route.path == "/orders" && changes {
        statuses.push("402");
    }
    if route.path == "/webhooks/payment" {
        statuses.push("401");
    }
    statuses
}
