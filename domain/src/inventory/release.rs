//! Gives held units back to sale.

use super::movements::{draw, units_of};
use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{OrderId, Quantity};

/// Releases from the last allocation backwards, so that the warehouse preferred for shipping
/// keeps its units longest. Nothing held means it was released already.
pub(super) fn decide(
    state: &InventoryState,
    order_id: OrderId,
    units: Option<Quantity>,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    let Some(held) = state.holds.get(&order_id) else {
        return Ok(vec![]);
    };
    let allocations = match units {
        None => held.clone(),
        Some(units) if u64::from(units.get()) > units_of(held) => {
            return Err(InventoryRejection::NotHeld {
                order_id,
                wanted: units.get(),
                held: units_of(held),
            });
        }
        Some(units) => draw(held.iter().rev(), units.get(), |kept| kept.quantity.get()),
    };
    Ok(vec![InventoryEvent::Released {
        order_id,
        allocations,
    }])
}
