//! Refunded ≤ captured ≤ authorized ≤ amount, for every payment at every position; and an answer
//! is on record only where a call was.
//!
//! Keeps five amounts and the calls without an answer per payment: about 150 bytes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use domain::payment::{Operation, PaymentEvent};
use journal::{Recorded, StreamId};
use schemas::AnyEvent;

use super::findings::Findings;
use super::laws::{Law, Observed};

#[derive(Debug, Default)]
pub struct Payments {
    books: HashMap<StreamId, Books>,
}

/// One payment's money, in minor units, folded from raw events.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    pub(super) amount: i64,
    pub(super) authorized: i64,
    pub(super) captured: i64,
    pub(super) voided: i64,
    /// Authorized and lapsed: free again without a call.
    pub(super) lapsed: i64,
    pub(super) refunded: i64,
    /// Calls the provider has not answered.
    pub(super) unanswered: Vec<Call>,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) key: String,
    operation: Operation,
    amount: i64,
}

impl Books {
    /// Adds one event; an answer that no call explains is told as (expected, seen).
    pub(super) fn apply(&mut self, event: &PaymentEvent) -> Result<(), (String, String)> {
        use PaymentEvent as E;
        match event {
            E::Initiated { amount_minor, .. } => {
                self.amount = *amount_minor;
                Ok(())
            }
            E::AuthorizationRequested { key, amount_minor, .. } => {
                self.asked(key, Operation::Authorize, *amount_minor)
            }
            E::CaptureRequested { key, amount_minor, .. } => {
                self.asked(key, Operation::Capture, *amount_minor)
            }
            E::VoidRequested { key, .. } => self.asked(key, Operation::Void, self.held()),
            E::RefundRequested { key, amount_minor, .. } => {
                self.asked(key, Operation::Refund, *amount_minor)
            }
            E::Authorized { key, amount_minor, .. } => {
                self.authorized = self.authorized.saturating_add(*amount_minor);
                self.answered(key, Operation::Authorize, *amount_minor)
            }
            E::Captured { key, amount_minor, .. } => {
                self.captured = self.captured.saturating_add(*amount_minor);
                self.answered(key, Operation::Capture, *amount_minor)
            }
            E::Voided { key, amount_minor } => {
                self.voided = self.voided.saturating_add(*amount_minor);
                self.answered(key, Operation::Void, *amount_minor)
            }
            E::Refunded { key, amount_minor, .. } => {
                self.refunded = self.refunded.saturating_add(*amount_minor);
                self.answered(key, Operation::Refund, *amount_minor)
            }
            E::RefundAdopted { amount_minor, .. } => {
                self.refunded = self.refunded.saturating_add(*amount_minor);
                Ok(())
            }
            E::AuthorizationExpired {} => {
                self.lapsed = self.lapsed.saturating_add(self.held());
                Ok(())
            }
            E::AuthorizationDeclined { key, .. } => self.answered(key, Operation::Authorize, 0),
            E::CaptureFailed { key, .. } => self.answered(key, Operation::Capture, 0),
            E::VoidFailed { key, .. } => self.answered(key, Operation::Void, 0),
            E::RefundFailed { key, .. } => self.answered(key, Operation::Refund, 0),
        }
    }

    /// The first bound that does not hold, as (expected, seen).
    fn broken_bound(&self) -> Option<(String, String)> {
        let Self { amount, authorized, captured, refunded, .. } = *self;
        let freed = self.voided.saturating_add(self.lapsed);
        let broken = |expected: String, seen: String| Some((expected, seen));
        if authorized > amount {
            return broken(format!("authorized at most {amount}"), format!("{authorized}"));
        }
        if captured.saturating_add(freed) > authorized {
            return broken(
                format!("captured and voided at most {authorized}, as authorized"),
                format!("{captured} captured, {freed} voided"),
            );
        }
        if refunded > captured {
            return broken(
                format!("refunded at most {captured}, as captured"),
                format!("{refunded}"),
            );
        }
        if [authorized, captured, freed, refunded].iter().any(|sum| *sum < 0) {
            return broken("no amount below 0".to_owned(), format!("{self:?}"));
        }
        None
    }

    fn held(&self) -> i64 {
        self.authorized
            .saturating_sub(self.captured)
            .saturating_sub(self.voided)
            .saturating_sub(self.lapsed)
            .max(0)
    }

    fn asked(
        &mut self,
        key: &str,
        operation: Operation,
        amount: i64,
    ) -> Result<(), (String, String)> {
        let twice = self.unanswered.iter().any(|call| call.key == key);
        self.unanswered.push(Call { key: key.to_owned(), operation, amount });
        if twice {
            return Err((format!("key {key} used once"), "it waits for an answer".to_owned()));
        }
        Ok(())
    }

    fn answered(
        &mut self,
        key: &str,
        operation: Operation,
        amount: i64,
    ) -> Result<(), (String, String)> {
        let call = self.unanswered.iter().position(|call| call.key == key);
        let Some(call) = call.map(|index| self.unanswered.swap_remove(index)) else {
            let expected = format!("a call {key} without an answer");
            return Err((expected, format!("an answer to {operation}")));
        };
        if call.operation != operation || amount > call.amount {
            return Err((
                format!("an answer to {} of at most {}", call.operation, call.amount),
                format!("{operation} of {amount}"),
            ));
        }
        Ok(())
    }
}

impl Law for Payments {
    fn name(&self) -> &'static str {
        "money"
    }

    fn says(&self) -> &'static str {
        "refunded ≤ captured ≤ authorized ≤ amount, and each call has at most one answer"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        for said in event.events {
            if let AnyEvent::Payment(said) = said {
                self.moved(event.recorded, said, found);
            }
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        for (stream, books) in &self.books {
            for call in &books.unanswered {
                found.pending(format!("{stream}: {} waits for an answer", call.key));
            }
        }
    }
}

impl Payments {
    fn moved(&mut self, recorded: &Recorded, event: &PaymentEvent, found: &mut Findings) {
        found.checked();
        let books = match self.books.entry(recorded.stream.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                found.require(
                    matches!(event, PaymentEvent::Initiated { .. }),
                    recorded,
                    || "a payment that begins by being initiated".to_owned(),
                    || recorded.event_type.to_string(),
                );
                new.insert(Books::default())
            }
        };
        if let Err((expected, seen)) = books.apply(event) {
            found.require(false, recorded, || expected, || seen);
        }
        if let Some((expected, seen)) = books.broken_bound() {
            found.require(false, recorded, || expected, || seen);
        }
    }
}
