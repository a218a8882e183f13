//! Every checkout has ended or waits for somebody. One that does neither is reported as pending:
//! it is no contradiction, but nobody is going to move it.
//!
//! Keeps the checkouts under way and their payments' calls without an answer.

use std::collections::HashMap;

use domain::checkout::CheckoutEvent;
use domain::payment::PaymentEvent;
use domain::{OrderId, PaymentId};
use journal::StreamKey;
use schemas::AnyEvent;

use super::findings::Findings;
use super::laws::{Law, Observed};
use super::money::Books;

#[derive(Debug, Default)]
pub struct Liveness {
    under_way: HashMap<OrderId, (PaymentId, u64)>,
    /// Payments of checkouts under way.
    payments: HashMap<PaymentId, Books>,
}

impl Law for Liveness {
    fn name(&self) -> &'static str {
        "liveness"
    }

    fn says(&self) -> &'static str {
        "every checkout has ended or waits for the provider's answer"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        let StreamKey::Uuid(id) = event.recorded.stream.key else { return };
        for said in event.events {
            match said {
                AnyEvent::Payment(said) => {
                    let payment_id = PaymentId::new(id);
                    // A payment begins in the same command as its checkout, and before it.
                    if let PaymentEvent::Initiated { .. } = said {
                        self.payments.insert(payment_id, Books::default());
                    }
                    if let Some(books) = self.payments.get_mut(&payment_id) {
                        let _ = books.apply(said);
                    }
                }
                AnyEvent::Checkout(CheckoutEvent::Started { payment_id, .. }) => {
                    found.checked();
                    let since = event.recorded.position.0;
                    self.under_way.insert(OrderId::new(id), (*payment_id, since));
                }
                AnyEvent::Checkout(CheckoutEvent::Ended { .. }) => {
                    if let Some((payment_id, _)) = self.under_way.remove(&OrderId::new(id)) {
                        self.payments.remove(&payment_id);
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        let mut stuck: Vec<_> = self
            .under_way
            .iter()
            .filter(|(_, (payment, _))| {
                self.payments.get(payment).is_none_or(|books| books.unanswered.is_empty())
            })
            .map(|(order_id, (_, since))| (*since, *order_id))
            .collect();
        stuck.sort_unstable();
        for (since, order_id) in stuck {
            found.pending(format!(
                "checkout-{order_id}: neither ended nor waiting since position {since}"
            ));
        }
    }
}
