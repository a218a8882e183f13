//! What holds for an order whatever is tried on it.

use proptest::collection::vec;
use proptest::prelude::*;

use super::fixtures::{by, limits, lines, order_of, reason};
use super::{LineUnits, Order, OrderCommand, OrderEvent, OrderState, OrderStatus, PlacedOrder};
use crate::testing::id;
use crate::{Decider, Quantity};

fn orders() -> impl Strategy<Value = PlacedOrder> {
    let amounts = (0_i64..500, 0_i64..500, 0_i64..=100);
    (vec((1_u32..6, 0_i64..1_000), 1..5), amounts).prop_map(
        |(of, (tax, shipping, discount_percent))| {
            let goods: i64 = of.iter().map(|(n, unit)| i64::from(*n) * unit).sum();
            let discount = (goods + tax + shipping) * discount_percent / 100;
            order_of(&of, tax, shipping, discount)
        },
    )
}

fn some_lines() -> impl Strategy<Value = Vec<LineUnits>> {
    vec((0_u32..6, 1_u32..4), 0..4).prop_map(|of| lines(&of))
}

fn commands() -> impl Strategy<Value = OrderCommand> {
    let by = by();
    prop_oneof![
        1 => Just(OrderCommand::Confirm(by.clone())),
        1 => Just(OrderCommand::StartProcessing(by.clone())),
        8 => (0_u128..12, some_lines()).prop_map(|(n, lines)| OrderCommand::Ship {
            shipment_id: id(n), lines, by: self::by(),
        }),
        6 => (0_u128..12).prop_map(|n| OrderCommand::Deliver { shipment_id: id(n), by: self::by() }),
        6 => (0_u128..12, some_lines()).prop_map(|(n, lines)| OrderCommand::Return {
            return_id: id(n), lines, by: self::by(),
        }),
        1 => Just(OrderCommand::Cancel { reason: reason(), by: by.clone() }),
        1 => Just(OrderCommand::Fail { reason: reason(), by }),
    ]
}

/// Decides, checks that the second time is nothing, and folds.
fn run(state: &mut OrderState, command: &OrderCommand) -> Vec<OrderEvent> {
    let Ok(events) = Order::decide(state, command) else {
        return vec![];
    };
    for event in &events {
        check_transition(state, event);
        Order::evolve(state, event);
    }
    assert_eq!(Order::decide(state, command), Ok(vec![]), "{command:?}");
    events
}

/// A transition starts where the order stands and is one the machine has.
fn check_transition(state: &OrderState, event: &OrderEvent) {
    let (previous, new) = match event {
        OrderEvent::Confirmed(t)
        | OrderEvent::ProcessingStarted(t)
        | OrderEvent::Shipped(t)
        | OrderEvent::Delivered(t)
        | OrderEvent::Returned(t) => (t.previous_state, t.new_state),
        OrderEvent::Cancelled(t) | OrderEvent::Failed(t) => (t.previous_state, t.new_state),
        OrderEvent::Placed(_)
        | OrderEvent::LinesShipped { .. }
        | OrderEvent::LinesDelivered { .. }
        | OrderEvent::LinesReturned { .. } => return,
    };
    assert_eq!(state.as_ref().unwrap().status, previous);
    assert!(previous.may_become(new), "{previous} {new}");
}

fn check_units(state: &OrderState) {
    let order = state.as_ref().unwrap();
    for line in order.lines.values() {
        assert!(line.shipped <= line.ordered, "{line:?}");
        assert!(line.delivered <= line.shipped, "{line:?}");
        assert!(line.returned <= line.delivered, "{line:?}");
    }
    let all =
        |of: fn(&super::LineProgress) -> u32| order.units(of) == order.units(|line| line.ordered);
    let (shipped, delivered, returned) =
        (all(|line| line.shipped), all(|line| line.delivered), all(|line| line.returned));
    let (nothing_left, status) = (order.shipments.is_empty(), order.status);
    assert!(
        match status {
            OrderStatus::Pending
            | OrderStatus::Confirmed
            | OrderStatus::Cancelled
            | OrderStatus::Failed => nothing_left,
            OrderStatus::Processing => !shipped,
            OrderStatus::Shipped => shipped && !delivered,
            OrderStatus::Delivered => delivered && !returned,
            OrderStatus::Returned => returned,
        },
        "{order:?}"
    );
}

fn placed(order: &PlacedOrder) -> OrderState {
    let mut state = None;
    let place = OrderCommand::Place { order: Box::new(order.clone()), limits: limits() };
    assert_eq!(run(&mut state, &place).len(), 1);
    state
}

proptest! {
    #[test]
    fn units_never_exceed_and_the_status_follows_them(
        order in orders(),
        commands in vec(commands(), 0..60),
    ) {
        let mut state = placed(&order);
        run(&mut state, &OrderCommand::Confirm(by()));
        for command in &commands {
            run(&mut state, command);
            check_units(&state);
        }
    }

    /// However an order is shipped, delivered and sent back, in whatever parts, the values of
    /// the parts add up to its total.
    #[test]
    fn the_values_of_all_parts_add_up_to_the_total(
        order in orders(),
        ships in vec(some_lines(), 0..10),
        picks in vec((any::<prop::sample::Index>(), 1_u32..4), 0..20),
        early in 0_usize..10,
    ) {
        let mut state = placed(&order);
        run(&mut state, &OrderCommand::Confirm(by()));
        for (n, lines) in (0..).zip(ships) {
            run(&mut state, &OrderCommand::Ship { shipment_id: id(n), lines, by: by() });
            if (n as usize) < early {
                run(&mut state, &OrderCommand::Deliver { shipment_id: id(n), by: by() });
            }
        }
        let mut sum = 0;
        let mut back = |state: &mut OrderState, n: u128, lines: Vec<LineUnits>| {
            let Ok(value) = state.as_ref().unwrap().refund_value(&lines) else { return };
            let return_id = id(n);
            run(state, &OrderCommand::Return { return_id, lines, by: by() });
            assert_eq!(state.as_ref().unwrap().value_of_return(return_id), Some(value));
            assert!(value.minor >= 0);
            sum += value.minor;
        };
        let pick = |(index, quantity): &(prop::sample::Index, u32)| {
            lines(&[(1 + index.index(order.lines.len()) as u32, *quantity)])
        };
        let (before, after) = picks.split_at(picks.len() / 2);
        for (n, picked) in (100..).zip(before) {
            back(&mut state, n, pick(picked));
        }
        let rest = state.as_ref().unwrap().unshipped();
        run(&mut state, &OrderCommand::Ship { shipment_id: id(50), lines: rest, by: by() });
        for n in 0..=50 {
            run(&mut state, &OrderCommand::Deliver { shipment_id: id(n), by: by() });
        }
        for (n, picked) in (200..).zip(after) {
            back(&mut state, n, pick(picked));
        }
        let kept: Vec<_> = state.as_ref().unwrap().lines.iter().filter_map(|(line, progress)| {
            let quantity = Quantity::new(progress.ordered - progress.returned).ok()?;
            Some(LineUnits { line: *line, quantity })
        }).collect();
        back(&mut state, 300, kept);
        prop_assert_eq!(state.as_ref().unwrap().status, OrderStatus::Returned);
        prop_assert_eq!(sum, order.totals.total_minor);
    }
}
