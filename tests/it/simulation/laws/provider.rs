//! The provider's own ledger, read as raw JSON, held against the payments on record.

use std::collections::BTreeMap;

use serde_json::Value;

use super::money::purses;
use super::{Broken, Evidence};

/// One account in the provider's books; amounts in minor units.
#[derive(Debug, Default, Clone)]
struct Account {
    payment_id: String,
    authorized: i64,
    moved: BTreeMap<String, i64>,
    /// How often money moved for each key.
    keys: BTreeMap<String, u32>,
}

impl Account {
    fn sum(&self, operation: &str) -> i64 {
        self.moved.get(operation).copied().unwrap_or(0)
    }
}

fn text(payload: &Value, field: &str) -> String {
    payload.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(payload: &Value, field: &str) -> i64 {
    payload.get(field).and_then(Value::as_i64).unwrap_or(0)
}

fn accounts(evidence: &Evidence) -> BTreeMap<String, Account> {
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    for event in &evidence.ledger {
        let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
        let reference = event.stream.key.to_string();
        match event.event_type.as_str() {
            "sandbox.opened" => {
                let account = accounts.entry(reference).or_default();
                account.payment_id = text(&payload, "payment_id");
                account.authorized += number(&payload, "authorized_minor");
                *account.keys.entry(text(&payload, "key")).or_default() += 1;
            }
            "sandbox.moved" => {
                let account = accounts.entry(reference).or_default();
                let operation = text(&payload, "operation");
                *account.moved.entry(operation).or_default() += number(&payload, "amount_minor");
                *account.keys.entry(text(&payload, "key")).or_default() += 1;
            }
            _ => {}
        }
    }
    accounts
}

/// Each payment's amounts are the same in both books, and neither has what the other has not.
pub(super) fn books_agree_with_the_ledger(evidence: &Evidence, broken: &mut Broken) {
    let accounts = accounts(evidence);
    let mut at_provider: BTreeMap<String, Vec<&Account>> = BTreeMap::new();
    for account in accounts.values() {
        at_provider.entry(account.payment_id.clone()).or_default().push(account);
    }
    for (id, purse) in purses(evidence) {
        let theirs = at_provider.remove(&id.to_string()).unwrap_or_default();
        let sum = |operation: &str| -> i64 { theirs.iter().map(|a| a.sum(operation)).sum() };
        let authorized: i64 = theirs.iter().map(|account| account.authorized).sum();
        let said = (purse.authorized, purse.captured, purse.voided, purse.refunded);
        let did = (authorized, sum("capture"), sum("void"), sum("refund"));
        if said != did || theirs.len() > 1 {
            broken.push(format!(
                "payment {id}: the books say {said:?}, the provider {did:?} \
                 (authorized, captured, voided, refunded)"
            ));
        }
    }
    for payment_id in at_provider.keys() {
        broken.push(format!("the provider moved money for {payment_id}, which nobody knows"));
    }
}

pub(super) fn the_ledger_is_sound(evidence: &Evidence, broken: &mut Broken) {
    for (reference, account) in accounts(evidence) {
        let (captured, voided) = (account.sum("capture"), account.sum("void"));
        let refunded = account.sum("refund");
        if refunded > captured || captured + voided > account.authorized {
            broken.push(format!("{reference}: {account:?}"));
        }
        for (key, times) in account.keys.iter().filter(|(_, times)| **times != 1) {
            broken.push(format!("{reference}: {key} moved money {times} times"));
        }
        let captures = account.keys.keys().filter(|key| key.contains(":capture:")).count();
        if captures > 1 {
            broken.push(format!("{reference} was captured {captures} times"));
        }
    }
}
