//! The API's own description: what utoipa finds at the handlers, and what holds for all of them.

mod headers;
pub(crate) mod shapes;

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
    let mut bodies = Vec::new();
    for route in routes::table() {
        let method = route.method.as_str().to_lowercase();
        let operation = document
            .get_mut("paths")
            .and_then(|paths| paths.get_mut(route.path))
            .and_then(|path| path.get_mut(&method))
            .and_then(Value::as_object_mut);
        if let Some(operation) = operation {
            complete(operation, &route);
            bodies.extend(body_of(operation).map(|body| (route.path, method, body)));
        }
    }
    for (path, method, body) in bodies {
        // A body left out says what an empty object says, which is enough where no field is needed.
        let optional = document
            .get("components")
            .and_then(|components| components.pointer(&format!("/schemas/{body}")))
            .is_some_and(|schema| schema["required"].as_array().is_none_or(Vec::is_empty));
        if let Some(paths) = document.get_mut("paths").filter(|_| optional) {
            paths[path][&method]["requestBody"]["required"] = Value::Bool(false);
        }
        // Unknown fields are refused.
        if let Some(Value::Object(schema)) = document
            .get_mut("components")
            .and_then(|components| components.pointer_mut(&format!("/schemas/{body}")))
        {
            schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
    if let Some(Value::Object(components)) = document.get_mut("components") {
        components.values_mut().for_each(widen);
        components.insert("securitySchemes".to_owned(), security_schemes());
        components.insert("responses".to_owned(), json!({ "Problem": problem_response() }));
        components.insert("headers".to_owned(), Value::Object(headers::answered()));
    }
    Value::Object(document)
}

/// Numbers of 32 bits without a sign: `int32` would end at half of them.
fn widen(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let unsigned = fields.get("minimum").and_then(Value::as_i64).is_some_and(|n| n >= 0);
            if unsigned && fields.get("format").is_some_and(|format| format == "int32") {
                fields.remove("format");
                fields.entry("maximum").or_insert(Value::from(u32::MAX));
            }
            fields.values_mut().for_each(widen);
        }
        Value::Array(items) => items.iter_mut().for_each(widen),
        _ => {}
    }
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
        "headers": {
            "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" },
            "Retry-After": { "$ref": "#/components/headers/Retry-After" },
        },
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
        parameters.extend(headers::asked(route));
    }
    let asks = |operation: &Map<String, Value>| {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "query"))
    };
    let has_query = asks(operation);
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        for (status, response) in responses.iter_mut() {
            if let Value::Object(response) = response {
                response.insert("headers".to_owned(), headers::given(route, status));
            }
        }
        if has_query {
            let problem = json!({ "$ref": "#/components/responses/Problem" });
            responses.entry("422").or_insert(problem);
        }
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
    if access == roles::ANYBODY {
        return json!([{}, { "customer": [] }, { "api_key": [] }]);
    }
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

/// The name of the schema of an operation's JSON body.
fn body_of(operation: &Map<String, Value>) -> Option<String> {
    let body = operation.get("requestBody")?;
    let reference = body.pointer("/content/application~1json/schema/$ref")?.as_str()?;
    reference.strip_prefix("#/components/schemas/").map(str::to_owned)
}

fn statuses(route: &RouteEntry, changes: bool) -> Vec<&'static str> {
    let mut statuses = vec!["400", "503"];
    match route.access {
        roles::PUBLIC => {}
        roles::ANYBODY => statuses.extend(["401", "429"]),
        _ => statuses.extend(["401", "403", "429"]),
    }
    if route.path.contains('{') {
        statuses.push("404");
    }
    if changes {
        statuses.extend(["404", "409", "412", "413", "415", "422"]);
    }
    // Who is acted for, or where a page begins, may be missing or wrong.
    if route.access & (roles::STOREFRONT | roles::ANYBODY) != 0 {
        statuses.push("422");
    }
    if route.path == "/orders" && changes {
        statuses.push("402");
    }
    if route.path == "/webhooks/payment" {
        statuses.push("401");
    }
    statuses
}
