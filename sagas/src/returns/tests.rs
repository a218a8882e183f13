//! What may come back, when it is asked for.

use std::sync::Arc;

use commands::{Bus, BusOptions, Caller, CommandError, NoSnapshots, SystemClock, SystemIds};
use domain::order::{Actor, OrderEvent, OrderLine, OrderTotals, PlacedOrder};
use domain::pricing::PriceRule;
use domain::{Currency, Quantity, ShipmentId};
use journal::MemoryJournal;

use super::*;

fn units(line: LineNumber, quantity: u32) -> LineUnits {
    LineUnits { line, quantity: Quantity::new(quantity).unwrap() }
}

/// An order of three units of one line, of which two have arrived.
async fn two_of_three_delivered() -> (Bus, OrderId) {
    let (bus, desk) = Bus::new(
        Arc::new(MemoryJournal::new()),
        Arc::new(NoSnapshots),
        Arc::new(SystemClock),
        Arc::new(SystemIds::seeded(1)),
        BusOptions::default(),
    );
    tokio::spawn(desk);
    let order_id: OrderId = bus.new_id();
    let line = OrderLine {
        line: 1,
        sku_id: bus.new_id(),
        product_id: bus.new_id(),
        seller_id: bus.new_id(),
        name: "Kettle".to_owned(),
        quantity: Quantity::new(3).unwrap(),
        unit_minor: 0,
        price_rule: PriceRule::Agreed,
    };
    let placed = PlacedOrder {
        order_id,
        cart_id: bus.new_id(),
        customer_id: None,
        currency: Currency::GBP,
        lines: vec![line],
        totals: OrderTotals {
            lines_minor: 0,
            tax_minor: 0,
            shipping_minor: 0,
            discount_minor: 0,
            total_minor: 0,
        },
        shipping_address: None,
        guest_contact: None,
        payment_method_id: None,
        payment_id: None,
        reference: None,
        placed_at: bus.now(),
        actor: Actor::system(),
    };
    let shipment_id: ShipmentId = bus.new_id();
    let lines = vec![units(1, 2)];
    let events = vec![
        OrderEvent::Placed(Box::new(placed)),
        OrderEvent::LinesShipped { shipment_id, lines: lines.clone() },
        OrderEvent::LinesDelivered { shipment_id, lines },
    ];
    let caller = Caller::system();
    bus.run(&caller, move |unit| unit.record::<Order>(&order_id, events.clone())).await.unwrap();
    (bus, order_id)
}

async fn ask(bus: &Bus, order_id: OrderId, quantity: u32) -> Result<ReturnId, u64> {
    let wanted = ReturnRequest {
        return_id: None,
        order_id,
        lines: vec![units(1, quantity)],
        reason: ReturnReason::Damaged,
        note: String::new(),
    };
    match bus.run(&Caller::system(), move |unit| request(unit, None, &wanted)).await {
        Ok(done) => Ok(done.value.value),
        Err(CommandError::Refused(refused)) if refused.code == "not_returnable" => {
            Err(refused.details["returnable"].as_u64().unwrap())
        }
        Err(other) => panic!("{other}"),
    }
}

async fn rma(bus: &Bus, return_id: ReturnId) -> String {
    let number = |record: &Option<_>| {
        let record: &domain::product_return::ReturnOnRecord = record.as_ref().unwrap();
        record.rma_number.clone()
    };
    bus.read::<ProductReturn, _>(return_id, number).await.unwrap().value
}

#[tokio::test]
async fn units_on_their_way_back_cannot_be_sent_back_again() {
    let (bus, order_id) = two_of_three_delivered().await;
    let first = ask(&bus, order_id, 1).await.unwrap();
    assert_eq!(ask(&bus, order_id, 2).await, Err(1));
    let second = ask(&bus, order_id, 1).await.unwrap();
    assert_eq!(ask(&bus, order_id, 1).await, Err(0));
    assert_ne!(first, second);
    assert_ne!(rma(&bus, first).await, rma(&bus, second).await);
}

#[tokio::test]
async fn units_of_a_return_that_was_turned_down_can_be_sent_back_after_all() {
    let (bus, order_id) = two_of_three_delivered().await;
    let return_id = ask(&bus, order_id, 2).await.unwrap();
    let reject = ReturnCommand::Reject { note: "too late".to_owned() };
    bus.execute::<ProductReturn>(&Caller::system(), return_id, reject).await.unwrap();
    let again = ask(&bus, order_id, 2).await.unwrap();
    assert_ne!(again, return_id);
}
