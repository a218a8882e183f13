//! What holds for a cart under any run of commands.

use proptest::prelude::*;

use super::samples::*;
use super::*;
use crate::testing::{at, id, units};

type C = CartCommand;

fn command() -> impl Strategy<Value = C> {
    let expires_at = at(100);
    (0..14, 1_u128..6, 1_u32..12, 70_u128..73).prop_map(move |(kind, sku, n, order)| {
        let line = item(sku, n);
        let order_id = id(order);
        match kind {
            0..=3 => add(line),
            4 => C::SetQuantity {
                sku_id: line.sku_id,
                quantity: units(n),
                unit_minor: i64::from(n),
                price_rule: PriceRule::Sale,
                limits: LIMITS,
                expires_at,
            },
            5 => C::RemoveItem { sku_id: line.sku_id, expires_at },
            6 => C::Reprice { items: vec![at_price(line, i64::from(n))], expires_at },
            7 => C::ChangeCurrency {
                currency: if n > 6 { Currency::EUR } else { Currency::GBP },
                items: (1..6).map(|sku| item(sku, n)).collect(),
                expires_at,
            },
            8 => C::Merge {
                cart_id: id(CART),
                owner: owner(),
                currency: Currency::GBP,
                from: id(order),
                items: vec![line, item(sku + 1, n)],
                limits: LIMITS,
                expires_at,
            },
            9..=10 => C::StartCheckout { order_id },
            11 => C::CompleteCheckout { order_id },
            12 => C::ReleaseCheckout { order_id, expires_at },
            _ => C::Expire { now: at(i64::from(n) * 10) },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn limits_hold_refusals_leave_no_trace_and_twice_is_nothing(
        commands in proptest::collection::vec(command(), 0..60)
    ) {
        let mut state = CartState::default();
        let mut given_back = false;
        for command in &commands {
            let was_pending = state.open.as_ref().is_some_and(|cart| cart.pending.is_some());
            let Ok(events) = Cart::decide(&state, command) else { continue };
            for event in &events {
                Cart::evolve(&mut state, event);
                given_back |= matches!(event, CartEvent::CheckoutReleased { .. });
            }
            // Adding means once more; everything else is done once.
            if !matches!(command, C::AddItem { .. }) {
                assert_eq!(Cart::decide(&state, command), Ok(vec![]), "{command:?} twice");
            }
            if was_pending {
                assert!(state.open.is_some(), "a cart with a pending order is there");
            }
            if let Some(cart) = &state.open {
                // Lines given back may exceed the number of lines: nothing is lost.
                assert!(given_back || cart.lines.len() <= LIMITS.lines_max);
                for line in cart.lines.values() {
                    assert!(line.quantity.get() <= LIMITS.line_quantity_max);
                    assert!(line.unit_minor >= 0);
                }
            }
            let text = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<CartState>(&text).unwrap(), state);
        }
    }
}
