//! One field of a JSON object, read on its own, so that one wrong field does not hide another.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::scan;
use crate::problem::{FieldError, Problem, catalogue};

/// A field's text; `None` if it was left out.
#[derive(Default)]
pub(crate) struct Field<'a>(Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(|text| Self(Some(text)))
    }
}

impl<'a> Field<'a> {
    /// Splits an object into its fields.
    pub(crate) fn object<T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
        let no_object =
            || Problem::new(catalogue::MALFORMED_JSON, "the body must be a JSON object");
        // Serde would take an array for the fields in their order.
        if text.trim_start().starts_with('[') {
            return Err(no_object());
        }
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => match named(&error.to_string()) {
                Some((name, rule, message)) => Problem::field(&name, rule, message),
                None => no_object(),
            },
            Category::Syntax | Category::Eof | Category::Io => {
                Problem::new(catalogue::MALFORMED_JSON, error.to_string())
            }
        })
    }

    /// Reads the value; what is wrong with it joins `errors`.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        errors: &mut Vec<FieldError>,
    ) -> Option<T> {
        let text = self.0.map_or("null", RawValue::get);
        let error = match serde_json::from_str(text) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if text == "null" {
            errors.push(FieldError::new(name, "required", "is required"));
            return None;
        }
        let at = scan::path(text, scan::offset(text, error.line(), error.column()));
        let message = in_words(&without_place(&error));
        errors.push(match named(&message) {
            Some((inner, rule, message)) => {
                // The path of an unknown field ends in it already.
                let inside = at.strip_suffix(&format!(".{inner}")).unwrap_or(&at);
                FieldError::new(&format!("{name}{inside}.{inner}"), rule, message)
            }
            None => FieldError::new(&format!("{name}{at}"), "invalid", message),
        });
        None
    }
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// What serde says, in the words of JSON instead of Rust's.
pub(super) fn in_words(message: &str) -> String {
    let kinds = [
        (", expected u32", ", expected a whole number from 0 to 4294967295"),
        (", expected u8", ", expected a whole number from 0 to 255"),
        (", expected i64", ", expected a whole number"),
        ("invalid type: floating point", "invalid value:"),
        ("invalid type: sequence", "invalid type: array"),
        ("invalid type: map", "invalid type: object"),
        ("expected a sequence", "expected an array"),
        ("expected a map", "expected an object"),
        ("unknown variant", "unknown value"),
    ];
    if message.starts_with("UUID parsing failed") {
        return "must be an id (a UUID in its hyphenated form)".to_owned();
    }
    kinds.iter().fold(message.to_owned(), |text, (rust, json)| text.replace(rust, json))
}

/// What serde says about a field it names: which, and what is wrong with it.
fn named(message: &str) -> Option<(String, &'static str, &'static str)> {
    let kinds = [
        ("unknown field `", "unknown", "there is no such field"),
        ("missing field `", "required", "is required"),
        ("duplicate field `", "duplicate", "is given twice"),
    ];
    kinds.into_iter().find_map(|(start, rule, message_out)| {
        let name = message.strip_prefix(start)?.split('`').next()?;
        Some((name.to_owned(), rule, message_out))
    })
}
