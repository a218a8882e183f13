//! Sets units aside for a cart, for a while, within the policy and what is available.

use super::{InventoryEvent, InventoryRejection, InventoryState};
use crate::{CartId, Quantity, Timestamp};

/// How many holds past their time one command releases on the way.
const PAST_RELEASED_MAX: usize = 32;

/// Sets aside as many of `units` as it may, which can be none; putting something into a cart
/// never fails for want of a soft hold. The same units again do not prolong the hold, so no
/// client keeps stock from others by asking over and over.
pub(super) fn decide(
    state: &InventoryState,
    cart_id: CartId,
    units: u32,
    now: Timestamp,
    cart_expires_at: Timestamp,
) -> Result<Vec<InventoryEvent>, InventoryRejection> {
    let placed = state.soft_holds.get(cart_id);
    let wanted = within_limits(state, cart_id, units, now).and_then(|(quantity, ttl)| {
        let expires_at = now.checked_add_signed(ttl)?.min(cart_expires_at);
        (now < expires_at).then_some((quantity, expires_at))
    });
    let Some((quantity, expires_at)) = wanted else {
        return Ok(placed.map(|_| InventoryEvent::SoftReleased { cart_id }).into_iter().collect());
    };
    if placed.is_some_and(|hold| hold.units == quantity.get() && now < hold.expires_at) {
        return Ok(vec![]);
    }
    let mut events = vec![InventoryEvent::SoftHeld { cart_id, quantity, expires_at }];
    events.extend(release_past(state, now, Some(cart_id)));
    Ok(events)
}

/// Ends some of the holds past their time. They no longer count anyway; this keeps them few.
pub(super) fn release_past(
    state: &InventoryState,
    now: Timestamp,
    except: Option<CartId>,
) -> impl Iterator<Item = InventoryEvent> {
    state
        .soft_holds
        .past(now)
        .filter(move |cart_id| Some(*cart_id) != except)
        .take(PAST_RELEASED_MAX)
        .map(|cart_id| InventoryEvent::SoftReleased { cart_id })
}

/// The units the cart may set aside and how long; `None` if there are none.
fn within_limits(
    state: &InventoryState,
    cart_id: CartId,
    units: u32,
    now: Timestamp,
) -> Option<(Quantity, chrono::TimeDelta)> {
    let policy = state.policy.soft_hold?;
    let others = state.soft_holds.units(now, Some(cart_id));
    let within_total = u64::from(policy.total_max).saturating_sub(others);
    let available = if state.policy.backorder {
        u64::MAX
    } else {
        u64::try_from(state.available_total_for(now, Some(cart_id))).unwrap_or(0)
    };
    let units = u64::from(units.min(policy.cart_max)).min(within_total).min(available);
    let quantity = Quantity::new(u32::try_from(units).ok()?).ok()?;
    let ttl = chrono::TimeDelta::seconds(i64::from(policy.ttl_seconds));
    Some((quantity, ttl))
}

#[cfg(test)]
mod tests {
    use crate::inventory::InventoryCommand;
    use crate::inventory::samples::*;
    use crate::testing::{at, id};

    fn set(cart: u128, units: u32, now: i64) -> InventoryCommand {
        InventoryCommand::SetSoftHold {
            cart_id: id(cart),
            units,
            now: at(now),
            cart_expires_at: at(1_000),
        }
    }

    #[test]
    fn without_a_policy_nothing_is_set_aside() {
        stocked(5, 0).when(set(50, 2, 0)).then_nothing();
    }

    #[test]
    fn units_are_set_aside_up_to_each_limit() {
        stocked(9, 0)
            .and([soft_policy()])
            .when(set(50, 7, 0)) // at most 5 a cart
            .then_once([soft_held(50, 5, 100)])
            .when(set(51, 5, 0)) // at most 8 in all
            .then_once([soft_held(51, 3, 100)])
            .when(set(52, 1, 0))
            .then_nothing();
        stocked(2, 0)
            .and([soft_policy()])
            .when(set(50, 5, 0)) // at most what is available
            .then_once([soft_held(50, 2, 100)]);
    }

    #[test]
    fn a_soft_hold_ends_no_later_than_its_cart() {
        stocked(9, 0)
            .and([soft_policy()])
            .when(set(50, 1, 950))
            .then_once([soft_held(50, 1, 1_000)])
            .when(set(51, 1, 1_000))
            .then_nothing();
    }

    #[test]
    fn the_same_units_again_do_not_prolong_the_hold() {
        stocked(9, 0)
            .and([soft_policy(), soft_held(50, 2, 100)])
            .when(set(50, 2, 99))
            .then_nothing()
            .when(set(50, 2, 100))
            .then_once([soft_held(50, 2, 200)]);
    }

    #[test]
    fn a_changed_quantity_replaces_the_hold_and_none_ends_it() {
        let none = stocked(9, 0)
            .and([soft_policy(), soft_held(50, 2, 100)])
            .when(set(50, 3, 50))
            .then_once([soft_held(50, 3, 150)])
            .when(set(50, 0, 60))
            .then_once([soft_released(50)]);
        assert_eq!(none.state().available_total(at(60)), 9);
    }

    #[test]
    fn others_holds_past_their_time_are_released_on_the_way() {
        let past = (60..160).map(|cart| soft_held(cart, 1, 10));
        let after = stocked(500, 0).and([soft_policy()]).and(past).and([soft_held(50, 1, 500)]);
        assert_eq!(after.state().available_total(at(10)), 499);
        let when = after.when(set(51, 1, 10));
        assert_eq!(when.outcome().as_ref().unwrap().len(), 33);
    }
}
