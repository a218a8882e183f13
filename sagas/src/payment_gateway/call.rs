//! One call of the sandbox and what it decides: pure, so the ledger can ask again on a
//! newer account.

use chrono::{DateTime, TimeDelta, Utc};
use domain::payment::Operation;
use domain::{Currency, Money};

use super::account::{Account, Answered, Moved, Opened, Outcome, Owner};
use super::ledger::{AccountEvent, Entry, digest, short_hex};
use super::rules::{Behaviour, WebhookManner};
use super::{AuthorizeRequest, code};

/// One call, whatever the operation.
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) key: String,
    /// The payment's reference.
    pub(super) reference: String,
    /// 0 for a void, which frees whatever is left.
    pub(super) amount_minor: i64,
    /// `None` for a void.
    pub(super) currency: Option<Currency>,
    /// Digest of everything but the key.
    pub(super) parameters: String,
    /// Made at the provider itself.
    pub(super) direct: bool,
}

impl Call {
    pub(super) fn authorize(request: &AuthorizeRequest) -> Self {
        let Money { minor, currency } = request.amount;
        let parameters = digest(&[
            b"authorize",
            request.order_id.uuid().as_bytes(),
            request.payment_id.uuid().as_bytes(),
            &minor.to_be_bytes(),
            currency.code().as_bytes(),
            request.token.as_bytes(),
        ]);
        Self {
            operation: Operation::Authorize,
            reference: format!("sbx_pay_{}", short_hex(digest(&[request.key.as_bytes()]))),
            key: request.key.clone(),
            amount_minor: minor,
            currency: Some(currency),
            parameters: short_hex(parameters),
            direct: false,
        }
    }

    /// A capture or a refund of an amount, or a void of whatever is left.
    pub(super) fn of_payment(
        operation: Operation,
        key: String,
        reference: &str,
        amount: Option<Money>,
    ) -> Self {
        let amount_minor = amount.map_or(0, |amount| amount.minor);
        let currency = amount.map(|amount| amount.currency);
        let parameters = digest(&[
            &[operation as u8],
            reference.as_bytes(),
            &amount_minor.to_be_bytes(),
            currency.as_ref().map_or("", Currency::code).as_bytes(),
        ]);
        Self {
            operation,
            key,
            reference: reference.to_owned(),
            amount_minor,
            currency,
            parameters: short_hex(parameters),
            direct: false,
        }
    }

    /// What an authorization comes to.
    pub(super) fn decide_authorize(
        &self,
        request: &AuthorizeRequest,
        token_says: Option<Behaviour>,
        behaviour: &Behaviour,
        now: DateTime<Utc>,
        lives: TimeDelta,
    ) -> Entry {
        let owner = Owner { order_id: request.order_id, payment_id: request.payment_id };
        let Money { minor, currency } = request.amount;
        let (outcome, account) = if minor <= 0 {
            (failed(code::INVALID_AMOUNT), None)
        } else if let Some(code) = &behaviour.decline {
            (Outcome::Declined { code: code.clone() }, None)
        } else {
            let expires_at = now + lives;
            let outcome = Outcome::Succeeded {
                provider_reference: self.reference.clone(),
                amount_minor: minor,
                expires_at: Some(expires_at),
            };
            let opened = Opened {
                owner,
                key: self.key.clone(),
                authorized_minor: minor,
                currency,
                expires_at,
                behaviour: token_says,
            };
            (outcome, Some(AccountEvent::Opened(Box::new(opened))))
        };
        Entry { answered: self.answer(Some(owner), outcome, behaviour, now), account }
    }

    /// What a capture, void or refund comes to, on the account as it is.
    pub(super) fn decide_move(
        &self,
        behaviour: &Behaviour,
        now: DateTime<Utc>,
        account: Option<Account>,
    ) -> Entry {
        let Some(account) = account else {
            return Entry {
                answered: self.answer(None, failed(code::NO_SUCH_PAYMENT), behaviour, now),
                account: None,
            };
        };
        let owner = Some(account.opened.owner);
        let allowed = account.allow(self.operation, self.amount_minor, self.currency, now);
        let refusal = behaviour.refusal(self.operation);
        let (outcome, account) = match (allowed, refusal) {
            (Err(code), _) | (Ok(_), Some(code)) => (failed(code), None),
            (Ok(amount_minor), None) => {
                let provider_reference = match self.operation {
                    Operation::Refund => {
                        format!("sbx_re_{}", short_hex(digest(&[self.key.as_bytes()])))
                    }
                    Operation::Authorize | Operation::Capture | Operation::Void => {
                        self.reference.clone()
                    }
                };
                let outcome =
                    Outcome::Succeeded { provider_reference, amount_minor, expires_at: None };
                let moved =
                    Moved { operation: self.operation, key: self.key.clone(), amount_minor };
                (outcome, Some(AccountEvent::Moved(Box::new(account), moved)))
            }
        };
        Entry { answered: self.answer(owner, outcome, behaviour, now), account }
    }

    fn answer(
        &self,
        payment: Option<Owner>,
        outcome: Outcome,
        behaviour: &Behaviour,
        now: DateTime<Utc>,
    ) -> Answered {
        let pending = behaviour.pending_ms.and_then(|ms| i64::try_from(ms).ok());
        Answered {
            operation: self.operation,
            key: self.key.clone(),
            parameters: self.parameters.clone(),
            payment_reference: self.reference.clone(),
            payment,
            amount_minor: self.amount_minor,
            currency: self.currency,
            outcome,
            at: now,
            pending_until: pending
                .and_then(TimeDelta::try_milliseconds)
                .and_then(|pending| now.checked_add_signed(pending)),
            webhook: match behaviour.webhook {
                // Without a payment there is nobody to tell.
                _ if payment.is_none() => WebhookManner::None,
                // What is told before the reply cannot be pending at the reply.
                WebhookManner::None | WebhookManner::BeforeReply if pending.is_some() => {
                    WebhookManner::AfterReply
                }
                manner => manner,
            },
            direct: self.direct,
        }
    }
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned() }
}
