//! Changes how the SKU is sold. Soft holds already placed stay until they expire.

use super::{InventoryEvent, InventoryRejection, InventoryState, StockPolicy};
use crate::BrokenRule;

/// The longest a soft hold lasts: the longest a cart lives.
const SOFT_HOLD_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

pub(super) fn decide(
    state: &InventoryState,
    policy: &StockPolicy,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    if let Some(soft_hold) = policy.soft_hold
        && !(1..=SOFT_HOLD_SECONDS_MAX).contains(&soft_hold.ttl_seconds)
    {
        let expected = format!("1 to {SOFT_HOLD_SECONDS_MAX} seconds");
        let seen = soft_hold.ttl_seconds.to_string();
        return Err(BrokenRule::new("soft_hold.ttl_seconds", expected, seen).into());
    }
    if state.policy == *policy {
        return Ok(vec![]);
    }
    Ok(vec![InventoryEvent::PolicyChanged { policy: *policy }])
}
