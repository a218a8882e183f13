//! Reading the sandbox's ledger from outside, to hold the payments on record against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::payment::Operation;
use domain::{Currency, OrderId, PaymentId};
use journal::{Journal, JournalError, Position, Recorded};

use super::account::{Account, Answered, Moved, Opened, Outcome};
use super::ledger::{ACCOUNT, ANSWERED, ANSWERED_OWING, MOVED, OPENED, decode, read_account};

const PAGE_EVENTS: usize = 2_000;

/// One payment in the provider's books; amounts in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentTotals {
    pub provider_reference: String,
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub currency: Currency,
    pub authorized_minor: i64,
    pub captured_minor: i64,
    pub voided_minor: i64,
    pub refunded_minor: i64,
    /// How often money moved for each key; anything but 1 is a fault of the provider.
    pub operations: BTreeMap<String, (Operation, u32)>,
}

/// Reads totals out of a sandbox's ledger.
#[derive(Clone)]
pub struct LedgerReader {
    journal: Arc<dyn Journal>,
}

impl LedgerReader {
    /// A reader of the ledger kept in `journal`, whether or not a sandbox runs on it.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal }
    }

    /// One payment's amounts, without the keys: a read of one short stream.
    ///
    /// # Errors
    /// As the journal fails, or `Corrupt`.
    pub async fn payment(
        &self,
        provider_reference: &str,
    ) -> Result<Option<PaymentTotals>, JournalError> {
        let account = read_account(self.journal.as_ref(), provider_reference).await?;
        Ok(account.map(|account| totals_of(provider_reference, &account)))
    }

    /// All payments by provider reference: memory grows with their number.
    ///
    /// # Errors
    /// As the journal fails, or `Corrupt`.
    pub async fn totals(&self) -> Result<BTreeMap<String, PaymentTotals>, JournalError> {
        Ok(self.fold().await?.totals)
    }

    /// What contradicts itself in the ledger; nothing, if the provider is sound: an operation
    /// done twice, refunded > captured, captured + voided > authorized, or an answer without its
    /// movement and the other way round.
    ///
    /// # Errors
    /// As the journal fails, or `Corrupt`.
    pub async fn contradictions(&self) -> Result<Vec<String>, JournalError> {
        let fold = self.fold().await?;
        let mut found = Vec::new();
        for (reference, totals) in &fold.totals {
            if totals.refunded_minor > totals.captured_minor {
                found.push(format!("{reference}: more refunded than captured"));
            }
            if totals.captured_minor + totals.voided_minor > totals.authorized_minor {
                found.push(format!("{reference}: more captured and voided than authorized"));
            }
            for (key, (_, times)) in &totals.operations {
                if *times != 1 {
                    found.push(format!("{reference}: {key} was done {times} times"));
                }
            }
        }
        for (key, balance) in &fold.unmatched {
            found.push(format!("{key}: answer and movement differ by {balance}"));
        }
        Ok(found)
    }

    async fn fold(&self) -> Result<Fold, JournalError> {
        let mut fold = Fold::default();
        let mut after = Position(0);
        loop {
            let page = self.journal.read_all(after, PAGE_EVENTS).await?;
            for recorded in &page {
                after = recorded.position;
                fold.apply(recorded)?;
            }
            if page.is_empty() {
                return Ok(fold);
            }
        }
    }
}

#[derive(Default)]
struct Fold {
    totals: BTreeMap<String, PaymentTotals>,
    /// Answered less moved, per key, where the two differ so far.
    unmatched: BTreeMap<String, i64>,
}

impl Fold {
    fn apply(&mut self, recorded: &Recorded) -> Result<(), JournalError> {
        let event_type = recorded.event_type;
        if event_type == ANSWERED || event_type == ANSWERED_OWING {
            let answered: Answered = decode(recorded)?;
            if let Outcome::Succeeded { amount_minor, .. } = answered.outcome {
                self.balance(&answered.key, amount_minor);
            }
        } else if event_type == OPENED && recorded.stream.category == ACCOUNT {
            let opened: Opened = decode(recorded)?;
            self.balance(&opened.key, -opened.authorized_minor);
            let reference = recorded.stream.key.to_string();
            let key = opened.key.clone();
            let mut totals = totals_of(&reference, &Account::new(opened));
            totals.operations.insert(key, (Operation::Authorize, 1));
            self.totals.insert(reference, totals);
        } else if event_type == MOVED && recorded.stream.category == ACCOUNT {
            let moved: Moved = decode(recorded)?;
            self.balance(&moved.key, -moved.amount_minor);
            let reference = recorded.stream.key.to_string();
            let Some(totals) = self.totals.get_mut(&reference) else {
                return Err(JournalError::Corrupt {
                    at: Some(recorded.position),
                    problem: format!("{reference} moves money before it is opened"),
                });
            };
            let sum = match moved.operation {
                Operation::Authorize => &mut totals.authorized_minor,
                Operation::Capture => &mut totals.captured_minor,
                Operation::Void => &mut totals.voided_minor,
                Operation::Refund => &mut totals.refunded_minor,
            };
            *sum = sum.saturating_add(moved.amount_minor);
            let (_, times) = totals.operations.entry(moved.key).or_insert((moved.operation, 0));
            *times += 1;
        }
        Ok(())
    }

    fn balance(&mut self, key: &str, amount_minor: i64) {
        let balance = self.unmatched.remove(key).unwrap_or(0).saturating_add(amount_minor);
        if balance != 0 {
            self.unmatched.insert(key.to_owned(), balance);
        }
    }
}

fn totals_of(reference: &str, account: &Account) -> PaymentTotals {
    PaymentTotals {
        provider_reference: reference.to_owned(),
        order_id: account.opened.owner.order_id,
        payment_id: account.opened.owner.payment_id,
        currency: account.opened.currency,
        authorized_minor: account.opened.authorized_minor,
        captured_minor: account.captured_minor,
        voided_minor: account.voided_minor,
        refunded_minor: account.refunded_minor,
        operations: BTreeMap::new(),
    }
}
