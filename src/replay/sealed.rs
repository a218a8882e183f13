//! Personal fields in what is told: shown as sealed, or opened where somebody may see them.

use domain::Sealed;
use sagas::key_store::{KeyStore, KeyStoreError, PersonalField, person_of};
use serde_json::Value;

/// Stands for a value that stays closed.
pub const SEALED: &str = "(sealed)";
/// Stands for a value whose key was destroyed.
pub const ERASED: &str = "(erased)";

/// Whether personal fields are opened. Payment tokens never are: they mean nothing to a person.
#[derive(Clone, Copy)]
pub enum Reveal<'a> {
    No,
    With(&'a dyn KeyStore),
}

const READABLE: [PersonalField; 4] = [
    PersonalField::Contact,
    PersonalField::Address,
    PersonalField::PaymentLabel,
    PersonalField::Note,
];

impl Reveal<'_> {
    /// The value for people.
    pub(super) async fn text(&self, sealed: &Sealed) -> String {
        let Self::With(keys) = self else { return SEALED.to_owned() };
        // A value opens only as what it was sealed as; the text does not say what that is.
        for field in READABLE {
            match keys.open(field, sealed).await {
                Ok(text) => return text,
                Err(KeyStoreError::Erased { .. }) => return ERASED.to_owned(),
                Err(_) => {}
            }
        }
        SEALED.to_owned()
    }

    /// Replaces every sealed value in a JSON tree.
    pub(super) async fn tree(&self, value: &mut Value) {
        let mut found = Vec::new();
        collect(value, &mut found);
        for text in found {
            *text = self.text(&Sealed::from_ciphertext(std::mem::take(text))).await;
        }
    }
}

fn collect<'v>(value: &'v mut Value, found: &mut Vec<&'v mut String>) {
    match value {
        Value::String(text) => {
            if text.starts_with("v1.")
                && person_of(&Sealed::from_ciphertext(text.clone())).is_some()
            {
                found.push(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values_mut().for_each(|field| collect(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
