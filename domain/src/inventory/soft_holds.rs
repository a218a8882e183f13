//! The soft holds of one SKU: which cart has set aside how many units, and until when.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::SoftHold;
use crate::{CartId, Timestamp};

/// Soft holds by cart. Those past their time no longer count, released or not.
///
/// A running total and an index by expiry are kept beside the holds, so that a question costs as
/// much as there are holds past their time and not released yet; every hold placed releases a few
/// of those, which keeps them few. Only the holds themselves are serialized.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct SoftHolds {
    by_cart: Stored,
    by_expiry: BTreeSet<(Timestamp, CartId)>,
    units: u64,
}

type Stored = BTreeMap<CartId, SoftHold>;

impl SoftHolds {
    /// The hold of a cart, past its time or not.
    #[must_use]
    pub fn get(&self, cart_id: CartId) -> Option<SoftHold> {
        self.by_cart.get(&cart_id).copied()
    }

    /// The units a cart has set aside at `now`.
    #[must_use]
    pub fn units_of(&self, cart_id: CartId, now: Timestamp) -> u32 {
        self.get(cart_id).filter(|hold| now < hold.expires_at).map_or(0, |hold| hold.units)
    }

    /// The units all carts have set aside at `now`, without those of `except`.
    #[must_use]
    pub fn units(&self, now: Timestamp, except: Option<CartId>) -> u64 {
        let past: u64 = self
            .past(now)
            .filter_map(|cart_id| self.by_cart.get(&cart_id))
            .map(|hold| u64::from(hold.units))
            .sum();
        let own = except.map_or(0, |cart_id| u64::from(self.units_of(cart_id, now)));
        self.units.saturating_sub(past).saturating_sub(own)
    }

    /// Carts whose hold is past its time at `now` but not released, the oldest first.
    pub fn past(&self, now: Timestamp) -> impl Iterator<Item = CartId> + '_ {
        self.by_expiry
            .iter()
            .take_while(move |(expires_at, _)| *expires_at <= now)
            .map(|(_, cart_id)| *cart_id)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_cart.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_cart.is_empty()
    }

    pub(super) fn set(&mut self, cart_id: CartId, hold: SoftHold) {
        self.release(cart_id);
        self.units = self.units.saturating_add(u64::from(hold.units));
        self.by_expiry.insert((hold.expires_at, cart_id));
        self.by_cart.insert(cart_id, hold);
    }

    pub(super) fn release(&mut self, cart_id: CartId) {
        if let Some(hold) = self.by_cart.remove(&cart_id) {
            self.by_expiry.remove(&(hold.expires_at, cart_id));
            self.units = self.units.saturating_sub(u64::from(hold.units));
        }
    }
}

impl From<Stored> for SoftHolds {
    fn from(stored: Stored) -> Self {
        let mut holds = Self::default();
        for (cart_id, hold) in stored {
            holds.set(cart_id, hold);
        }
        holds
    }
}

impl From<SoftHolds> for Stored {
    fn from(holds: SoftHolds) -> Self {
        holds.by_cart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, id};

    fn hold(units: u32, until: i64) -> SoftHold {
        SoftHold { units, expires_at: at(until) }
    }

    #[test]
    fn a_hold_counts_until_the_instant_it_expires() {
        let mut holds = SoftHolds::default();
        holds.set(id(1), hold(3, 100));
        holds.set(id(2), hold(4, 200));
        assert_eq!(holds.units(at(99), None), 7);
        assert_eq!(holds.units(at(100), None), 4);
        assert_eq!(holds.units(at(100), Some(id(1))), 4);
        assert_eq!(holds.units(at(99), Some(id(1))), 4);
        assert_eq!(holds.past(at(100)).collect::<Vec<_>>(), [id(1)]);
    }

    #[test]
    fn a_new_hold_of_the_same_cart_replaces_the_old_one() {
        let mut holds = SoftHolds::default();
        holds.set(id(1), hold(3, 100));
        holds.set(id(1), hold(5, 300));
        assert_eq!(holds.units(at(150), None), 5);
        holds.release(id(1));
        assert_eq!(holds, SoftHolds::default());
    }

    #[test]
    fn the_derived_parts_are_worked_out_again_when_read_back() {
        let mut holds = SoftHolds::default();
        holds.set(id(1), hold(3, 100));
        holds.set(id(2), hold(4, 200));
        let text = serde_json::to_string(&holds).unwrap();
        assert_eq!(serde_json::from_str::<SoftHolds>(&text).unwrap(), holds);
    }
}
