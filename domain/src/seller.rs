//! Seller: who offers products and ships them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Rejection, RejectionKind};
use crate::{BrokenRule, Sealed, SellerId, rule};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SellerDetails {
    pub name: String,
    /// E-mail, telephone: one sealed JSON object.
    pub contact: Sealed,
    /// Where notifications go, https only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum SellerEvent {
    Registered {
        seller_id: SellerId,
        #[serde(flatten)]
        details: SellerDetails,
    },
    DetailsChanged(SellerDetails),
}

#[derive(Debug, Clone, PartialEq)]
pub enum SellerCommand {
    Register { seller_id: SellerId, details: SellerDetails },
    ChangeDetails(SellerDetails),
}

/// `None` until registered.
pub type SellerState = Option<SellerDetails>;

/// The aggregate.
#[derive(Debug)]
pub struct Seller;

const NAME_CHARS_MAX: usize = 500;
const WEBHOOK_CHARS_MAX: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum SellerRejection {
    #[error("there is no such seller")]
    NoSuchSeller,
    #[error("the seller is already registered, as `{name}`")]
    SellerExists { name: String },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
}

impl Rejection for SellerRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoSuchSeller => RejectionKind::NotFound,
            Self::SellerExists { .. } => RejectionKind::Conflict,
            Self::InvalidValue(_) => RejectionKind::Invalid,
        }
    }
}

impl Decider for Seller {
    const CATEGORY: &'static str = "seller";

    type Id = SellerId;
    type State = SellerState;
    type Command = SellerCommand;
    type Event = SellerEvent;
    type Rejection = SellerRejection;

    fn decide(
        state: &SellerState,
        command: &SellerCommand,
    ) -> Result<Vec<SellerEvent>, SellerRejection> {
        match (command, state) {
            (SellerCommand::Register { seller_id, details }, None) => {
                check(details)?;
                Ok(vec![SellerEvent::Registered {
                    seller_id: *seller_id,
                    details: details.clone(),
                }])
            }
            (SellerCommand::Register { details, .. }, Some(known)) if known == details => {
                Ok(vec![])
            }
            (SellerCommand::Register { .. }, Some(known)) => {
                Err(SellerRejection::SellerExists { name: known.name.clone() })
            }
            (SellerCommand::ChangeDetails(_), None) => Err(SellerRejection::NoSuchSeller),
            (SellerCommand::ChangeDetails(details), Some(known)) if known == details => Ok(vec![]),
            (SellerCommand::ChangeDetails(details), Some(_)) => {
                check(details)?;
                Ok(vec![SellerEvent::DetailsChanged(details.clone())])
            }
        }
    }

    fn evolve(state: &mut SellerState, event: &SellerEvent) {
        match event {
            SellerEvent::Registered { details, .. } | SellerEvent::DetailsChanged(details) => {
                *state = Some(details.clone());
            }
        }
    }
}

fn check(details: &SellerDetails) -> Result<(), BrokenRule> {
    rule::text("name", &details.name, 1..=NAME_CHARS_MAX)?;
    let Some(webhook) = &details.webhook else {
        return Ok(());
    };
    rule::text("webhook", webhook, 1..=WEBHOOK_CHARS_MAX)?;
    let host = webhook.strip_prefix("https://").unwrap_or_default();
    let has_host = host.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    if has_host && !webhook.contains(char::is_whitespace) {
        return Ok(());
    }
    let seen: String = webhook.chars().take(100).collect();
    let expected = "an address that starts with https://";
    Err(BrokenRule::new("webhook", expected, format!("`{seen}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, id};

    fn details(webhook: Option<&str>) -> SellerDetails {
        SellerDetails {
            name: "Acme".into(),
            contact: Sealed::from_ciphertext("x".into()),
            webhook: webhook.map(str::to_owned),
        }
    }

    fn registered() -> SellerEvent {
        SellerEvent::Registered { seller_id: id(1), details: details(None) }
    }

    #[test]
    fn a_seller_registers_once() {
        let register =
            |webhook| SellerCommand::Register { seller_id: id(1), details: details(webhook) };
        given::<Seller>([])
            .when(register(None))
            .then_once([registered()])
            .when(register(Some("https://acme.example/hook")))
            .then_rejected(SellerRejection::SellerExists { name: "Acme".into() });
    }

    #[test]
    fn a_webhook_is_https_and_bounded() {
        let long = format!("https://{}", "a".repeat(1_993));
        for webhook in ["", "http://acme.example", "https://", "https:// x", "ftp://x", &long] {
            given::<Seller>([registered()])
                .when(SellerCommand::ChangeDetails(details(Some(webhook))))
                .then_refused(|r| r.kind() == RejectionKind::Invalid);
        }
        for webhook in ["https://acme.example/hook?x=1", &long[..2_000]] {
            given::<Seller>([registered()])
                .when(SellerCommand::ChangeDetails(details(Some(webhook))))
                .then_once([SellerEvent::DetailsChanged(details(Some(webhook)))]);
        }
    }

    #[test]
    fn an_unknown_seller_cannot_change() {
        given::<Seller>([])
            .when(SellerCommand::ChangeDetails(details(None)))
            .then_rejected(SellerRejection::NoSuchSeller);
    }
}
