//! Stock is one ledger per SKU and warehouse: what came in is on hand, shipped or written off,
//! and no more is promised than is there.
//!
//! The events are folded here anew, in 64 bits and without the decider's help; then the decider's
//! own fold must say the same. Keeps, per SKU, eight counters a warehouse, the live holds and the
//! live soft holds, twice; nothing that has ended.

use std::collections::HashMap;

use domain::inventory::{Inventory, InventoryEvent, InventoryState, Recent};
use domain::{Decider, Timestamp, WarehouseId};
use journal::{Recorded, StreamId};
use schemas::AnyEvent;

use super::findings::{Findings, Place};
use super::laws::{Law, Observed};
use super::stock_ledger::Ledger;

#[derive(Default)]
pub struct Stock {
    skus: HashMap<StreamId, Sku>,
    /// SKUs that the command in sight has touched.
    touched: Vec<Touched>,
}

#[derive(Default)]
struct Sku {
    ledger: Ledger,
    decider: InventoryState,
}

/// What one command did to one SKU.
pub(super) struct Touched {
    stream: StreamId,
    pub(super) place: Place,
    pub(super) occurred: Timestamp,
    pub(super) warehouses: Vec<WarehouseId>,
    /// Warehouses counted, and the shortage each count declared.
    pub(super) shortages: Vec<(WarehouseId, u32)>,
    /// Whether units were promised to an order or a cart that were not before.
    pub(super) promised: bool,
}

impl Touched {
    fn warehouse(&mut self, id: WarehouseId) {
        if !self.warehouses.contains(&id) {
            self.warehouses.push(id);
        }
    }

    fn note(&mut self, recorded: &Recorded, event: &InventoryEvent) {
        use InventoryEvent as E;
        self.place.position = recorded.position;
        self.occurred = recorded.occurred;
        match event {
            E::Opened { .. } | E::PolicyChanged { .. } | E::SoftReleased { .. } => {}
            E::SoftHeld { .. } => self.promised = true,
            E::Held { allocations, .. } => {
                self.promised = true;
                allocations.iter().for_each(|part| self.warehouse(part.warehouse_id));
            }
            E::Released { allocations, .. } | E::Shipped { allocations, .. } => {
                allocations.iter().for_each(|part| self.warehouse(part.warehouse_id));
            }
            E::Counted { warehouse_id, shortage, .. } => {
                self.shortages.push((*warehouse_id, *shortage));
                self.warehouse(*warehouse_id);
            }
            E::Received { warehouse_id, .. }
            | E::WrittenOff { warehouse_id, .. }
            | E::UnavailableSet { warehouse_id, .. }
            | E::Returned { warehouse_id, .. } => self.warehouse(*warehouse_id),
        }
    }
}

impl Law for Stock {
    fn name(&self) -> &'static str {
        "stock"
    }

    fn says(&self) -> &'static str {
        "received + returned = on hand + shipped + written off, and no more is promised than is on hand"
    }

    fn observe(&mut self, event: &Observed<'_>, found: &mut Findings) {
        for said in event.events {
            if let AnyEvent::Inventory(said) = said {
                self.moved(event.recorded, said, found);
            }
        }
    }

    fn unit_ended(&mut self, found: &mut Findings) {
        for touched in std::mem::take(&mut self.touched) {
            if let Some(sku) = self.skus.get_mut(&touched.stream) {
                sku.ledger.settle(&touched, found);
                agrees(sku, &touched, found);
            }
        }
    }
}

impl Stock {
    fn moved(&mut self, recorded: &Recorded, event: &InventoryEvent, found: &mut Findings) {
        found.checked();
        let sku = self.skus.entry(recorded.stream.clone()).or_default();
        sku.ledger.apply(recorded, event, found);
        Inventory::evolve(&mut sku.decider, event);
        // What makes repeats harmless is of no use here and would grow with the SKU's age.
        sku.decider.returns = Recent::default();
        sku.decider.receipts = Recent::default();
        sku.decider.ended_holds = Recent::default();

        let known = self.touched.iter().position(|touched| touched.stream == recorded.stream);
        let index = known.unwrap_or_else(|| {
            self.touched.push(Touched {
                stream: recorded.stream.clone(),
                place: Place::of(recorded),
                occurred: recorded.occurred,
                warehouses: Vec::new(),
                shortages: Vec::new(),
                promised: false,
            });
            self.touched.len() - 1
        });
        self.touched[index].note(recorded, event);
    }
}

/// The decider's fold says what the independent one says.
fn agrees(sku: &Sku, touched: &Touched, found: &mut Findings) {
    for warehouse_id in &touched.warehouses {
        let own = sku.ledger.counts(*warehouse_id);
        let decided = sku.decider.warehouses.get(warehouse_id).copied().unwrap_or_default();
        let decided = [
            i128::from(decided.received),
            i128::from(decided.returned),
            i128::from(decided.shipped),
            i128::from(decided.written_off),
            i128::from(decided.on_hand),
            i128::from(decided.held),
            i128::from(decided.unavailable),
        ];
        let own = own.in_order().map(i128::from);
        if own != decided {
            let names = "received, returned, shipped, written off, on hand, held, unavailable";
            found.violation(
                &touched.place,
                format!("warehouse {warehouse_id}: {names} = {own:?}"),
                format!("the decider's fold says {decided:?}"),
            );
        }
    }
}
