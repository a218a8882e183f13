//! Whether one JSON Schema of an event can take another's place under the same version.
//!
//! It can if both a reader of the old one and a reader of the new one understand events written
//! under either. That leaves one change: a new field that need not be there. Everything else
//! makes a new version and an upcaster, even what looks harmless: a reader of the old schema fails
//! on a value added to an enumeration.

use std::fmt;

use serde_json::{Map, Value};

/// A change that needs a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    /// Path of the field, such as `lines[].quantity`; empty for the event itself.
    pub field: String,
    /// What was done to it.
    pub change: Change,
}

/// What was done to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is gone: old readers may need it.
    Removed,
    /// It must be there now: old events do not have it.
    NewlyRequired,
    /// It need not be there any more: old readers need it.
    NoLongerRequired,
    /// It is of another type.
    TypeChanged {
        /// Before, as JSON.
        from: String,
        /// Now, as JSON.
        to: String,
    },
    /// It takes other values: one of its keywords changed.
    KeywordChanged {
        /// Such as `enum`, `minimum` or `default`.
        keyword: String,
        /// Before, as JSON.
        from: String,
        /// Now, as JSON.
        to: String,
    },
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str("the event itself")?,
            field => write!(f, "`{field}`")?,
        }
        match &self.change {
            Change::Removed => f.write_str(" was removed"),
            Change::NewlyRequired => f.write_str(" is newly required"),
            Change::NoLongerRequired => f.write_str(" is no longer required"),
            Change::TypeChanged { from, to } => write!(f, " changed its type from {from} to {to}"),
            Change::KeywordChanged { keyword, from, to } => {
                write!(f, " changed its `{keyword}` from {from} to {to}")
            }
        }
    }
}

/// Checks that `new` can take the place of `old` under the same version.
pub fn compatible(old: &Value, new: &Value) -> Result<(), Vec<Breaking>> {
    let mut found = Vec::new();
    compare(&normalised(old), &normalised(new), "", &mut found);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// The schema in one form: without texts for people, references replaced by what they refer to,
/// and enumerations written one way. Two schemas that mean the same are equal in it.
#[must_use]
pub fn normalised(schema: &Value) -> Value {
    let definitions = schema.get("$defs").and_then(Value::as_object);
    normalise(schema, definitions, &mut Vec::new())
}

fn normalise<'a>(
    schema: &'a Value,
    definitions: Option<&'a Map<String, Value>>,
    within: &mut Vec<&'a str>,
) -> Value {
    let Value::Object(keywords) = schema else {
        return schema.clone();
    };
    let mut result = Map::new();
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
        let name = reference.strip_prefix("#/$defs/").unwrap_or(reference);
        match definitions.and_then(|all| all.get(name)) {
            // A type that holds itself: the reference stays where it closes the circle.
            Some(target) if !within.contains(&name) => {
                within.push(name);
                if let Value::Object(target) = normalise(target, definitions, within) {
                    result.extend(target);
                }
                within.pop();
            }
            _ => {
                result.insert("$ref".to_owned(), reference.into());
            }
        }
    }
    for (keyword, value) in keywords {
        let value = match (keyword.as_str(), value) {
            ("$ref" | "$defs" | "$schema" | "$id" | "$comment", _)
            | ("title" | "description" | "examples", _) => continue,
            ("properties", Value::Object(fields)) => fields
                .iter()
                .map(|(name, field)| (name.clone(), normalise(field, definitions, within)))
                .collect(),
            ("items" | "additionalProperties", nested) => normalise(nested, definitions, within),
            ("oneOf" | "anyOf" | "allOf", Value::Array(alternatives)) => alternatives
                .iter()
                .map(|alternative| normalise(alternative, definitions, within))
                .collect(),
            ("required" | "enum" | "type", Value::Array(values)) => sorted(values),
            _ => value.clone(),
        };
        result.insert(keyword.clone(), value);
    }
    if let Some(values) = enumerated(&result) {
        return values;
    }
    Value::Object(result)
}

fn sorted(values: &[Value]) -> Value {
    let mut values = values.to_vec();
    values.sort_by_key(Value::to_string);
    Value::Array(values)
}

/// A choice between constants is an enumeration: it only looks otherwise once one is documented.
fn enumerated(schema: &Map<String, Value>) -> Option<Value> {
    let alternatives = schema.get("oneOf")?.as_array()?;
    let mut values = Vec::new();
    for alternative in alternatives {
        let alternative = alternative.as_object()?;
        let only_values =
            alternative.keys().all(|keyword| matches!(keyword.as_str(), "type" | "const" | "enum"));
        match (alternative.get("const"), alternative.get("enum")) {
            (Some(value), None) if only_values => values.push(value.clone()),
            (None, Some(Value::Array(more))) if only_values => values.extend(more.iter().cloned()),
            _ => return None,
        }
    }
    let texts = values.iter().all(Value::is_string);
    texts.then(|| serde_json::json!({ "type": "string", "enum": sorted(&values) }))
}

fn compare(old: &Value, new: &Value, path: &str, found: &mut Vec<Breaking>) {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        if old != new {
            found.push(type_changed(path, Some(old), Some(new)));
        }
        return;
    };
    compare_fields(old, new, path, found);
    let only_new = new.keys().filter(|keyword| !old.contains_key(*keyword));
    for keyword in old.keys().chain(only_new) {
        let (before, after) = (old.get(keyword), new.get(keyword));
        match (keyword.as_str(), before, after) {
            ("properties" | "required", ..) => {}
            (_, before, after) if before == after => {}
            ("items", Some(before), Some(after)) => {
                compare(before, after, &format!("{path}[]"), found);
            }
            ("additionalProperties", Some(before), Some(after)) => {
                compare(before, after, &format!("{path}{{}}"), found);
            }
            (
                "oneOf" | "anyOf" | "allOf",
                Some(Value::Array(before)),
                Some(Value::Array(after)),
            ) if before.len() == after.len() => {
                compare_alternatives(before, after, path, found);
            }
            ("type", ..) => found.push(type_changed(path, before, after)),
            _ => found.push(Breaking {
                field: path.to_owned(),
                change: Change::KeywordChanged {
                    keyword: keyword.clone(),
                    from: text(before),
                    to: text(after),
                },
            }),
        }
    }
}

fn compare_fields(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &str,
    found: &mut Vec<Breaking>,
) {
    let nothing = Map::new();
    let fields = |schema: &Map<String, Value>| {
        let fields = schema.get("properties").and_then(Value::as_object);
        fields.unwrap_or(&nothing).clone()
    };
    let required = |schema: &Map<String, Value>, name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|n| n == name))
    };
    let (before, after) = (fields(old), fields(new));
    let added = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(added) {
        let field = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        let change = match (required(old, name), required(new, name)) {
            _ if !after.contains_key(name) => Some(Change::Removed),
            (false, true) => Some(Change::NewlyRequired),
            (true, false) => Some(Change::NoLongerRequired),
            (true, true) | (false, false) => None,
        };
        if let Some(change) = change {
            found.push(Breaking { field: field.clone(), change });
        }
        if let (Some(before), Some(after)) = (before.get(name), after.get(name)) {
            compare(before, after, &field, found);
        }
    }
}

/// Order does not matter; one that has no counterpart is compared with the one in its place.
fn compare_alternatives(before: &[Value], after: &[Value], path: &str, found: &mut Vec<Breaking>) {
    let fits = |old: &Value, new: &Value| {
        let mut breaking = Vec::new();
        compare(old, new, path, &mut breaking);
        breaking.is_empty()
    };
    for (old, new) in before.iter().zip(after) {
        let kept = after.iter().any(|new| fits(old, new));
        let known = before.iter().any(|old| fits(old, new));
        if !kept || !known {
            compare(old, new, path, found);
        }
    }
}

fn type_changed(path: &str, from: Option<&Value>, to: Option<&Value>) -> Breaking {
    Breaking {
        field: path.to_owned(),
        change: Change::TypeChanged { from: text(from), to: text(to) },
    }
}

fn text(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
