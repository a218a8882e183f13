//! As much of a JSON Schema validator as the frozen schemas need. A keyword it does not know is
//! an error, so that nothing is passed over in silence.

use domain::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Which fields a value must have besides the required ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fields {
    Any,
    /// All the schema knows.
    All,
}

/// Checks `value` against a schema in its normalised form.
pub(crate) fn validate(schema: &Value, value: &Value, fields: Fields) -> Result<(), String> {
    at("", schema, value, fields)
}

fn at(path: &str, schema: &Value, value: &Value, fields: Fields) -> Result<(), String> {
    let Value::Object(keywords) = schema else {
        return if schema == true {
            Ok(())
        } else {
            Err(format!("{path}: nothing is allowed here"))
        };
    };
    for (keyword, argument) in keywords {
        keyword_holds(path, keywords, keyword, argument, value, fields)?;
    }
    Ok(())
}

fn keyword_holds(
    path: &str,
    schema: &Map<String, Value>,
    keyword: &str,
    argument: &Value,
    value: &Value,
    fields: Fields,
) -> Result<(), String> {
    let holds = match keyword {
        "default" => true,
        "type" => match argument {
            Value::Array(types) => types.iter().any(|t| is_a(t, value)),
            one => is_a(one, value),
        },
        "properties" => return properties(path, schema, argument, value, fields),
        "required" => {
            let names = argument.as_array().unwrap();
            names.iter().all(|name| value.get(name.as_str().unwrap()).is_some())
        }
        "additionalProperties" => {
            let known = |name| schema.get("properties").and_then(|p| p.get(name)).is_some();
            for (name, member) in value.as_object().into_iter().flatten() {
                if !known(name) {
                    at(&format!("{path}.{name}"), argument, member, fields)?;
                }
            }
            true
        }
        "items" => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                at(&format!("{path}[{index}]"), argument, item, fields)?;
            }
            true
        }
        "enum" => argument.as_array().unwrap().contains(value),
        "const" => argument == value,
        "oneOf" | "anyOf" => {
            let alternatives = argument.as_array().unwrap().iter();
            let fitting = alternatives
                .filter(|alternative| at(path, alternative, value, fields).is_ok())
                .count();
            fitting == 1 || (fitting > 1 && keyword == "anyOf")
        }
        "minimum" => value.as_i64().is_none_or(|v| v >= argument.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|v| v <= argument.as_i64().unwrap()),
        "uniqueItems" => {
            value.as_array().is_none_or(|all| (1..all.len()).all(|i| !all[..i].contains(&all[i])))
        }
        "format" => value.as_str().is_none_or(|text| match argument.as_str() {
            Some("uuid") => Uuid::parse_str(text).is_ok(),
            Some("date-time") => text.parse::<Timestamp>().is_ok(),
            // A text format nobody taught this check.
            _ => false,
        }),
        // The only pattern there is, that of a currency.
        "pattern" if argument == "^[A-Z]{3}$" => value
            .as_str()
            .is_none_or(|text| text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())),
        other => return Err(format!("{path}: this check does not know `{other}`")),
    };
    if holds { Ok(()) } else { Err(format!("{path}: {value} does not fit `{keyword}` {argument}")) }
}

fn properties(
    path: &str,
    schema: &Map<String, Value>,
    known: &Value,
    value: &Value,
    fields: Fields,
) -> Result<(), String> {
    let Value::Object(members) = value else {
        return Ok(());
    };
    for (name, schema) in known.as_object().unwrap() {
        match members.get(name) {
            Some(member) => at(&format!("{path}.{name}"), schema, member, fields)?,
            None if fields == Fields::All => return Err(format!("{path}.{name} is missing")),
            None => {}
        }
    }
    let closed = schema.contains_key("additionalProperties");
    match members.keys().find(|name| known.get(name).is_none()) {
        Some(name) if !closed => Err(format!("{path}.{name} is in no schema")),
        _ => Ok(()),
    }
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    }
}
