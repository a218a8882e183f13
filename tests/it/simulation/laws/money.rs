//! Money: refunded ≤ captured ≤ authorized ≤ asked for, at every position and never otherwise.

use std::collections::{BTreeMap, BTreeSet};

use domain::order::OrderStatus;
use domain::payment::PaymentEvent;
use schemas::AnyEvent;
use uuid::Uuid;

use super::order::told;
use super::{Broken, Evidence};

/// A payment as its own events tell it; amounts in minor units.
#[derive(Debug, Clone, Default)]
pub(super) struct Purse {
    pub(super) order: Uuid,
    pub(super) amount: i64,
    pub(super) authorized: i64,
    pub(super) captured: i64,
    pub(super) voided: i64,
    pub(super) refunded: i64,
    /// Intended calls and how often each was answered.
    pub(super) calls: BTreeMap<String, u32>,
    pub(super) captures: u32,
    pub(super) refused: BTreeSet<&'static str>,
    pub(super) reference: Option<String>,
}

impl Purse {
    fn apply(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::Initiated { order_id, amount_minor, .. } => {
                self.order = order_id.uuid();
                self.amount = *amount_minor;
            }
            PaymentEvent::AuthorizationRequested { key, .. }
            | PaymentEvent::CaptureRequested { key, .. }
            | PaymentEvent::VoidRequested { key, .. }
            | PaymentEvent::RefundRequested { key, .. } => {
                self.calls.entry(key.clone()).or_default();
            }
            PaymentEvent::Authorized { key, amount_minor, provider_reference, .. } => {
                self.answer(key);
                self.authorized += amount_minor;
                self.reference = Some(provider_reference.clone());
            }
            PaymentEvent::Captured { key, amount_minor, .. } => {
                self.answer(key);
                self.captured += amount_minor;
                self.captures += 1;
            }
            PaymentEvent::Voided { key, amount_minor } => {
                self.answer(key);
                self.voided += amount_minor;
            }
            PaymentEvent::Refunded { key, amount_minor, .. } => {
                self.answer(key);
                self.refunded += amount_minor;
            }
            PaymentEvent::RefundAdopted { amount_minor, .. } => self.refunded += amount_minor,
            PaymentEvent::AuthorizationDeclined { key, .. } => self.refuse(key, "authorize"),
            PaymentEvent::CaptureFailed { key, .. } => self.refuse(key, "capture"),
            PaymentEvent::VoidFailed { key, .. } => self.refuse(key, "void"),
            PaymentEvent::RefundFailed { key, .. } => self.refuse(key, "refund"),
            PaymentEvent::AuthorizationExpired {} => {
                self.voided = self.authorized - self.captured;
            }
        }
    }

    fn answer(&mut self, key: &str) {
        *self.calls.entry(format!("{key}{}", self.unasked(key))).or_default() += 1;
    }

    fn refuse(&mut self, key: &str, operation: &'static str) {
        self.answer(key);
        self.refused.insert(operation);
    }

    fn unasked(&self, key: &str) -> &'static str {
        if self.calls.contains_key(key) { "" } else { " (never asked)" }
    }

    fn in_bounds(&self) -> bool {
        0 <= self.refunded
            && self.refunded <= self.captured
            && self.captured + self.voided <= self.authorized
            && self.authorized <= self.amount
    }
}

pub(super) fn purses(evidence: &Evidence) -> BTreeMap<Uuid, Purse> {
    fold(evidence, |_, _| {})
}

fn fold(evidence: &Evidence, mut look: impl FnMut(u64, &Purse)) -> BTreeMap<Uuid, Purse> {
    let mut purses: BTreeMap<Uuid, Purse> = BTreeMap::new();
    for fact in &evidence.facts {
        if let AnyEvent::Payment(event) = &fact.event {
            let purse = purses.entry(fact.key()).or_default();
            purse.apply(event);
            look(fact.position, purse);
        }
    }
    purses
}

pub(super) fn bounds_hold_at_every_position(evidence: &Evidence, broken: &mut Broken) {
    fold(evidence, |position, purse| {
        if !purse.in_bounds() {
            broken.push(format!("position {position}: {purse:?}"));
        }
    });
}

/// Every intended call was answered, once; none was answered that was not intended.
pub(super) fn every_call_has_one_answer(evidence: &Evidence, broken: &mut Broken) {
    for (id, purse) in purses(evidence) {
        for (key, answers) in &purse.calls {
            if *answers != 1 || key.ends_with("(never asked)") {
                broken.push(format!("payment {id}: {key} has {answers} answers"));
            }
        }
    }
}

/// A confirmed order was paid in full by one capture; one that ended without goods holds no money
/// unless the provider refused to give it back.
pub(super) fn orders_and_money_agree(evidence: &Evidence, broken: &mut Broken) {
    let purses = purses(evidence);
    let mut paid_for: BTreeMap<Uuid, u32> = BTreeMap::new();
    for purse in purses.values() {
        *paid_for.entry(purse.order).or_default() += 1;
    }
    for (id, order) in told(evidence) {
        let total = order.placed.totals.total_minor;
        let Some(payment_id) = order.placed.payment_id else {
            if total != 0 || paid_for.contains_key(&id) {
                broken.push(format!("order {id} of {total} has no payment, or should have none"));
            }
            continue;
        };
        let Some(purse) = purses.get(&payment_id.uuid()) else {
            broken.push(format!("order {id}: payment {payment_id} is not on record"));
            continue;
        };
        if paid_for.get(&id) != Some(&1) || purse.order != id || purse.amount != total {
            broken.push(format!("order {id} of {total}: {paid_for:?} {purse:?}"));
        }
        if purse.captures > 1 {
            broken.push(format!("order {id} was captured {} times", purse.captures));
        }
        if order.was_confirmed && (purse.captured != total || purse.captures != 1) {
            broken.push(format!("order {id} was confirmed on {} of {total}", purse.captured));
        }
        if matches!(order.status, OrderStatus::Failed | OrderStatus::Cancelled) {
            let kept = purse.captured - purse.refunded;
            let set_aside = purse.authorized - purse.captured - purse.voided;
            if kept != 0 && !purse.refused.contains("refund") {
                broken.push(format!("order {id} is {} and {kept} are kept", order.status));
            }
            if set_aside != 0 && !purse.refused.contains("void") {
                broken.push(format!("order {id} is {}: {set_aside} set aside", order.status));
            }
        }
    }
}
