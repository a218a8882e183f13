//! Carts, orders, and what follows an order: checkout, shipment, return.

use domain::Currency;
use domain::cart::{CartEvent, CartItem, CartOwner};
use domain::checkout::{CheckoutEvent, CheckoutOutcome};
use domain::order::{
    Actor, EndTransition, LineUnits, OrderEndReason, OrderEvent, OrderLine, OrderStatus,
    OrderTotals, PlacedOrder, Transition,
};
use domain::pricing::PriceRule;
use domain::product_return::{ReceivedUnits, ReturnEvent, ReturnReason};
use domain::shipment::ShipmentEvent;

use super::people::{address, sealed};
use super::*;

pub(crate) fn cart() -> Vec<Sample> {
    let item = CartItem {
        sku_id: id(SKU),
        product_id: id(PRODUCT),
        quantity: units(2),
        unit_minor: 1499,
        price_rule: PriceRule::Sale,
    };
    let expires_at = at("04:05:06");
    let opened =
        |owner| CartEvent::Opened { cart_id: id(CART), owner, currency: Currency::GBP, expires_at };
    vec![
        pair(opened(CartOwner::Customer(id(CUSTOMER))), opened(CartOwner::Guest)),
        whole(CartEvent::ItemAdded { item, expires_at }),
        whole(CartEvent::QuantitySet { item, expires_at }),
        whole(CartEvent::ItemRemoved { sku_id: id(SKU), expires_at }),
        whole(CartEvent::CurrencyChanged {
            currency: Currency::EUR,
            items: vec![item],
            expires_at,
        }),
        whole(CartEvent::Repriced { items: vec![item], expires_at }),
        whole(CartEvent::Merged { from: id(GUEST_CART), items: vec![item], expires_at }),
        whole(CartEvent::MergedInto { cart_id: id(CART) }),
        whole(CartEvent::CheckoutStarted { order_id: id(ORDER) }),
        whole(CartEvent::CheckoutCompleted { order_id: id(ORDER) }),
        whole(CartEvent::CheckoutReleased { order_id: id(ORDER), expires_at }),
        whole(CartEvent::Expired { expired_at: expires_at }),
    ]
}

fn placed() -> PlacedOrder {
    PlacedOrder {
        order_id: id(ORDER),
        cart_id: id(CART),
        customer_id: None,
        currency: Currency::GBP,
        lines: vec![OrderLine {
            line: 1,
            sku_id: id(SKU),
            product_id: id(PRODUCT),
            seller_id: id(SELLER),
            name: "Kettle".into(),
            quantity: units(2),
            unit_minor: 1499,
            price_rule: PriceRule::Sale,
        }],
        totals: OrderTotals {
            lines_minor: 2998,
            tax_minor: 600,
            shipping_minor: 399,
            discount_minor: 100,
            total_minor: 3897,
        },
        shipping_address: None,
        guest_contact: None,
        payment_method_id: None,
        payment_id: None,
        reference: None,
        placed_at: at("03:04:05"),
        actor: Actor("customer:7".into()),
    }
}

fn lines() -> Vec<LineUnits> {
    vec![LineUnits { line: 1, quantity: units(2) }]
}

pub(crate) fn order() -> Vec<Sample> {
    let full = PlacedOrder {
        customer_id: Some(id(CUSTOMER)),
        shipping_address: Some(address()),
        guest_contact: Some(sealed()),
        payment_method_id: Some(id(PAYMENT_METHOD)),
        payment_id: Some(id(PAYMENT)),
        reference: Some("WEB-1001".into()),
        ..placed()
    };
    let step = |previous_state, new_state| Transition {
        order_id: id(ORDER),
        previous_state,
        new_state,
        timestamp: at("03:04:05.678"),
        actor: Actor::system(),
    };
    let end = |previous_state, new_state, reason| EndTransition {
        order_id: id(ORDER),
        previous_state,
        new_state,
        timestamp: at("03:04:05.678"),
        actor: Actor("support:2".into()),
        reason,
    };
    use OrderStatus::{
        Cancelled, Confirmed, Delivered, Failed, Pending, Processing, Returned, Shipped,
    };
    let declined = OrderEndReason::PaymentDeclined { decline_code: "insufficient_funds".into() };
    let requested = OrderEndReason::Requested { note: "ordered twice".into() };
    vec![
        pair(OrderEvent::Placed(Box::new(full)), OrderEvent::Placed(Box::new(placed()))),
        whole(OrderEvent::Confirmed(step(Pending, Confirmed))),
        whole(OrderEvent::ProcessingStarted(step(Confirmed, Processing))),
        whole(OrderEvent::LinesShipped { shipment_id: id(SHIPMENT), lines: lines() }),
        whole(OrderEvent::Shipped(step(Processing, Shipped))),
        whole(OrderEvent::LinesDelivered { shipment_id: id(SHIPMENT), lines: lines() }),
        whole(OrderEvent::Delivered(step(Shipped, Delivered))),
        whole(OrderEvent::LinesReturned { return_id: id(RETURN), lines: lines() }),
        whole(OrderEvent::Returned(step(Delivered, Returned))),
        pair(
            OrderEvent::Cancelled(end(Confirmed, Cancelled, requested)),
            OrderEvent::Cancelled(end(Pending, Cancelled, OrderEndReason::PaymentExpired)),
        ),
        pair(
            OrderEvent::Failed(end(Pending, Failed, declined)),
            OrderEvent::Failed(end(Pending, Failed, OrderEndReason::OutOfStock)),
        ),
    ]
}

pub(crate) fn after() -> Vec<Sample> {
    let dispatched = |carrier, tracking_number| ShipmentEvent::Dispatched {
        shipment_id: id(SHIPMENT),
        order_id: id(ORDER),
        lines: lines(),
        carrier,
        tracking_number,
    };
    let requested = |note: &str| ReturnEvent::Requested {
        return_id: id(RETURN),
        order_id: id(ORDER),
        rma_number: "RMA-000042".into(),
        lines: lines(),
        reason: ReturnReason::Damaged,
        note: note.into(),
    };
    let received = |refund_minor, refund_id| ReturnEvent::Received {
        order_id: id(ORDER),
        lines: vec![ReceivedUnits { line: 1, quantity: units(2), resellable: 1 }],
        refund_minor,
        refund_id,
    };
    let declined = OrderEndReason::PaymentDeclined { decline_code: "insufficient_funds".into() };
    let compensating =
        |reason| CheckoutEvent::Compensating { reason, outcome: CheckoutOutcome::Failed };
    vec![
        whole(CheckoutEvent::Started {
            order_id: id(ORDER),
            cart_id: id(CART),
            payment_id: id(PAYMENT),
            skus: vec![id(SKU)],
            hold_expires_at: at("03:19:05"),
        }),
        pair(compensating(declined), compensating(OrderEndReason::OutOfStock)),
        whole(CheckoutEvent::Ended { outcome: CheckoutOutcome::Confirmed }),
        pair(
            dispatched(Some("Royal Mail".into()), Some("RM123456789GB".into())),
            dispatched(None, None),
        ),
        whole(ShipmentEvent::Delivered { order_id: id(ORDER), delivered_at: at("12:30:00") }),
        pair(requested("the lid is cracked"), requested("")),
        pair(received(2998, Some(id(REFUND))), received(0, None)),
        whole(ReturnEvent::Rejected { order_id: id(ORDER), note: "not ours".into() }),
    ]
}
