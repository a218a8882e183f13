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
        let receipt = Receipt { warehouse_id, reference: reference.to_owned() };
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

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryEvent, InventoryRejection};
    use crate::testing::{at, id, units};

    fn receive(quantity: u32, reference: Option<&str>) -> InventoryCommand {
        InventoryCommand::Receive {
            warehouse_id: id(NORTH),
            quantity: units(quantity),
            reference: reference.map(str::to_owned),
        }
    }

    #[test]
    fn a_delivery_with_a_reference_is_taken_in_once() {
        let taken = stocked(0, 0)
            .when(receive(4, Some("note 1")))
            .then_once([InventoryEvent::Received {
                warehouse_id: id(NORTH),
                quantity: units(4),
                reference: Some("note 1".into()),
            }])
            .when(receive(5, Some("note 1")))
            .then_rejected(InventoryRejection::ReferenceUsed {
                reference: "note 1".into(),
                received: 4,
            });
        assert_eq!(taken.state().available_total(at(0)), 4);
    }

    #[test]
    fn without_a_reference_each_delivery_is_another() {
        stocked(4, 0)
            .when(receive(4, None))
            .then([received(NORTH, 4)])
            .when(receive(4, None))
            .then([received(NORTH, 4)]);
    }

    #[test]
    fn on_hand_never_wraps() {
        stocked(crate::Quantity::MAX, 0)
            .when(receive(1, None))
            .then_refused(|r| matches!(r, InventoryRejection::InvalidValue(_)));
    }
}
