//! Public messages: what is told to the outside, as a contract apart from the events on record.
//!
//! Events may get new versions, fall apart or be joined; a message changes only as its own
//! version says. Each is a CloudEvent 1.0 in JSON. No personal data and no secret is in any of
//! them, sealed or not.

mod asyncapi;
mod envelope;
pub mod goods;
pub mod money;
pub mod orders;
pub mod parcels;
mod table;

pub use asyncapi::asyncapi;
pub use envelope::{MessageError, MessagePlace, PublicMessage};
pub use table::{MessageEntry, PublicData, messages};

use serde_json::Value;

use crate::generate::sorted_by_key;

/// The schema of the current version of a message: the whole envelope with its data.
#[must_use]
pub fn generate_message_schema(message: &MessageEntry) -> Option<Value> {
    let mut schema = table::envelope_schema(message.message_type)?.to_value();
    let object = schema.as_object_mut()?;
    object.insert(
        "title".into(),
        format!("{} version {}", message.message_type, message.version).into(),
    );
    object.insert("description".into(), message.doc.into());
    let fields = object.get_mut("properties")?.as_object_mut()?;
    for (field, only) in [
        ("specversion", "1.0".to_owned()),
        ("datacontenttype", "application/json".to_owned()),
        ("type", message.cloud_event_type()),
        ("dataschema", message.data_schema()),
    ] {
        fields.get_mut(field)?.as_object_mut()?.insert("const".into(), only.into());
    }
    Some(sorted_by_key(schema))
}
