//! The port's rules for what may be appended, the same for every adapter.

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;

use crate::{Group, JournalError, StreamId, StreamKey, Unit};

/// Longest payload or metadata, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 20;
/// Longest category name, in bytes; what [`StreamId`]'s parser accepts.
const CATEGORY_BYTES_MAX: usize = 40;
/// Longest event type name, in bytes.
const TYPE_BYTES_MAX: usize = 255;
/// Longest text key of a stream, in bytes.
const KEY_BYTES_MAX: usize = 4096;

/// How much one call asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Measures the units of one call, or says which rule they break.
pub(crate) fn units(units: &[Unit]) -> Result<Size, JournalError> {
    let mut size = Size::default();
    for unit in units {
        if unit.groups.is_empty() && unit.reads.is_empty() {
            return Err(invalid("a unit without groups that has read nothing"));
        }
        for (index, (read, _)) in unit.reads.iter().enumerate() {
            stream(read)?;
            if unit.reads[..index].iter().any(|(earlier, _)| earlier == read) {
                return Err(invalid(format!("{read} is read twice by one unit")));
            }
            if unit.groups.iter().any(|group| group.stream == *read) {
                return Err(invalid(format!("{read} is both read and written by one unit")));
            }
        }
        metadata(&unit.metadata)?;
        size.bytes += unit.metadata.len();
        for (index, group) in unit.groups.iter().enumerate() {
            if unit.groups[..index].iter().any(|earlier| earlier.stream == group.stream) {
                return Err(invalid(format!("{} appears twice in one unit", group.stream)));
            }
            check_group(group, &mut size)?;
        }
    }
    if size.events > u32::MAX as usize {
        return Err(invalid("more than u32::MAX events in one call"));
    }
    Ok(size)
}

/// Where one process alone has the journal, no lease is granted that a unit could be fenced by.
pub(crate) fn unfenced(units: &[Unit]) -> Result<(), JournalError> {
    match units.iter().find_map(|unit| unit.fence.as_ref()) {
        None => Ok(()),
        Some(fence) => Err(invalid(format!("a fence: no lease {} is granted here", fence.lease))),
    }
}

fn check_group(group: &Group, size: &mut Size) -> Result<(), JournalError> {
    stream(&group.stream)?;
    if group.events.is_empty() {
        return Err(invalid(format!("an empty group for {}", group.stream)));
    }
    for event in &group.events {
        let name = event.event_type.as_str();
        if name.is_empty() || name.len() > TYPE_BYTES_MAX {
            return Err(invalid(format!("an event type of {} bytes", name.len())));
        }
        if event.schema_version == 0 {
            return Err(invalid(format!("schema version 0 of {name}: versions start at 1")));
        }
        if event.payload.len() > TEXT_BYTES_MAX {
            return Err(invalid(format!("a payload of {} bytes", event.payload.len())));
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(&event.payload) {
            return Err(invalid(format!("the payload of {name} is not JSON: {error}")));
        }
        size.bytes += event.payload.len();
    }
    size.events += group.events.len();
    Ok(())
}

fn stream(stream: &StreamId) -> Result<(), JournalError> {
    let category = stream.category.as_str();
    let well_formed =
        category.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if category.is_empty() || category.len() > CATEGORY_BYTES_MAX || !well_formed {
        return Err(invalid(format!("the category `{category}`")));
    }
    if let StreamKey::Text(key) = &stream.key {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(invalid(format!("a stream key of {} bytes", key.len())));
        }
        // Two spellings of one UUID would be two streams with one name.
        if StreamId::of_text(stream.category, key) != *stream {
            return Err(invalid(format!("the key of {stream} is a UUID written as text")));
        }
    }
    Ok(())
}

fn metadata(text: &str) -> Result<(), JournalError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(invalid(format!("metadata of {} bytes", text.len())));
    }
    if !text.trim_start().starts_with('{') || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Err(invalid("metadata that is not a JSON object"));
    }
    Ok(())
}

fn invalid(what: impl Into<String>) -> JournalError {
    JournalError::Invalid(what.into())
}

/// Times are kept to the microsecond by every adapter.
pub(crate) fn whole_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}
