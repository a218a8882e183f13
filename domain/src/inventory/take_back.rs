//! Takes returned units back, once for each return.

use super::receive::on_hand_stays_countable;
use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{BrokenRule, OrderId, Quantity, ReturnId, WarehouseId};

/// `goods` are the units that can be sold again and those that cannot. That the order ever
/// shipped them is the return's to know.
pub(super) fn decide(
    state: &InventoryState,
    order_id: OrderId,
    return_id: ReturnId,
    warehouse_id: WarehouseId,
    goods: (u32, u32),
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    let (resellable, scrapped) = goods;
    let units = u64::from(resellable) + u64::from(scrapped);
    if !(1..=u64::from(Quantity::MAX)).contains(&units) {
        let expected = format!("1 to {} units", Quantity::MAX);
        return Err(BrokenRule::new("resellable", expected, units.to_string()).into());
    }
    match state.returns.get(&return_id) {
        Some(taken) if *taken == goods => return Ok(vec![]),
        Some((resellable, scrapped)) => {
            return Err(InventoryRejection::TakenBackOtherwise {
                return_id,
                resellable: *resellable,
                scrapped: *scrapped,
            });
        }
        None => {}
    }
    on_hand_stays_countable(state, warehouse_id, resellable)?;
    Ok(vec![InventoryEvent::Returned { order_id, return_id, warehouse_id, resellable, scrapped }])
}

#[cfg(test)]
mod tests {
    use crate::inventory::samples::*;
    use crate::inventory::{InventoryCommand, InventoryEvent, InventoryRejection};
    use crate::testing::{at, id};

    fn take_back(resellable: u32, scrapped: u32) -> InventoryCommand {
        InventoryCommand::TakeBack {
            order_id: id(7),
            return_id: id(90),
            warehouse_id: id(SOUTH),
            resellable,
            scrapped,
        }
    }

    #[test]
    fn a_return_restocks_once() {
        let back = stocked(1, 0)
            .when(take_back(2, 1))
            .then_once([InventoryEvent::Returned {
                order_id: id(7),
                return_id: id(90),
                warehouse_id: id(SOUTH),
                resellable: 2,
                scrapped: 1,
            }])
            .when(take_back(3, 0))
            .then_rejected(InventoryRejection::TakenBackOtherwise {
                return_id: id(90),
                resellable: 2,
                scrapped: 1,
            });
        assert_eq!(back.state().available_total(at(0)), 3);
        let south = back.state().warehouses[&id(SOUTH)];
        assert_eq!((south.returned, south.written_off), (3, 1));
    }

    #[test]
    fn a_return_has_units() {
        stocked(1, 0)
            .when(take_back(0, 0))
            .then_refused(|r| matches!(r, InventoryRejection::InvalidValue(_)));
    }
}
