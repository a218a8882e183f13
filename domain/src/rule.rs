//! Rules on single values, whatever the state: lengths, bounds, forms.

use std::ops::RangeInclusive;

use serde::Serialize;

/// The most an amount of a price can be, in minor units.
pub const PRICE_MINOR_MAX: i64 = 1_000_000_000_000;

/// A value that breaks a rule: which field, what it must be, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field} must be {expected}, not {seen}")]
pub struct BrokenRule {
    pub field: String,
    pub expected: String,
    pub seen: String,
}

impl BrokenRule {
    pub fn new(field: &str, expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { field: field.to_owned(), expected: expected.into(), seen: seen.into() }
    }
}

/// Refuses text with too few or too many characters, or with control characters other than
/// line ends and tabs (stores and terminals choke on them).
pub(crate) fn text(
    field: &str,
    value: &str,
    characters: RangeInclusive<usize>,
) -> Result<(), BrokenRule> {
    let count = value.chars().count();
    if !characters.contains(&count) {
        let expected = format!("{} to {} characters", characters.start(), characters.end());
        return Err(BrokenRule::new(field, expected, count.to_string()));
    }
    match value.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(c) => Err(BrokenRule::new(
            field,
            "free of control characters",
            format!("one with U+{:04X}", u32::from(c)),
        )),
        None => Ok(()),
    }
}

/// Refuses a price below zero or above [`PRICE_MINOR_MAX`].
pub(crate) fn price(field: &str, minor: i64) -> Result<(), BrokenRule> {
    if (0..=PRICE_MINOR_MAX).contains(&minor) {
        Ok(())
    } else {
        let expected = format!("from 0 to {PRICE_MINOR_MAX} minor units");
        Err(BrokenRule::new(field, expected, minor.to_string()))
    }
}

/// Refuses more than `max` of something.
pub(crate) fn at_most(field: &str, count: usize, max: usize) -> Result<(), BrokenRule> {
    if count <= max {
        Ok(())
    } else {
        Err(BrokenRule::new(field, format!("at most {max}"), count.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert!(text("name", &"é".repeat(500), 1..=500).is_ok());
        let broken = text("name", &"é".repeat(501), 1..=500).unwrap_err();
        assert_eq!(broken.to_string(), "name must be 1 to 500 characters, not 501");
        assert!(text("name", "", 1..=500).is_err());
    }

    #[test]
    fn control_characters_are_refused_but_lines_are_not() {
        assert!(text("description", "one\n\ttwo\r\n", 0..=100).is_ok());
        assert!(text("description", "nul \0", 0..=100).is_err());
    }

    #[test]
    fn prices_run_from_zero_to_the_maximum() {
        assert!(price("minor", 0).is_ok());
        assert!(price("minor", PRICE_MINOR_MAX).is_ok());
        assert!(price("minor", -1).is_err());
        assert!(price("minor", PRICE_MINOR_MAX + 1).is_err());
    }
}
