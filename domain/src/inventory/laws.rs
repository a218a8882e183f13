//! The ledger's laws under any run of commands.

use proptest::prelude::*;

use super::samples::{NORTH, SOUTH, from};
use super::*;
use crate::testing::{at, id, units};

type C = InventoryCommand;

fn command() -> impl Strategy<Value = C> {
    let place = prop_oneof![Just(NORTH), Just(SOUTH)];
    let order = 0_u128..6;
    let cart = 50_u128..54;
    (0..14, place, order, cart, 1_u32..8, 0_i64..400).prop_map(
        |(kind, place, order, cart, n, second)| {
            let warehouse_id = id(place);
            let reason = "r".to_owned();
            match kind {
                0..=1 => C::Receive {
                    warehouse_id,
                    quantity: units(n),
                    reference: (n > 4).then(|| format!("note {n}")),
                },
                2 => C::Count { warehouse_id, on_hand: n * 2, expected: None, reason },
                3 => C::WriteOff { warehouse_id, quantity: units(n), reason },
                4 => C::SetUnavailable { warehouse_id, unavailable: n - 1, reason },
                5..=6 => C::Hold {
                    order_id: id(order),
                    allocations: if n > 4 {
                        vec![from(NORTH, n - 4), from(SOUTH, n)]
                    } else {
                        vec![from(place, n)]
                    },
                    from_cart: (n % 2 == 0).then(|| id(cart)),
                    now: at(second),
                },
                7 => C::Release { order_id: id(order), units: (n > 4).then(|| units(n - 4)) },
                8..=9 => C::Ship {
                    order_id: id(order),
                    shipment_id: id(order + 100),
                    quantity: units(n),
                    warehouse_id: (n % 2 == 0).then(|| id(place)),
                },
                10 => C::TakeBack {
                    order_id: id(order),
                    return_id: id(order + 200),
                    warehouse_id,
                    resellable: n,
                    scrapped: n % 3,
                },
                11..=12 => C::SetSoftHold {
                    cart_id: id(cart),
                    units: n - 1,
                    now: at(second),
                    cart_expires_at: at(second + 200),
                },
                _ => C::ChangePolicy {
                    policy: StockPolicy {
                        soft_hold: (n > 2).then_some(SoftHoldPolicy {
                            ttl_seconds: 100,
                            cart_max: 4,
                            total_max: 9,
                        }),
                        backorder: false,
                    },
                },
            }
        },
    )
}

/// Commands that mean once more when they come again.
fn adds_up(command: &C) -> bool {
    match command {
        C::Receive { reference, .. } => reference.is_none(),
        C::Release { units, .. } => units.is_some(),
        C::WriteOff { .. } | C::Ship { .. } => true,
        C::Open { .. }
        | C::ChangePolicy { .. }
        | C::Count { .. }
        | C::SetUnavailable { .. }
        | C::Hold { .. }
        | C::TakeBack { .. }
        | C::SetSoftHold { .. } => false,
    }
}

fn the_ledger_balances(state: &InventoryState) {
    for (warehouse_id, stock) in &state.warehouses {
        assert_eq!(
            stock.received + stock.returned,
            u64::from(stock.on_hand) + stock.shipped + stock.written_off,
            "at {warehouse_id}: {stock:?}"
        );
        let held: u64 = state
            .holds
            .values()
            .flatten()
            .filter(|kept| kept.warehouse_id == *warehouse_id)
            .map(|kept| u64::from(kept.quantity.get()))
            .sum();
        assert_eq!(held, u64::from(stock.held), "holds at {warehouse_id}");
    }
    assert!(state.holds.values().all(|held| !held.is_empty()));
}

fn run(commands: &[C], mut check: impl FnMut(&InventoryState, &C)) {
    let mut state = InventoryState::default();
    let open = C::Open { sku_id: id(1), product_id: id(2) };
    for command in std::iter::once(&open).chain(commands) {
        if let Ok(events) = Inventory::decide(&state, command) {
            for event in &events {
                Inventory::evolve(&mut state, event);
            }
            if !adds_up(command) {
                assert_eq!(Inventory::decide(&state, command), Ok(vec![]), "{command:?}");
            }
        }
        check(&state, command);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_ledger_balances_and_nothing_available_is_negative(
        commands in proptest::collection::vec(command(), 0..80)
    ) {
        run(&commands, |state, _| {
            the_ledger_balances(state);
            for second in [0, 200, 400] {
                assert!(state.available_total(at(second)) >= 0);
                assert!(state.available(id(NORTH), at(second), Some(id(50))) >= 0);
            }
        });
    }

    #[test]
    fn without_losses_no_more_is_promised_than_is_there(
        commands in proptest::collection::vec(command(), 0..80)
    ) {
        // A count or a loss can take what was promised; nothing else may.
        let mut commands = commands;
        commands.retain(|c| !matches!(
            c,
            C::Count { .. } | C::WriteOff { .. } | C::SetUnavailable { .. }
        ));
        // Soft holds expire, so time must not run backwards for this law.
        let mut time = 0;
        for command in &mut commands {
            time += 7;
            match command {
                C::Hold { now, .. } => *now = at(time),
                C::SetSoftHold { now, cart_expires_at, .. } => {
                    *now = at(time);
                    *cart_expires_at = at(time + 200);
                }
                _ => {}
            }
        }
        let mut time = 0;
        run(&commands, |state, command| {
            time = match command {
                C::Hold { now, .. } | C::SetSoftHold { now, .. } => (*now - at(0)).num_seconds(),
                _ => time,
            };
            let on_hand: u64 = state.warehouses.values().map(|s| u64::from(s.on_hand)).sum();
            let held: u64 = state.warehouses.values().map(|s| u64::from(s.held)).sum();
            let soft = state.soft_holds.units(at(time), None);
            assert!(held + soft <= on_hand, "{held} held, {soft} soft, {on_hand} on hand");
        });
    }

    #[test]
    fn a_snapshot_is_as_good_as_the_events(
        commands in proptest::collection::vec(command(), 0..40)
    ) {
        run(&commands, |state, _| {
            let text = serde_json::to_string(state).unwrap();
            let read: InventoryState = serde_json::from_str(&text).unwrap();
            assert_eq!(read, *state);
        });
    }

    #[test]
    fn on_backorder_the_ledger_balances_too(
        commands in proptest::collection::vec(command(), 0..60)
    ) {
        let mut commands = commands;
        for command in &mut commands {
            if let C::ChangePolicy { policy } = command {
                policy.backorder = true;
            }
        }
        run(&commands, |state, _| the_ledger_balances(state));
    }
}

#[test]
fn a_flash_sale_sells_exactly_what_is_there() {
    let mut state = InventoryState::default();
    Inventory::evolve(&mut state, &super::samples::opened());
    Inventory::evolve(&mut state, &super::samples::received(NORTH, 1_000));
    let mut winners = 0;
    for buyer in 0..10_000_u128 {
        let hold = super::samples::hold(1_000 + buyer, &[from(NORTH, 1)]);
        if let Ok(events) = Inventory::decide(&state, &hold) {
            winners += 1;
            for event in &events {
                Inventory::evolve(&mut state, event);
            }
        }
    }
    assert_eq!(winners, 1_000);
    the_ledger_balances(&state);
}
