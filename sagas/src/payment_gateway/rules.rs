//! How the sandbox can be told to behave: by the payment's token, at run time, or by a
//! seeded source of faults.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::payment::Operation;
use serde::{Deserialize, Serialize};

use super::code;

/// The tokens that mean something, and what. Any other token is taken like `tok_ok`.
///
/// A behaviour belongs to the payment: captures, voids and refunds of an authorization made
/// with such a token follow it too. `_<n>` is optional and 1 unless given.
pub const TEST_TOKENS: &[(&str, &str)] = &[
    ("tok_ok", "everything succeeds at once"),
    ("tok_decline", "authorization declined, code card_declined"),
    ("tok_decline_insufficient_funds", "authorization declined, code insufficient_funds"),
    ("tok_capture_fails", "authorized, then captures fail"),
    ("tok_void_fails", "authorized, then voids fail"),
    ("tok_refund_fails", "authorized and captured, then refunds fail"),
    ("tok_timeout_<n>", "each operation is done, but its first n replies are lost"),
    (
        "tok_lost_request_<n>",
        "the first n calls of each operation are lost before anything is done",
    ),
    ("tok_slow_<ms>", "each call takes ms milliseconds"),
    ("tok_webhook_after", "each reply is followed by its webhook"),
    ("tok_webhook_first", "each webhook is delivered before the reply"),
    ("tok_webhook_twice", "each webhook is delivered twice"),
    (
        "tok_webhook_out_of_order",
        "the authorization's webhook is held back until after the capture's",
    ),
    ("tok_pending_<ms>", "replies are `pending`; the answer comes by webhook after ms (50)"),
];

/// When an operation's webhook is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookManner {
    /// No webhook: the reply says it all.
    #[default]
    None,
    AfterReply,
    /// Delivered before the reply leaves.
    BeforeReply,
    /// Delivered twice, with the same webhook id.
    Twice,
    /// As `AfterReply`, but an authorization's is held back for a while.
    OutOfOrder,
}

/// What the sandbox does with a payment. The default is to succeed at once, without webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Behaviour {
    /// Decline authorizations with this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_fails: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void_fails: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_fails: Option<String>,
    /// Milliseconds each call takes before anything is done.
    pub delay_ms: u64,
    /// How many replies to each key are lost after the work is done.
    pub lose_replies: u32,
    /// How many calls with each key are lost before the work is done.
    pub lose_requests: u32,
    /// Answer `pending` for this many milliseconds; a webhook tells the outcome then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_ms: Option<u64>,
    pub webhook: WebhookManner,
}

impl Behaviour {
    /// What a token asks for; `None` when it is not one of [`TEST_TOKENS`].
    #[must_use]
    pub fn of_token(token: &str) -> Option<Self> {
        let default = Self::default;
        let with_code = |code: &str| Some(code.to_owned());
        let webhook = |webhook| Self { webhook, ..default() };
        Some(match token.strip_prefix("tok_")? {
            "ok" => default(),
            "decline" => Self { decline: with_code(code::DECLINED), ..default() },
            "decline_insufficient_funds" => {
                Self { decline: with_code(code::INSUFFICIENT_FUNDS), ..default() }
            }
            "capture_fails" => Self { capture_fails: with_code(code::CAPTURE_FAILED), ..default() },
            "void_fails" => Self { void_fails: with_code(code::VOID_FAILED), ..default() },
            "refund_fails" => Self { refund_fails: with_code(code::REFUND_FAILED), ..default() },
            "webhook_after" => webhook(WebhookManner::AfterReply),
            "webhook_first" => webhook(WebhookManner::BeforeReply),
            "webhook_twice" => webhook(WebhookManner::Twice),
            "webhook_out_of_order" => webhook(WebhookManner::OutOfOrder),
            other => return Self::of_counted_token(other),
        })
    }

    fn of_counted_token(name: &str) -> Option<Self> {
        let counted = |prefix: &str, unless_given: u64| -> Option<u64> {
            match name.strip_prefix(prefix)? {
                "" => Some(unless_given),
                rest => rest.strip_prefix('_')?.parse().ok(),
            }
        };
        let times = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        if let Some(n) = counted("timeout", 1) {
            return Some(Self { lose_replies: times(n), ..Self::default() });
        }
        if let Some(n) = counted("lost_request", 1) {
            return Some(Self { lose_requests: times(n), ..Self::default() });
        }
        if let Some(ms) = counted("slow", 1_000) {
            return Some(Self { delay_ms: ms, ..Self::default() });
        }
        let ms = counted("pending", 50)?;
        Some(Self { pending_ms: Some(ms), webhook: WebhookManner::AfterReply, ..Self::default() })
    }

    /// The code an operation is to end with instead of being done.
    pub(super) fn refusal(&self, operation: Operation) -> Option<&str> {
        match operation {
            Operation::Authorize => self.decline.as_deref(),
            Operation::Capture => self.capture_fails.as_deref(),
            Operation::Void => self.void_fails.as_deref(),
            Operation::Refund => self.refund_fails.as_deref(),
        }
    }

    /// This behaviour for a call that meets `fault`; lost calls are the caller's to lose.
    pub(super) fn with_fault(mut self, fault: &Fault) -> Self {
        match fault {
            Fault::None | Fault::LoseRequest | Fault::LoseReply => {}
            Fault::Delay { ms } => self.delay_ms = self.delay_ms.saturating_add(*ms),
            Fault::Refuse { code } => {
                for refusal in [
                    &mut self.decline,
                    &mut self.capture_fails,
                    &mut self.void_fails,
                    &mut self.refund_fails,
                ] {
                    *refusal = Some(code.clone());
                }
            }
            Fault::Pending { ms } => {
                self.pending_ms = Some(*ms);
                if self.webhook == WebhookManner::None {
                    self.webhook = WebhookManner::AfterReply;
                }
            }
            Fault::Webhook(manner) => self.webhook = *manner,
        }
        self
    }
}

/// A handle on the sandbox's rules; clones share them, and changes count from the next call.
///
/// A token's rule comes before the meaning the token has by itself, and that before the rule
/// for everybody else.
#[derive(Debug, Clone, Default)]
pub struct SandboxRules(Arc<RwLock<Rules>>);

#[derive(Debug, Default)]
struct Rules {
    everybody: Behaviour,
    by_token: HashMap<String, Behaviour>,
}

impl SandboxRules {
    /// Sets what happens to payments whose token says nothing.
    pub fn set_everybody(&self, behaviour: Behaviour) {
        self.write(|rules| rules.everybody = behaviour);
    }

    /// Sets what happens to payments authorized with `token` from now on.
    pub fn set_token(&self, token: &str, behaviour: Behaviour) {
        self.write(|rules| {
            rules.by_token.insert(token.to_owned(), behaviour);
        });
    }

    /// Forgets every rule set so far.
    pub fn clear(&self) {
        self.write(|rules| *rules = Rules::default());
    }

    /// What a token asks for; `None` when neither a rule nor its name says.
    pub(super) fn of_token(&self, token: &str) -> Option<Behaviour> {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let told = rules.by_token.get(token).cloned();
        told.or_else(|| Behaviour::of_token(token))
    }

    pub(super) fn everybody(&self) -> Behaviour {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rules.everybody.clone()
    }

    fn write(&self, change: impl FnOnce(&mut Rules)) {
        // Each change is one assignment, so a poisoned lock still holds sound rules.
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// One fault, for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The call is lost before anything is done.
    LoseRequest,
    /// The work is done and the reply is lost.
    LoseReply,
    Delay {
        ms: u64,
    },
    /// The operation is refused with this code, if this is the first call with its key.
    Refuse {
        code: String,
    },
    /// The reply is `pending` for so long; a webhook tells the outcome then.
    Pending {
        ms: u64,
    },
    /// The webhook goes out this way, if this is the first call with its key.
    Webhook(WebhookManner),
}

/// Draws faults; a simulation's seeded source. Called once at the start of every call.
pub trait SandboxFaults: Send + Sync {
    fn next(&self, operation: Operation, key: &str) -> Fault;
}

/// Draws none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl SandboxFaults for NoFaults {
    fn next(&self, _: Operation, _: &str) -> Fault {
        Fault::None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use super::*;

    #[test]
    fn every_listed_token_is_understood() {
        for (token, _) in TEST_TOKENS {
            for count in ["3", ""] {
                let token = token.replace("_<n>", count).replace("_<ms>", count);
                let token = token.replace('3', "_3");
                assert!(Behaviour::of_token(&token).is_some(), "{token}");
            }
        }
    }

    #[test]
    fn other_tokens_say_nothing() {
        for token in ["", "tok_", "tok_visa", "pm_1", "tok_timeout_", "tok_slow_x", "tok_slowly"] {
            assert_eq!(Behaviour::of_token(token), None, "{token}");
        }
    }

    #[test]
    fn counts_are_read_from_the_token() {
        let lost = Behaviour::of_token("tok_timeout_4").unwrap();
        assert_eq!(lost.lose_replies, 4);
        assert_eq!(Behaviour::of_token("tok_timeout").unwrap().lose_replies, 1);
        assert_eq!(Behaviour::of_token("tok_slow_250").unwrap().delay_ms, 250);
    }

    #[test]
    fn a_rule_for_a_token_comes_before_its_meaning() {
        let rules = SandboxRules::default();
        rules.set_token("tok_decline", Behaviour::default());
        assert_eq!(rules.of_token("tok_decline"), Some(Behaviour::default()));
        rules.clear();
        assert!(rules.of_token("tok_decline").unwrap().decline.is_some());
    }
}
