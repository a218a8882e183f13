//! The AsyncAPI 3.0 document of the public messages, worked out from their table and types.

use serde_json::{Map, Value, json};

use super::{generate_message_schema, messages};
use crate::generate::sorted_by_key;

/// The schema of what all messages have alike.
const ENVELOPE: &str = "Message";

/// The document. Channels are named as their topics; the prefix is the bus's own.
#[must_use]
pub fn asyncapi() -> Value {
    let (mut channels, mut operations) = (Map::new(), Map::new());
    let (mut components, mut schemas) = (Map::new(), Map::new());
    for entry in messages() {
        let Some(mut schema) = generate_message_schema(entry) else { continue };
        let definitions = schema.as_object_mut().and_then(|schema| {
            schema.remove("$schema");
            schema.remove("$defs")
        });
        if let Some(Value::Object(definitions)) = definitions {
            schemas.extend(definitions.into_iter().map(|(name, schema)| (name, moved(schema))));
        }
        let (own, attributes) = split(moved(schema));
        schemas.insert(ENVELOPE.to_owned(), attributes);
        let (name, topic) = (entry.message_type, entry.topic);
        components.insert(
            name.to_owned(),
            json!({
                "name": entry.cloud_event_type(),
                "title": entry.doc,
                "contentType": "application/cloudevents+json",
                "payload": {
                    "allOf": [{ "$ref": format!("#/components/schemas/{ENVELOPE}") }, own],
                },
            }),
        );
        channels.insert(
            topic.to_owned(),
            json!({
                "address": format!("{{prefix}}.{topic}"),
                "title": entry.doc,
                "parameters": { "prefix": { "$ref": "#/components/parameters/prefix" } },
                "messages": { name: { "$ref": format!("#/components/messages/{name}") } },
            }),
        );
        operations.insert(
            format!("send.{name}"),
            json!({
                "action": "send",
                "summary": entry.doc,
                "channel": { "$ref": format!("#/channels/{topic}") },
                "messages": [{ "$ref": format!("#/channels/{topic}/messages/{name}") }],
            }),
        );
    }
    sorted_by_key(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tillroll",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Public messages of a Tillroll engine: CloudEvents 1.0 in JSON, sent \
                to NATS JetStream at least once and in the order of the journal. A message whose \
                `position` is not above the highest one seen from its `source` is a repeat.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": components,
            "parameters": { "prefix": {
                "description": "The bus's own prefix.", "default": "tillroll",
            } },
            "schemas": schemas,
        },
    }))
}

/// Parts the schema of a message into what is its own and what all have alike.
fn split(schema: Value) -> (Value, Value) {
    const OWN: [&str; 3] = ["data", "dataschema", "type"];
    let field = |name: &str| schema["properties"][name].clone();
    let own: Map<String, Value> = OWN.into_iter().map(|n| (n.to_owned(), field(n))).collect();
    let mut alike = schema.clone();
    alike["description"] = "A CloudEvent 1.0.".into();
    alike["title"] = ENVELOPE.into();
    if let Some(fields) = alike["properties"].as_object_mut() {
        fields.retain(|name, _| !OWN.contains(&name.as_str()));
    }
    if let Some(names) = alike["required"].as_array_mut() {
        names.retain(|name| !OWN.iter().any(|own| name == own));
    }
    (json!({ "type": "object", "properties": own, "required": OWN }), alike)
}

/// References into a schema of its own become references into the document.
fn moved(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| match (name.as_str(), member.as_str()) {
                ("$ref", Some(to)) => {
                    (name, to.replace("#/$defs/", "#/components/schemas/").into())
                }
                _ => (name, moved(member)),
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(moved).collect(),
        other => other,
    }
}
