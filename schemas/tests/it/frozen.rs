//! The files under `events/` and `samples/`: they are there, they are true, and they only ever
//! grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use schemas::{
    AnyEvent, CatalogueEntry, EventEntry, catalogue, compatible, decode_any, events,
    generate_schema, normalised,
};
use serde_json::Value;

use crate::samples::samples;
use crate::validate::{Fields, validate};

pub(crate) const REGENERATE: &str = "run `TILLROLL_WRITE_SCHEMAS=1 cargo test -p schemas`";

pub(crate) fn writing() -> bool {
    std::env::var_os("TILLROLL_WRITE_SCHEMAS").is_some_and(|value| value == "1")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn schema_path(event_type: &str, version: u16) -> PathBuf {
    root().join(format!("events/{event_type}.v{version}.schema.json"))
}

fn sample_path(event_type: &str, version: u16, kind: &str) -> PathBuf {
    root().join(format!("samples/{event_type}.v{version}.{kind}.json"))
}

pub(crate) fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

pub(crate) fn write(path: &Path, value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap();
    fs::write(path, text + "\n").unwrap();
}

/// Path of the first place where `old` and `new` differ, for people.
pub(crate) fn difference(old: &Value, new: &Value, path: &str) -> Option<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            names.into_iter().find_map(|name| {
                let path = format!("{path}/{name}");
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => difference(old, new, &path),
                    _ => Some(path),
                }
            })
        }
        _ => (old != new).then(|| path.to_owned()),
    }
}

/// What to do about a frozen schema: nothing, write it, or say why it must stay.
///
/// Texts for people may lag behind the code: rewording a comment is no change of the schema.
pub(crate) fn schema_verdict(
    name: &str,
    frozen: Option<&Value>,
    now: &Value,
    writing: bool,
) -> Result<bool, String> {
    let Some(frozen) = frozen else {
        return if writing {
            Ok(true)
        } else {
            Err(format!("{name} has no frozen schema: {REGENERATE}"))
        };
    };
    if let Err(breaking) = compatible(frozen, now) {
        let breaking: Vec<String> = breaking.iter().map(ToString::to_string).collect();
        return Err(format!(
            "{name}: {}. The frozen schema stays: make a new version and an upcaster \
             (see schemas/README.md)",
            breaking.join("; ")
        ));
    }
    match difference(&normalised(frozen), &normalised(now), "") {
        Some(field) if !writing => Err(format!("{name} differs at {field}: {REGENERATE}")),
        Some(_) => Ok(true),
        None => Ok(false),
    }
}

/// A frozen sample may get new members; what it has stays.
pub(crate) fn extends(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(name, old)| new.get(name).is_some_and(|new| extends(old, new)))
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| extends(old, new))
        }
        _ => old == new,
    }
}

#[test]
fn frozen_schemas_are_those_of_the_types() {
    let mut wrong = Vec::new();
    for event in events() {
        let name = format!("{} version {}", event.event_type, event.version);
        let now = generate_schema(event).unwrap_or_else(|| panic!("{name} has no schema"));
        let path = schema_path(event.event_type, event.version);
        match schema_verdict(&name, read(&path).as_ref(), &now, writing()) {
            Ok(true) => write(&path, &now),
            Ok(false) => {}
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn frozen_samples_are_those_of_the_types() {
    let mut wrong = Vec::new();
    for sample in samples() {
        for (kind, event) in [("full", &sample.full), ("minimal", &sample.minimal)] {
            let (event_type, version) = (event.event_type(), event.schema_version());
            let path = sample_path(event_type, version, kind);
            let now: Value = serde_json::from_str(&event.encode()).unwrap();
            match read(&path) {
                Some(frozen) if frozen == now => {}
                Some(frozen) if writing() && extends(&frozen, &now) => write(&path, &now),
                None if writing() => write(&path, &now),
                Some(frozen) => wrong.push(format!(
                    "{kind} sample of {event_type} differs at {}: a sample may grow, \
                     what is in it stays; to let it grow, {REGENERATE}",
                    difference(&frozen, &now, "").unwrap_or_default()
                )),
                None => wrong.push(format!(
                    "{event_type} version {version} has no {kind} sample: {REGENERATE}"
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_event_has_one_pair_of_samples() {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in samples() {
        assert_eq!(sample.full.event_type(), sample.minimal.event_type());
        *count.entry(sample.full.event_type()).or_default() += 1;
    }
    let once: BTreeMap<&str, usize> = events().map(|event| (event.event_type, 1)).collect();
    assert_eq!(count, once);
}

#[test]
fn every_version_has_a_schema_and_two_samples_and_there_are_no_others() {
    let mut expected = BTreeSet::new();
    for event in events() {
        for version in 1..=event.version {
            expected.insert(schema_path(event.event_type, version));
            expected.insert(sample_path(event.event_type, version, "full"));
            expected.insert(sample_path(event.event_type, version, "minimal"));
        }
    }
    let found: BTreeSet<PathBuf> = ["events", "samples"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let others: Vec<_> = found.difference(&expected).collect();
    assert!(writing() || missing.is_empty(), "missing: {missing:#?}; {REGENERATE}");
    assert!(others.is_empty(), "of no known event: {others:#?}");
}

/// Calls `check` with every frozen version; in a writing run files are still being made.
fn for_each_frozen(mut check: impl FnMut(&EventEntry, u16, &Value, [Value; 2])) {
    if writing() {
        return;
    }
    for event in events() {
        for version in 1..=event.version {
            let schema = read(&schema_path(event.event_type, version)).unwrap();
            let samples = ["full", "minimal"]
                .map(|kind| read(&sample_path(event.event_type, version, kind)).unwrap());
            check(event, version, &schema, samples);
        }
    }
}

#[test]
fn samples_fit_their_schemas_and_full_ones_have_every_field() {
    for_each_frozen(|event, version, schema, [full, minimal]| {
        let schema = normalised(schema);
        for (sample, fields) in [(full, Fields::All), (minimal, Fields::Any)] {
            validate(&schema, &sample, fields)
                .unwrap_or_else(|error| panic!("{} v{version}: {error}", event.event_type));
        }
    });
}

#[test]
fn samples_of_the_current_version_are_written_as_they_are_read() {
    for_each_frozen(|event, version, _, samples| {
        for sample in samples {
            let read = decode_any(event.event_type, version, &sample.to_string()).unwrap();
            assert_eq!(read.event_type(), event.event_type);
            if version == event.version {
                let written: Value = serde_json::from_str(&read.encode()).unwrap();
                assert_eq!(difference(&sample, &written, ""), None);
            }
        }
    });
}

#[test]
fn encode_then_decode_is_identity() {
    for sample in samples() {
        for event in [sample.full, sample.minimal] {
            let read: AnyEvent =
                decode_any(event.event_type(), event.schema_version(), &event.encode()).unwrap();
            assert_eq!(read, event);
        }
    }
}

#[test]
fn the_catalogue_has_every_version() {
    if writing() {
        return; // It was built before the files were written.
    }
    let catalogue: Vec<CatalogueEntry> = catalogue();
    assert_eq!(catalogue.len(), events().count());
    for entry in catalogue {
        let versions: Vec<u16> = entry.versions.iter().map(|v| v.version).collect();
        let expected: Vec<u16> = (1..=entry.current_version).collect();
        assert_eq!(versions, expected, "{}", entry.event_type);
        for version in entry.versions {
            for text in [version.schema, version.full_sample, version.minimal_sample] {
                serde_json::from_str::<Value>(text).unwrap();
            }
        }
    }
}

#[test]
fn a_frozen_schema_is_only_replaced_by_a_compatible_one() {
    let event = events().find(|e| e.event_type == "order.placed").unwrap();
    let now = generate_schema(event).unwrap();
    let verdict = |now: &Value, writing| schema_verdict("x", Some(&generated(event)), now, writing);
    assert_eq!(verdict(&now, false), Ok(false));

    let mut grown = now.clone();
    grown["properties"]["gift_note"] = serde_json::json!({ "type": "string" });
    let error = verdict(&grown, false).unwrap_err();
    assert!(error.contains("/properties/gift_note"), "{error}");
    assert!(error.contains("TILLROLL_WRITE_SCHEMAS=1"), "{error}");
    assert_eq!(verdict(&grown, true), Ok(true));

    let mut broken = now.clone();
    broken["$defs"]["OrderLine"]["properties"]["name"]["type"] = "integer".into();
    for writing in [false, true] {
        let error = verdict(&broken, writing).unwrap_err();
        assert!(error.contains("`lines[].name`"), "{error}");
    }

    let mut reworded = now;
    reworded["description"] = "Otherwise put.".into();
    assert_eq!(verdict(&reworded, true), Ok(false));
}

fn generated(event: &EventEntry) -> Value {
    generate_schema(event).unwrap()
}
