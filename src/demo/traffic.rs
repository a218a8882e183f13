//! Shoppers on the demo shop: one order step by step, then a steady trickle.

use std::time::Duration;

use commands::carts::{self, Shopper};
use commands::{Caller, CommandError};
use domain::{Money, OrderId, Quantity};
use sagas::checkout::{Charges, PayBy, PlaceOrder, ShipTo};
use sagas::engine::{Engine, Settled};
use sagas::fulfilment::{self, Parcel};

use super::{DemoCustomer, DemoError, Shop};

/// How long an order may take to settle before the demo wonders.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first order, for showing.
#[derive(Debug, Clone)]
pub struct FirstOrder {
    pub order_id: OrderId,
    pub lines: usize,
    pub total: Money,
    pub settled: Settled,
    pub took: Duration,
}

/// Two articles into a cart, the order placed, paid and confirmed.
pub async fn first_order(engine: &Engine, shop: &Shop) -> Result<FirstOrder, DemoError> {
    let started = std::time::Instant::now();
    let buyer = shop.customers.first().ok_or_else(|| nothing("customers"))?;
    let (order_id, settled) = buy(engine, shop, buyer, &[0, 13]).await?;
    let took = started.elapsed();
    let read = engine
        .bus()
        .read::<domain::order::Order, _>(order_id, |order| {
            order.as_ref().map(|o| (o.lines.len(), Money::new(o.totals.total_minor, o.currency)))
        })
        .await?;
    let (lines, total) = read.value.ok_or_else(|| nothing("orders"))?;
    Ok(FirstOrder { order_id, lines, total, settled, took })
}

fn nothing(what: &str) -> DemoError {
    DemoError::Generated(format!("no {what}"))
}

/// Orders at about `per_second`, for as long as the future is polled; some are shipped.
pub async fn keep_shopping(engine: Engine, shop: Shop, per_second: f64) {
    let pause = Duration::from_secs_f64(1.0 / per_second.clamp(0.01, 10_000.0));
    for number in 0_usize.. {
        let buyer = shop.customers[number % shop.customers.len()];
        // Neighbours on a shelf are often bought together.
        let first = (number * 5) % shop.skus.len();
        let wanted = [first, (first + 1) % shop.skus.len(), (number * 11) % shop.skus.len()];
        let take = 1 + number % wanted.len();
        match buy(&engine, &shop, &buyer, &wanted[..take]).await {
            Ok((order_id, _)) if number % 3 == 0 => {
                if let Err(error) = ship(&engine, order_id).await {
                    tracing::debug!(%error, "demo: not shipped");
                }
            }
            Ok(_) => {}
            // Sold out and declined cards are part of the show.
            Err(error) => tracing::debug!(%error, "demo: no order"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// One unit of each article into the buyer's cart, the order placed, and its end awaited.
pub async fn buy(
    engine: &Engine,
    shop: &Shop,
    buyer: &DemoCustomer,
    wanted: &[usize],
) -> Result<(OrderId, Settled), DemoError> {
    let by = Caller::named(&format!("customer:{}", buyer.customer_id));
    let shopper = Shopper::customer(buyer.customer_id);
    let bus = engine.bus();
    for index in wanted {
        let sku_id = shop.skus[*index];
        let policy = engine.policy().carts.clone();
        bus.run(&by, move |unit| {
            carts::add_item(unit, &policy, shopper, sku_id, Quantity::ONE, None)
        })
        .await?;
    }
    let order_id: OrderId = bus.new_id();
    let order = PlaceOrder {
        order_id,
        payment_id: bus.new_id(),
        shopper,
        seen_version: None,
        request: None,
        ship_to: ShipTo::Address(buyer.address_id),
        pay_by: PayBy::Method(buyer.payment_method_id),
        guest_contact: None,
        agreed: None,
        charges: Charges::default(),
        reference: None,
    };
    engine.place_order(&by, order).await?;
    let settled = engine.settled(order_id, PATIENCE).await?;
    Ok((order_id, settled.ok_or_else(|| nothing("answer from the payment provider"))?))
}

async fn ship(engine: &Engine, order_id: OrderId) -> Result<(), CommandError> {
    let by = Caller::named("seller:demo");
    let shipment_id = engine.bus().new_id();
    let parcel = Parcel { lines: None, carrier: None, tracking_number: None };
    engine
        .bus()
        .run(&by, move |unit| fulfilment::ship(unit, None, order_id, shipment_id, &parcel))
        .await?;
    engine.bus().run(&by, move |unit| fulfilment::deliver(unit, shipment_id)).await?;
    Ok(())
}
