//! Holds every answer that any of these tests gets to what `/openapi.json` says of it.

use std::sync::OnceLock;

use serde_json::Value;

use crate::openapi;

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(openapi)
}

/// Panics unless the description knows this status of this route, and a body of this shape.
pub(super) fn hold(method: &str, pattern: &str, status: u16, body: &Value) {
    let operation = &document()["paths"][pattern][method.to_lowercase()];
    // Other methods, and paths that are none, are nowhere described.
    if operation.is_null() {
        return;
    }
    let case = format!("{method} {pattern}: {status} {body}");
    let mut response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "not described: {case}");
    if let Some(to) = response["$ref"].as_str() {
        response = document().pointer(to.trim_start_matches('#')).unwrap();
    }
    let media = if status < 400 { "application/json" } else { "application/problem+json" };
    let schema = &response["content"][media]["schema"];
    if !schema.is_null() {
        check(body, schema, "body").unwrap_or_else(|why| panic!("{why}: {case}"));
    }
}

fn check(value: &Value, schema: &Value, at: &str) -> Result<(), String> {
    if let Some(to) = schema["$ref"].as_str() {
        let schema = document().pointer(to.trim_start_matches('#')).unwrap();
        return check(value, schema, at);
    }
    for one_of in ["oneOf", "anyOf"] {
        if let Some(options) = schema[one_of].as_array() {
            let tried: Vec<_> = options.iter().map(|option| check(value, option, at)).collect();
            return match tried.iter().any(Result::is_ok) {
                true => Ok(()),
                false => Err(format!("{at} is none of {tried:?}")),
            };
        }
    }
    if schema["allOf"].is_array() {
        return check(value, &together(schema), at);
    }
    is_of_type(value, &schema["type"]).map_err(|why| format!("{at} {why}"))?;
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{at} is {value}, which is no word of {}", schema["enum"]));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            check(item, &schema["items"], &format!("{at}[{index}]"))?;
        }
    }
    match value.as_object() {
        Some(fields) => check_fields(fields, schema, at),
        None => Ok(()),
    }
}

/// One schema of several that hold together: what is a field of any of them is a field.
fn together(schema: &Value) -> Value {
    let mut whole = serde_json::json!({ "type": "object", "properties": {}, "required": [] });
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let part = match part["$ref"].as_str() {
            Some(to) => document().pointer(to.trim_start_matches('#')).unwrap(),
            None => part,
        };
        let inner = part["allOf"].is_array().then(|| together(part));
        let part = inner.as_ref().unwrap_or(part);
        for (name, field) in part["properties"].as_object().into_iter().flatten() {
            whole["properties"][name] = field.clone();
        }
        let required = part["required"].as_array().into_iter().flatten().cloned();
        whole["required"].as_array_mut().unwrap().extend(required);
    }
    whole
}

fn check_fields(
    fields: &serde_json::Map<String, Value>,
    schema: &Value,
    at: &str,
) -> Result<(), String> {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        if !fields.contains_key(name) {
            return Err(format!("{at} lacks {name}"));
        }
    }
    let known = schema["properties"].as_object();
    let others = &schema["additionalProperties"];
    for (name, field) in fields {
        let inside = format!("{at}.{name}");
        match known.and_then(|known| known.get(name)) {
            Some(schema) => check(field, schema, &inside)?,
            None if others.is_object() => check(field, others, &inside)?,
            // A problem says more by its kind; elsewhere every field is described.
            None if known.is_some() && !fields.contains_key("instance") => {
                return Err(format!("{inside} is not described"));
            }
            None => {}
        }
    }
    Ok(())
}

fn is_of_type(value: &Value, types: &Value) -> Result<(), String> {
    let fits = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    let fitting = match types {
        Value::String(name) => fits(name),
        Value::Array(names) => names.iter().any(|name| fits(name.as_str().unwrap())),
        _ => true,
    };
    if fitting { Ok(()) } else { Err(format!("is {value}, not {types}")) }
}

#[test]
fn what_is_not_described_is_noticed() {
    let order = || serde_json::json!({"order_id": "x", "status": "confirmed", "version": 1});
    let path = "/orders/{order_id}/process";
    let held = |body: Value| std::panic::catch_unwind(|| hold("POST", path, 200, &body)).is_ok();
    assert!(held(order()));
    for (field, value) in [("status", "lost".into()), ("more", 1.into()), ("version", "1".into())] {
        let mut body = order();
        body[field] = value;
        assert!(!held(body), "{field}");
    }
    assert!(!held(serde_json::json!({"order_id": "x"})));
    assert!(std::panic::catch_unwind(|| hold("POST", path, 418, &order())).is_err());
}
