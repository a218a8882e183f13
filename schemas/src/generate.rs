//! The JSON Schemas of the events as they are written now, worked out from their types.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{EventEntry, table};

/// The schema of the current version of an event; `None` if its variant has no payload.
#[must_use]
pub fn generate_schema(event: &EventEntry) -> Option<Value> {
    let all = table::category_schema(event.category)?.to_value();
    let variant = all
        .get("oneOf")?
        .as_array()?
        .iter()
        .find_map(|variant| variant.get("properties")?.get(event.variant))?;
    let definitions = all.get("$defs").and_then(Value::as_object);
    let mut payload = resolve(variant, definitions)?.clone();
    let used = used_definitions(&Value::Object(payload.clone()), definitions);
    payload.insert("$schema".into(), all.get("$schema")?.clone());
    payload
        .insert("title".into(), format!("{} version {}", event.event_type, event.version).into());
    payload.insert("description".into(), event.doc.into());
    if !used.is_empty() {
        let used: Map<String, Value> = used.into_iter().collect();
        payload.insert("$defs".into(), used.into());
    }
    Some(sorted_by_key(Value::Object(payload)))
}

/// A variant that holds one struct is described by reference to it.
fn resolve<'a>(
    variant: &'a Value,
    definitions: Option<&'a Map<String, Value>>,
) -> Option<&'a Map<String, Value>> {
    match variant.get("$ref").and_then(Value::as_str) {
        Some(reference) => definitions?.get(reference.strip_prefix("#/$defs/")?)?.as_object(),
        None => variant.as_object(),
    }
}

fn used_definitions(
    payload: &Value,
    definitions: Option<&Map<String, Value>>,
) -> BTreeMap<String, Value> {
    let mut used = BTreeMap::new();
    let mut open = vec![payload];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => open.extend(members.values()),
            Value::String(reference) => {
                let named = reference
                    .strip_prefix("#/$defs/")
                    .and_then(|name| Some((name, definitions?.get(name)?)));
                if let Some((name, definition)) = named
                    && !used.contains_key(name)
                {
                    used.insert(name.to_owned(), definition.clone());
                    open.push(definition);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    used
}

/// `serde_json` may be built to keep members in any order; files need one.
pub(crate) fn sorted_by_key(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<String, Value> =
                members.into_iter().map(|(name, member)| (name, sorted_by_key(member))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted_by_key).collect(),
        other => other,
    }
}
