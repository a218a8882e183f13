//! What the engine told its callers, kept outside of it: what was acknowledged must be found in
//! the log exactly once, and what was refused must have left nothing.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CartId, OrderId, RefundId, ReturnId, ShipmentId};

/// An answer to one attempt at placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placing {
    /// The order that the answer named, which is another one's where the key was used before.
    Done {
        order_id: OrderId,
    },
    Refused {
        code: String,
    },
    /// No answer, or one that says that it is not known.
    Unknown,
}

/// Every answer that somebody got.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acknowledged {
    /// By the id the attempt would have given its order.
    pub(crate) placings: BTreeMap<OrderId, Placing>,
    /// The orders answered to each request key.
    pub(crate) answers: BTreeMap<String, BTreeSet<OrderId>>,
    /// Versions of carts that an edit was said to have led to.
    pub(crate) carts: BTreeMap<CartId, u64>,
    pub(crate) cancelled: BTreeSet<OrderId>,
    pub(crate) shipments: BTreeMap<ShipmentId, OrderId>,
    pub(crate) delivered: BTreeSet<ShipmentId>,
    pub(crate) returns: BTreeMap<ReturnId, OrderId>,
    pub(crate) received: BTreeSet<ReturnId>,
    pub(crate) refunds: BTreeMap<RefundId, OrderId>,
    /// The shipments, returns and refunds answered to each request key.
    pub(crate) other_answers: BTreeMap<String, BTreeSet<String>>,
    /// The furthest position that any answer rested on.
    pub(crate) position: u64,
    /// Answers by what they were, for the report.
    pub(crate) tally: BTreeMap<String, u64>,
}

impl Acknowledged {
    pub(crate) fn count(&mut self, what: &str) {
        *self.tally.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn rests_on(&mut self, position: journal::Position) {
        self.position = self.position.max(position.0);
    }

    /// The orders that somebody was told about, in a fixed order.
    pub(crate) fn orders(&self) -> Vec<OrderId> {
        let done = self.placings.values().filter_map(|placing| match placing {
            Placing::Done { order_id } => Some(*order_id),
            Placing::Refused { .. } | Placing::Unknown => None,
        });
        done.collect::<BTreeSet<_>>().into_iter().collect()
    }
}
