//! Personal fields: sealed before they go into a command, opened for those who may see them.

use domain::Sealed;
use domain::customer::Address;
use sagas::key_store::{KeyStore, KeyStoreError, PersonalField};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::{FieldError, Problem, catalogue};

/// How to reach a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
}

/// Where parcels go, all but the country, which stays readable.
/// What was sealed by an import may lack parts, so reading asks for none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Place {
    #[serde(default)]
    pub(crate) recipient: String,
    /// Street and house, one entry for each line.
    #[serde(default)]
    pub(crate) lines: Vec<String>,
    #[serde(default)]
    pub(crate) city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) postcode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
}

/// An address as a reader gets it; `place` is gone when its person was erased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AddressBody {
    #[schema(value_type = Uuid)]
    pub(crate) address_id: domain::AddressId,
    /// ISO 3166-1 alpha-2.
    pub(crate) country: String,
    pub(crate) place: Option<Place>,
}

const TEXT_CHARS_MAX: usize = 200;
const ADDRESS_LINES_MAX: usize = 6;

/// Refuses text that is empty, too long, or holds control characters.
pub(crate) fn check_text(field: &str, text: &str, errors: &mut Vec<FieldError>) {
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.trim().chars().count());
    if !fits || text.chars().any(char::is_control) {
        let message = format!("must be 1 to {TEXT_CHARS_MAX} characters on one line");
        errors.push(FieldError::new(field, "invalid", message));
    }
}

/// Refuses what cannot be a payment provider's token, above all a card's own number.
pub(crate) fn check_token(field: &str, token: &str, errors: &mut Vec<FieldError>) {
    check_text(field, token, errors);
    let bare: String = token.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits: Vec<u32> = bare.chars().filter_map(|c| c.to_digit(10)).collect();
    if (12..=19).contains(&bare.len()) && digits.len() == bare.len() && luhn(&digits) {
        let message = "must be the provider's token, never a card's number";
        errors.push(FieldError::new(field, "invalid", message));
    }
}

/// The check digit that all card numbers end in.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

pub(crate) fn check_email(field: &str, email: &str, errors: &mut Vec<FieldError>) {
    let at = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let plain = email.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if at.is_none() || !plain || email.len() > 254 {
        errors.push(FieldError::new(field, "invalid", "must be an e-mail address"));
    }
}

impl Contact {
    pub(crate) fn check(&self, errors: &mut Vec<FieldError>) {
        let optional = [("name", &self.name), ("phone", &self.phone)];
        for (field, text) in optional {
            text.iter().for_each(|text| check_text(field, text, errors));
        }
        self.email.iter().for_each(|email| check_email("email", email, errors));
    }
}

impl Place {
    pub(crate) fn check(&self, field: &str, errors: &mut Vec<FieldError>) {
        check_text(&format!("{field}.recipient"), &self.recipient, errors);
        check_text(&format!("{field}.city"), &self.city, errors);
        if !(1..=ADDRESS_LINES_MAX).contains(&self.lines.len()) {
            let message = format!("must be 1 to {ADDRESS_LINES_MAX} lines");
            errors.push(FieldError::new(&format!("{field}.lines"), "invalid", message));
        }
        for (index, line) in self.lines.iter().enumerate().take(ADDRESS_LINES_MAX) {
            check_text(&format!("{field}.lines[{index}]"), line, errors);
        }
        let optional =
            [("region", &self.region), ("postcode", &self.postcode), ("phone", &self.phone)];
        for (name, text) in optional {
            text.iter().for_each(|text| check_text(&format!("{field}.{name}"), text, errors));
        }
    }
}

/// Refuses a country that is not two upper-case letters.
pub(crate) fn check_country(field: &str, country: &str, errors: &mut Vec<FieldError>) {
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let message = "must be two upper-case letters (ISO 3166-1 alpha-2)";
        errors.push(FieldError::new(field, "invalid", message));
    }
}

/// Ends a check: nothing if there is nothing wrong.
pub(crate) fn checked(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

pub(crate) async fn seal_json(
    keys: &dyn KeyStore,
    person: Uuid,
    field: PersonalField,
    value: &impl Serialize,
) -> Result<Sealed, Problem> {
    let text = serde_json::to_string(value)
        .map_err(|_| Problem::new(catalogue::INTERNAL, "a value cannot be written as JSON"))?;
    Ok(keys.seal(person, field, &text).await?)
}

/// Opens a sealed value; `None` when its person was erased.
pub(crate) async fn open_text(
    keys: &dyn KeyStore,
    field: PersonalField,
    sealed: &Sealed,
) -> Result<Option<String>, Problem> {
    if sealed.ciphertext().is_empty() {
        return Ok(None);
    }
    match keys.open(field, sealed).await {
        Ok(text) => Ok(Some(text)),
        Err(KeyStoreError::Erased { .. } | KeyStoreError::UnknownPerson { .. }) => Ok(None),
        // A value that was sealed elsewhere must not keep the rest from being read.
        Err(error @ (KeyStoreError::NotSealed | KeyStoreError::Tampered { .. })) => {
            tracing::error!(%error, "a personal value does not open");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn open_json<T: DeserializeOwned>(
    keys: &dyn KeyStore,
    field: PersonalField,
    sealed: &Sealed,
) -> Result<Option<T>, Problem> {
    let text = open_text(keys, field, sealed).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

pub(crate) async fn open_address(
    keys: &dyn KeyStore,
    address: &Address,
) -> Result<AddressBody, Problem> {
    let place = open_json(keys, PersonalField::Address, &address.details).await?;
    Ok(AddressBody { address_id: address.address_id, country: address.country.clone(), place })
}
