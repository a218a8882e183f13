//! What must hold after anything, always; each law is a fold of its own over the raw events and
//! over the provider's own ledger, so that it does not trust the code it judges.

use commands::Snapshot;
use journal::Recorded;
use sha2::{Digest, Sha256};

use super::acknowledged::Acknowledged;
use super::history::{Fact, history};
use super::read_models::{self, Rows};
use super::world::{World, lock};

mod acknowledgements;
mod checkouts;
mod fulfilment;
mod money;
mod order;
mod provider;
mod rebuild;
mod snapshots;
mod stock;
mod stream;
mod verify;

/// What is left of a run, for the laws to look at.
#[derive(Clone)]
pub(crate) struct Evidence {
    pub(crate) events: Vec<Recorded>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) ledger: Vec<Recorded>,
    pub(crate) acknowledged: Acknowledged,
    pub(crate) live: Rows,
    pub(crate) rebuilt: Rows,
    pub(crate) snapshots: Vec<Snapshot>,
}

/// One broken law says what is wrong, in words.
pub(crate) type Broken = Vec<String>;

type Law = fn(&Evidence, &mut Broken);

/// All laws by name.
pub(crate) const LAWS: &[(&str, Law)] = &[
    ("streams are contiguous", stream::versions_are_contiguous),
    ("positions increase", stream::positions_increase),
    ("no event twice", stream::ids_are_unique),
    ("stock ledger", stock::the_ledger_balances),
    ("no oversell", stock::nothing_is_promised_twice),
    ("stock of orders", fulfilment::stock_and_orders_agree),
    ("closed orders hold nothing", fulfilment::closed_orders_hold_nothing),
    ("returns", fulfilment::returns_come_back_once),
    ("totals", order::totals_are_exact),
    ("status machine", order::moves_are_legal),
    ("every order settles", order::nothing_stays_pending),
    ("money bounds", money::bounds_hold_at_every_position),
    ("keys", money::every_call_has_one_answer),
    ("paid means captured", money::orders_and_money_agree),
    ("provider agrees", provider::books_agree_with_the_ledger),
    ("provider sound", provider::the_ledger_is_sound),
    ("one order per cart", checkouts::a_completed_cart_is_one_order),
    ("checkouts end as their orders", checkouts::checkouts_end_as_their_orders),
    ("acknowledged is present", acknowledgements::acknowledged_is_present_once),
    ("refused left nothing", acknowledgements::refused_left_nothing),
    ("same key, same answer", acknowledgements::same_key_same_answer),
    ("snapshots", snapshots::a_snapshot_is_as_good_as_its_events),
    ("rebuild", rebuild::rebuilt_is_live),
    ("verify", verify::verify_says_the_same),
];

/// Every breach of every law.
pub(crate) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (name, law) in LAWS {
        let mut broken = Vec::new();
        law(evidence, &mut broken);
        found.extend(broken.into_iter().map(|what| format!("{name}: {what}")));
    }
    found
}

impl Evidence {
    pub(crate) fn of(world: &World) -> Self {
        let events = world.storage.events();
        let mut evidence = Self {
            facts: history(&events),
            events,
            ledger: world.ledger.events(),
            acknowledged: lock(&world.acknowledged).clone(),
            live: Rows::new(),
            rebuilt: Rows::new(),
            snapshots: world.snapshots.all(),
        };
        if world.setting.read_models {
            evidence.live = world.read_models.rows(&world.storage);
            evidence.rebuilt = read_models::rebuilt(&world.storage);
        }
        evidence
    }

    /// Digest of the log and the ledger: the same seed gives the same.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for event in self.events.iter().chain(&self.ledger) {
            hash.update(event.stream.to_string());
            hash.update(event.event_type.as_str());
            hash.update(event.payload.as_bytes());
            hash.update(event.occurred.to_rfc3339());
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
