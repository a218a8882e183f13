//! Upcasters: how an event of an old version is read as events of the current ones.
//!
//! An upcaster is a pure function from one version's payload to what it means in later ones:
//! usually one event of the next version, but an old event may have become several events, none,
//! or one of another name. It is kept for ever, since the events it reads are.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{DecodeError, current_version};

/// An event on its way to the current version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) event_type: &'static str,
    pub(crate) version: u16,
    pub(crate) payload: String,
}

pub(crate) type Upcaster = fn(&str) -> Result<Vec<Stored>, serde_json::Error>;

/// By the type and version read. What comes out MUST be of another type or a later version.
const UPCASTERS: &[(&str, u16, Upcaster)] = &[("inventory.received", 1, inventory_received_v1)];

/// Follows the chain until everything is current.
pub(crate) fn to_current(
    event_type: &str,
    version: u16,
    payload: &str,
) -> Result<Vec<Stored>, DecodeError> {
    follow(event_type, version, payload, UPCASTERS, current_version)
}

fn follow(
    event_type: &str,
    version: u16,
    payload: &str,
    upcasters: &[(&str, u16, Upcaster)],
    current_version: fn(&str) -> Option<u16>,
) -> Result<Vec<Stored>, DecodeError> {
    let Some((_, _, upcaster)) =
        upcasters.iter().find(|(from, at, _)| *from == event_type && *at == version)
    else {
        return Err(no_upcaster(event_type, version, current_version(event_type)));
    };
    let steps =
        upcaster(payload).map_err(|error| DecodeError::malformed(event_type, version, error))?;
    let mut current = Vec::with_capacity(steps.len());
    for step in steps {
        if current_version(step.event_type) == Some(step.version) {
            current.push(step);
        } else {
            current.extend(follow(
                step.event_type,
                step.version,
                &step.payload,
                upcasters,
                current_version,
            )?);
        }
    }
    Ok(current)
}

fn no_upcaster(event_type: &str, version: u16, known: Option<u16>) -> DecodeError {
    let event_type = event_type.to_owned();
    match known {
        // A current event only comes here when it is of another category than the reader's.
        None => DecodeError::UnknownType { event_type },
        Some(known) if version == known => DecodeError::UnknownType { event_type },
        Some(known) if version > known => DecodeError::VersionTooNew { event_type, version, known },
        Some(_) => DecodeError::UnknownVersion { event_type, version },
    }
}

/// Version 1 called the quantity `units` and had no reference to a delivery note.
fn inventory_received_v1(payload: &str) -> Result<Vec<Stored>, serde_json::Error> {
    #[derive(Deserialize)]
    struct V1<'a> {
        #[serde(borrow)]
        warehouse_id: &'a RawValue,
        #[serde(borrow)]
        units: &'a RawValue,
    }
    #[derive(Serialize)]
    struct V2<'a> {
        warehouse_id: &'a RawValue,
        quantity: &'a RawValue,
    }
    let V1 { warehouse_id, units: quantity } = serde_json::from_str(payload)?;
    let payload = serde_json::to_string(&V2 { warehouse_id, quantity })?;
    Ok(vec![Stored { event_type: "inventory.received", version: 2, payload }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events;

    fn at(event_type: &'static str, version: u16, payload: &str) -> Stored {
        Stored { event_type, version, payload: payload.to_owned() }
    }

    #[test]
    fn every_old_version_has_an_upcaster_and_no_current_one_has() {
        for event in events() {
            for version in 1..=event.version {
                let found = UPCASTERS
                    .iter()
                    .filter(|(from, at, _)| *from == event.event_type && *at == version)
                    .count();
                let expected = usize::from(version < event.version);
                assert_eq!(found, expected, "{} version {version}", event.event_type);
            }
        }
    }

    #[test]
    fn units_of_the_first_received_become_the_quantity() {
        let current =
            to_current("inventory.received", 1, r#"{"warehouse_id":"w","units":5,"unknown":true}"#);
        assert_eq!(
            current.unwrap(),
            [at("inventory.received", 2, r#"{"warehouse_id":"w","quantity":5}"#)]
        );
    }

    /// A made-up history: `a` went through two versions and then fell apart into `b` and `c`; `d`
    /// turned out to mean nothing.
    #[test]
    fn a_chain_goes_on_until_everything_is_current() {
        let table: &[(&str, u16, Upcaster)] = &[
            ("a", 1, |p| Ok(vec![at("a", 2, &format!("{p}+"))])),
            ("a", 2, |p| Ok(vec![at("b", 1, p), at("c", 3, p)])),
            ("b", 1, |p| Ok(vec![at("b", 2, &format!("{p}!"))])),
            ("d", 1, |_| Ok(vec![])),
        ];
        let current = |event_type: &str| match event_type {
            "b" => Some(2),
            "c" => Some(3),
            _ => None,
        };
        assert_eq!(
            follow("a", 1, "x", table, current).unwrap(),
            [at("b", 2, "x+!"), at("c", 3, "x+")]
        );
        assert_eq!(follow("d", 1, "x", table, current).unwrap(), []);
        assert!(matches!(
            follow("b", 3, "x", table, current),
            Err(DecodeError::VersionTooNew { known: 2, .. })
        ));
    }
}
