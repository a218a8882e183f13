//! The files, as those who read them see them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files under deploy/ with this ending, from the root on; none of what make-secrets.sh makes.
pub(super) fn files(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = vec![PathBuf::from("deploy")];
    while let Some(directory) = rest.pop() {
        for entry in fs::read_dir(root().join(&directory)).unwrap() {
            let path = directory.join(entry.unwrap().file_name());
            if path.ends_with("secrets") {
                continue;
            }
            if root().join(&path).is_dir() {
                rest.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {ending} under deploy/");
    found
}

/// All documents of a YAML file; a key that is there twice is an error.
pub(super) fn yaml(path: &str) -> Vec<Value> {
    let text = text(path);
    serde_norway::Deserializer::from_str(&text)
        .map(|document| {
            let value = serde_norway::Value::deserialize(document)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            merged(serde_json::to_value(value).unwrap())
        })
        .collect()
}

/// With what `<<` brings in: what stands beside it counts more, and earlier ones more than later.
fn merged(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(merged).collect(),
        Value::Object(mut object) => {
            let brought = match object.remove("<<") {
                Some(Value::Array(brought)) => brought,
                Some(one) => vec![one],
                None => Vec::new(),
            };
            let mut object: serde_json::Map<_, _> =
                object.into_iter().map(|(key, value)| (key, merged(value))).collect();
            for other in brought {
                let Value::Object(other) = merged(other) else { panic!("<<: not a mapping") };
                for (key, value) in other {
                    object.entry(key).or_insert(value);
                }
            }
            Value::Object(object)
        }
        other => other,
    }
}

/// The text there; fails if it is none.
#[track_caller]
pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// The items there; none if there is nothing.
#[track_caller]
pub(super) fn items(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        value => value.as_array().unwrap_or_else(|| panic!("not a list: {value}")),
    }
}

#[track_caller]
pub(super) fn words(value: &Value) -> Vec<&str> {
    items(value).iter().map(word).collect()
}

/// Keys of a mapping; none if there is nothing.
#[track_caller]
pub(super) fn keys(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Null => BTreeSet::new(),
        value => {
            let object = value.as_object().unwrap_or_else(|| panic!("not a mapping: {value}"));
            object.keys().map(String::as_str).collect()
        }
    }
}

/// An image names a version, down to what does not move: at least two numbers, as in 3.2.
#[track_caller]
pub(super) fn is_pinned(image: &str) {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let version = tag.split('-').next().unwrap();
    let numbers = version.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
    assert!(numbers >= 2, "{image}: say which version");
}

/// Host, port and database of `scheme://user:password@host:port/database`.
pub(super) fn place(url: &str) -> (&str, u16, &str) {
    let rest = url.trim().rsplit_once('@').expect("user and password").1;
    let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = place.split_once(':').expect("a port");
    (host, port.parse().unwrap(), database)
}

/// The databases on the PostgreSQL of the trials: the one it is made with, and what the script makes.
pub(super) fn databases() -> BTreeSet<String> {
    let script = text("deploy/postgres/databases.sql");
    let made = script.lines().filter_map(|line| line.strip_prefix("CREATE DATABASE "));
    let made = made.map(|rest| rest.split(' ').next().unwrap().to_owned());
    made.chain(["tillroll".to_owned()]).collect()
}
