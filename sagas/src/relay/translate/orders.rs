//! Orders, shipments and returns.

use domain::order::{EndTransition, OrderEndReason, OrderEvent, PlacedOrder, Transition};
use domain::product_return::ReturnEvent;
use domain::shipment::ShipmentEvent;
use domain::{OrderId, ReturnId, ShipmentId};
use schemas::public::PublicData;
use schemas::public::orders::{
    EndCode, EndReason, OrderEnded, OrderLinesMoved, OrderLinesReturned, OrderMoved, OrderPlaced,
    PlacedLine,
};
use schemas::public::parcels::{
    ReturnReceived, ReturnRejected, ReturnRequested, ShipmentDelivered, ShipmentDispatched,
};
use uuid::Uuid;

use super::role;

pub(super) fn order(key: Uuid, event: OrderEvent) -> PublicData {
    let order_id = OrderId::new(key);
    match event {
        OrderEvent::Placed(order) => PublicData::OrderPlaced(placed(*order)),
        OrderEvent::Confirmed(by) => PublicData::OrderConfirmed(moved(by)),
        OrderEvent::ProcessingStarted(by) => PublicData::OrderProcessing(moved(by)),
        OrderEvent::LinesShipped { shipment_id, lines } => {
            PublicData::OrderLinesShipped(OrderLinesMoved { order_id, shipment_id, lines })
        }
        OrderEvent::Shipped(by) => PublicData::OrderShipped(moved(by)),
        OrderEvent::LinesDelivered { shipment_id, lines } => {
            PublicData::OrderLinesDelivered(OrderLinesMoved { order_id, shipment_id, lines })
        }
        OrderEvent::Delivered(by) => PublicData::OrderDelivered(moved(by)),
        OrderEvent::LinesReturned { return_id, lines } => {
            PublicData::OrderLinesReturned(OrderLinesReturned { order_id, return_id, lines })
        }
        OrderEvent::Returned(by) => PublicData::OrderReturned(moved(by)),
        OrderEvent::Cancelled(end) => PublicData::OrderCancelled(ended(end)),
        OrderEvent::Failed(end) => PublicData::OrderFailed(ended(end)),
    }
}

fn placed(order: PlacedOrder) -> OrderPlaced {
    let lines = order.lines.into_iter().map(|line| PlacedLine {
        line: line.line,
        sku_id: line.sku_id,
        product_id: line.product_id,
        seller_id: line.seller_id,
        name: line.name,
        quantity: line.quantity,
        unit_minor: line.unit_minor,
        price_rule: line.price_rule,
    });
    OrderPlaced {
        order_id: order.order_id,
        customer_id: order.customer_id,
        currency: order.currency,
        lines: lines.collect(),
        totals: order.totals,
        payment_id: order.payment_id,
        reference: order.reference,
        country: order.shipping_address.map(|address| address.country),
        placed_at: order.placed_at,
        by: role(&order.actor),
    }
}

fn moved(by: Transition) -> OrderMoved {
    OrderMoved {
        order_id: by.order_id,
        previous_state: by.previous_state,
        new_state: by.new_state,
        timestamp: by.timestamp,
        by: role(&by.actor),
    }
}

fn ended(end: EndTransition) -> OrderEnded {
    OrderEnded {
        order_id: end.order_id,
        previous_state: end.previous_state,
        new_state: end.new_state,
        timestamp: end.timestamp,
        by: role(&end.actor),
        reason: reason(end.reason),
    }
}

/// What somebody wrote stays inside.
fn reason(reason: OrderEndReason) -> EndReason {
    let (code, provider_code) = match reason {
        OrderEndReason::PaymentDeclined { decline_code } => {
            (EndCode::PaymentDeclined, Some(decline_code))
        }
        OrderEndReason::PaymentExpired => (EndCode::PaymentExpired, None),
        OrderEndReason::OutOfStock => (EndCode::OutOfStock, None),
        OrderEndReason::CaptureFailed { failure_code } => {
            (EndCode::CaptureFailed, Some(failure_code))
        }
        OrderEndReason::Requested { note: _ } => (EndCode::Requested, None),
        OrderEndReason::Other { note: _ } => (EndCode::Other, None),
    };
    EndReason { code, provider_code }
}

/// What the outside is told of a shipment, and of which order.
pub(super) fn shipment(key: Uuid, event: ShipmentEvent) -> (Uuid, PublicData) {
    match event {
        ShipmentEvent::Dispatched { shipment_id, order_id, lines, carrier, tracking_number } => {
            let told =
                ShipmentDispatched { shipment_id, order_id, lines, carrier, tracking_number };
            (order_id.uuid(), PublicData::ShipmentDispatched(told))
        }
        ShipmentEvent::Delivered { order_id, delivered_at } => {
            let shipment_id = ShipmentId::new(key);
            let told = ShipmentDelivered { shipment_id, order_id, delivered_at };
            (order_id.uuid(), PublicData::ShipmentDelivered(told))
        }
    }
}

/// What the outside is told of a return, and of which order.
pub(super) fn product_return(key: Uuid, event: ReturnEvent) -> (Uuid, PublicData) {
    let return_id = ReturnId::new(key);
    match event {
        ReturnEvent::Requested { return_id, order_id, rma_number, lines, reason, note: _ } => {
            let told = ReturnRequested { return_id, order_id, rma_number, lines, reason };
            (order_id.uuid(), PublicData::ReturnRequested(told))
        }
        ReturnEvent::Received { order_id, lines, refund_minor: _, refund_id } => {
            let told = ReturnReceived { return_id, order_id, lines, refund_id };
            (order_id.uuid(), PublicData::ReturnReceived(told))
        }
        ReturnEvent::Rejected { order_id, note: _ } => {
            let told = ReturnRejected { return_id, order_id };
            (order_id.uuid(), PublicData::ReturnRejected(told))
        }
    }
}
