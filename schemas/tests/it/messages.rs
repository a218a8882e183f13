//! The files under `messages/` and `message_samples/`, and the AsyncAPI document: true, and only
//! ever growing.

mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemas::public::{
    MessageEntry, MessageError, PublicMessage, asyncapi, generate_message_schema, messages,
};
use schemas::{message_catalogue, normalised};
use serde_json::Value;

use crate::frozen::{REGENERATE, difference, extends, read, root, schema_verdict, write, writing};
use crate::validate::{Fields, validate};
use samples::samples;

fn schema_path(message_type: &str, version: u16) -> PathBuf {
    root().join(format!("messages/{message_type}.v{version}.schema.json"))
}

fn sample_path(message_type: &str, version: u16, kind: &str) -> PathBuf {
    root().join(format!("message_samples/{message_type}.v{version}.{kind}.json"))
}

#[test]
fn frozen_schemas_of_messages_are_those_of_the_types() {
    let mut wrong = Vec::new();
    for message in messages() {
        let name = format!("{} version {}", message.message_type, message.version);
        let now = generate_message_schema(message).unwrap();
        let path = schema_path(message.message_type, message.version);
        match schema_verdict(&name, read(&path).as_ref(), &now, writing()) {
            Ok(true) => write(&path, &now),
            Ok(false) => {}
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn frozen_samples_of_messages_are_those_of_the_types() {
    let mut wrong = Vec::new();
    for (kind, message) in samples() {
        let entry = message.data.entry();
        let path = sample_path(entry.message_type, entry.version, kind);
        let now: Value = serde_json::from_str(&message.encode()).unwrap();
        match read(&path) {
            Some(frozen) if frozen == now => {}
            Some(frozen) if writing() && extends(&frozen, &now) => write(&path, &now),
            None if writing() => write(&path, &now),
            Some(frozen) => wrong.push(format!(
                "{kind} sample of {} differs at {}: a sample may grow, what is in it stays; to let \
                 it grow, {REGENERATE}",
                entry.message_type,
                difference(&frozen, &now, "").unwrap_or_default()
            )),
            None => {
                wrong.push(format!("{} has no {kind} sample: {REGENERATE}", entry.message_type))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_message_has_one_pair_of_samples_and_its_files_and_there_are_no_others() {
    let mut count: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (kind, message) in samples() {
        *count.entry((message.data.entry().message_type, kind)).or_default() += 1;
    }
    let kinds = ["full", "minimal"];
    let once = messages().iter().flat_map(|m| kinds.map(|kind| ((m.message_type, kind), 1)));
    assert_eq!(count, once.collect());

    let mut expected = BTreeSet::new();
    for message in messages() {
        for version in 1..=message.version {
            expected.insert(schema_path(message.message_type, version));
            expected.extend(kinds.map(|kind| sample_path(message.message_type, version, kind)));
        }
    }
    let found: BTreeSet<PathBuf> = ["messages", "message_samples"]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    assert!(writing() || found == expected, "{REGENERATE}; files differ from the table");
}

/// Calls `check` with every frozen version and its samples.
fn for_each_frozen(mut check: impl FnMut(&MessageEntry, &Value, [Value; 2])) {
    if writing() {
        return;
    }
    for message in messages() {
        for version in 1..=message.version {
            let schema = read(&schema_path(message.message_type, version)).unwrap();
            let samples = ["full", "minimal"]
                .map(|kind| read(&sample_path(message.message_type, version, kind)).unwrap());
            check(message, &schema, samples);
        }
    }
}

#[test]
fn samples_of_messages_fit_their_schemas_and_are_read_as_they_are_written() {
    for_each_frozen(|message, schema, [full, minimal]| {
        let schema = normalised(schema);
        for (sample, fields) in [(full, Fields::All), (minimal, Fields::Any)] {
            validate(&schema, &sample, fields)
                .unwrap_or_else(|error| panic!("{}: {error}", message.message_type));
            let read = PublicMessage::decode(&sample.to_string()).unwrap();
            let written: Value = serde_json::from_str(&read.encode()).unwrap();
            assert_eq!(difference(&sample, &written, ""), None, "{}", message.message_type);
        }
    });
}

/// The attributes' names and types as CloudEvents 1.0 has them.
#[test]
fn every_message_is_a_cloud_event() {
    for (_, message) in samples() {
        let text: Value = serde_json::from_str(&message.encode()).unwrap();
        for (name, value) in text.as_object().unwrap() {
            let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            assert!(letters && name.len() <= 20, "{name}");
            assert!(
                name == "data" || value.as_str().is_some_and(|text| !text.is_empty()),
                "{name}"
            );
        }
        assert_eq!(text["specversion"], "1.0");
        for required in ["id", "source", "type"] {
            assert!(text[required].is_string(), "{required}");
        }
    }
}

#[test]
fn nothing_sealed_or_secret_has_a_place_in_a_message() {
    let banned = [
        "s1.",
        "Sealed",
        "token",
        "guest_contact",
        "shipping_address",
        "email",
        "\"note\"",
        "payment_method",
        "wholesale_",
        "actor",
        "\"key\"",
    ];
    for message in messages() {
        let schema = generate_message_schema(message).unwrap().to_string();
        for word in banned {
            assert!(!schema.contains(word), "{}: {word}", message.message_type);
        }
    }
}

#[test]
fn topics_and_names_are_in_use_once() {
    let topics: BTreeSet<&str> = messages().iter().map(|m| m.topic).collect();
    let names: BTreeSet<&str> = messages().iter().map(|m| m.message_type).collect();
    assert_eq!((topics.len(), names.len()), (messages().len(), messages().len()));
    for topic in topics {
        assert!(topic.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_'), "{topic}");
    }
}

#[test]
fn what_is_no_message_is_told_apart() {
    let (_, message) = samples().swap_remove(0);
    let sample: Value = serde_json::from_str(&message.encode()).unwrap();
    let with = |field: &str, value: &str| {
        let mut sample = sample.clone();
        sample[field] = value.into();
        PublicMessage::decode(&sample.to_string())
    };
    assert!(matches!(with("type", "tillroll.order.lost.v9"), Err(MessageError::UnknownType(_))));
    assert!(matches!(with("source", "elsewhere"), Err(MessageError::Foreign { .. })));
    assert!(matches!(with("position", "-1"), Err(MessageError::Foreign { .. })));
    assert!(matches!(PublicMessage::decode("{}"), Err(MessageError::Malformed(_))));
    let mut later = sample.clone();
    later["colour"] = "red".into();
    assert_eq!(PublicMessage::decode(&later.to_string()).unwrap(), message);
}

#[test]
fn the_catalogue_has_every_version_of_a_message() {
    if writing() {
        return; // It was built before the files were written.
    }
    let catalogue = message_catalogue();
    assert_eq!(catalogue.len(), messages().len());
    for entry in catalogue {
        let versions: Vec<u16> = entry.versions.iter().map(|v| v.version).collect();
        let expected: Vec<u16> = (1..=entry.current_version).collect();
        assert_eq!(versions, expected, "{}", entry.message_type);
    }
}

/// Every reference of the document leads somewhere in it.
#[test]
fn the_asyncapi_document_is_whole_and_the_one_checked_in() {
    let document = asyncapi();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let path = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(path).is_some(), "{reference}");
                }
                open.extend(members.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert_eq!(document["channels"].as_object().unwrap().len(), messages().len());

    let path = root().join("../docs/asyncapi.json");
    match read(&path) {
        Some(kept) if kept == document => {}
        _ if writing() => write(&path, &document),
        _ => panic!("docs/asyncapi.json is not that of the messages: {REGENERATE}"),
    }
}
