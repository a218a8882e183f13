//! Takes in a delivery.

use super::{InventoryEvent, InventoryRejection, InventoryState, Receipt};
use crate::{BrokenRule, Quantity, WarehouseId, rule};

const REFERENCE_CHARS_MAX: usize = 200;

pub(super) fn decide(
    state: &InventoryState,
    warehouse_id: WarehouseId,
    quantity: Quantity,
    reference: Option<&str>,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    if let Some(reference) = reference {
        rule::text("reference", reference, 1..=REFERENCE_CHARS_MAX)?;
        let receipt = Receipt {
            warehouse_id,
            reference: reference.to_owned(),
        };
        match state.receipts.get(&receipt) {
            Some(received) if *received == quantity => return Ok(vec![]),
            Some(received) => {
                return Err(InventoryRejection::ReferenceUsed {
                    reference: receipt.reference,
                    received: received.get(),
                });
            }
            None => {}
        }
    }
    on_hand_stays_countable(state, warehouse_id, quantity.get())?;
    Ok(vec![InventoryEvent::Received {
        warehouse_id,
        quantity,
        reference: reference.map(str::to_owned),
    }])
}

/// Refuses to let on hand grow beyond what a quantity expresses.
pub(super) fn on_hand_stays_countable(
    state: &InventoryState,
    warehouse_id: WarehouseId,
    more: u32,
) -> Result<(), BrokenRule> {
    let on_hand = u64::from(state.at(warehouse_id).on_hand) + u64::from(more);
    if on_hand <= u64::from(Quantity::MAX) {
        return Ok(());
    }
    let expected = format!("no more than makes {} on hand", Quantity::MAX);
    Err(BrokenRule::new("quantity", expected, more.to_string()))
}
