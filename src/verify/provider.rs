//! The payments on record and the provider's own ledger agree, amount by amount.
//!
//! A payment with a call under way may differ and is reported as pending. Beside a running engine
//! either side may have moved on while the other was read; so what differs is looked at again
//! before it is called a violation. Keeps one entry of about 250 bytes per payment.

use std::collections::{BTreeMap, HashMap};

use domain::PaymentId;
use domain::payment::PaymentEvent;
use sagas::payment_gateway::PaymentTotals;
use schemas::AnyEvent;

use super::findings::{Findings, Place};
use super::laws::{Law, Observed};
use super::money::Books;

/// Both sides of one payment as they are now.
pub struct Fresh {
    /// What the journal says of the payment, all its events.
    pub events: Vec<PaymentEvent>,
    /// What the provider says; `None` if it does not know the payment.
    pub totals: Option<PaymentTotals>,
}

/// Looks at one payment again; `None` when it cannot be looked at again.
pub type LookAgain = Box<dyn FnMut(PaymentId, Option<&str>) -> Option<Fresh> + Send>;

/// The law; see the module.
pub struct Agreement {
    /// The provider's name in payments.
    provider: String,
    totals: HashMap<PaymentId, PaymentTotals>,
    books: HashMap<PaymentId, Entry>,
    look_again: LookAgain,
    borne_out: usize,
}

#[derive(Default)]
struct Entry {
    books: Books,
    position: u64,
}

/// How often a difference is looked at again before it counts.
const LOOKS_MAX: usize = 3;
/// Differences looked at again; once so many have been borne out, the rest needs no proof.
const LOOKED_AT_MAX: usize = 20;

enum Compared {
    Agree,
    Pending(String),
    Differ { expected: String, seen: String },
}

impl Agreement {
    /// `totals` MUST have been read before the first event is observed.
    #[must_use]
    pub fn new(
        provider: &str,
        totals: BTreeMap<String, PaymentTotals>,
        look_again: LookAgain,
    ) -> Self {
        let totals = totals.into_values().map(|total| (total.payment_id, total)).collect();
        let (provider, books) = (provider.to_owned(), HashMap::new());
        Self { provider, totals, books, look_again, borne_out: 0 }
    }

    /// For a journal and a ledger that stand still.
    #[must_use]
    pub fn at_rest(provider: &str, totals: BTreeMap<String, PaymentTotals>) -> Self {
        Self::new(provider, totals, Box::new(|_, _| None))
    }

    fn judge(&mut self, payment_id: PaymentId) -> Compared {
        let totals = self.totals.get(&payment_id);
        let reference = totals.map(|totals| totals.provider_reference.clone());
        let mut compared = compare(self.books.get(&payment_id).map(|e| &e.books), totals);
        for _ in 0..LOOKS_MAX {
            if !matches!(compared, Compared::Differ { .. }) || self.borne_out >= LOOKED_AT_MAX {
                break;
            }
            let Some(fresh) = (self.look_again)(payment_id, reference.as_deref()) else { break };
            let mut books = Books::default();
            for event in &fresh.events {
                // What the books say by themselves is judged by the law on money.
                let _ = books.apply(event);
            }
            let books = (!fresh.events.is_empty()).then_some(&books);
            compared = compare(books, fresh.totals.as_ref());
        }
        compared
    }
}

fn compare(books: Option<&Books>, totals: Option<&PaymentTotals>) -> Compared {
    let own = books.map_or([0; 4], |b| [b.authorized, b.captured, b.voided, b.refunded]);
    let theirs = totals.map_or([0; 4], |t| {
        [t.authorized_minor, t.captured_minor, t.voided_minor, t.refunded_minor]
    });
    if own == theirs && (books.is_some() || totals.is_none()) {
        return Compared::Agree;
    }
    if let Some(call) = books.and_then(|books| books.unanswered.first()) {
        return Compared::Pending(format!("{} waits for the provider's answer", call.key));
    }
    let name = |sums: [i64; 4]| {
        let [authorized, captured, voided, refunded] = sums;
        format!(
            "authorized {authorized}, captured {captured}, voided {voided}, refunded {refunded}"
        )
    };
    Compared::Differ { expected: format!("as the provider: {}", name(theirs)), seen: name(own) }
}

impl Law for Agreement {
    fn name(&self) -> &'static str {
        "provider"
    }

    fn says(&self) -> &'static str {
        "the payments on record and the provider's own ledger agree"
    }

    fn observe(&mut self, event: &Observed<'_>, _: &mut Findings) {
        for said in event.events {
            let AnyEvent::Payment(said) = said else { continue };
            let journal::StreamKey::Uuid(id) = event.recorded.stream.key else { continue };
            let payment_id = PaymentId::new(id);
            if let PaymentEvent::Initiated { provider, .. } = said
                && *provider == self.provider
            {
                self.books.insert(payment_id, Entry::default());
            }
            if let Some(entry) = self.books.get_mut(&payment_id) {
                let _ = entry.books.apply(said);
                entry.position = event.recorded.position.0;
            }
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        let mut payments: Vec<PaymentId> =
            self.books.keys().chain(self.totals.keys()).copied().collect();
        payments.sort_unstable();
        payments.dedup();
        for payment_id in payments {
            found.checked();
            let stream = format!("payment-{payment_id}");
            match self.judge(payment_id) {
                Compared::Agree => {}
                Compared::Pending(why) => found.pending(format!("{stream}: {why}")),
                Compared::Differ { expected, seen } => {
                    self.borne_out += 1;
                    let position = self.books.get(&payment_id).map_or(0, |entry| entry.position);
                    let place = Place { position: journal::Position(position), stream };
                    found.violation(&place, expected, seen);
                }
            }
        }
        for totals in self.totals.values() {
            for (key, (operation, times)) in &totals.operations {
                if *times != 1 {
                    let place = Place::outside(format!("payment-{}", totals.payment_id));
                    let expected = format!("{operation} {key} done once by the provider");
                    found.violation(&place, expected, format!("{times} times"));
                }
            }
        }
    }
}
