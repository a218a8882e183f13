//! The one table of all public messages: what each holds, where it goes, its name and version.

use serde::Serialize;

use super::envelope::{Envelope, MessageError};
use super::goods::{
    ProductChanged, ProductCreated, ProductRepriced, ProductStatusChanged, SkuAdded, SkuChanged,
    SkuRepriced, SkuWithdrawn, StockChanged,
};
use super::money::{PaymentExpired, PaymentFailed, PaymentMoved, PaymentRefunded, RefundFailed};
use super::orders::{OrderEnded, OrderLinesMoved, OrderLinesReturned, OrderMoved, OrderPlaced};
use super::parcels::{
    ReturnReceived, ReturnRejected, ReturnRequested, ShipmentDelivered, ShipmentDispatched,
};

/// One kind of message: its name is a promise and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageEntry {
    /// Such as `order.placed`.
    pub message_type: &'static str,
    /// Where it goes, below the bus's prefix, such as `orders.placed`.
    pub topic: &'static str,
    /// The version sent now.
    pub version: u16,
    /// One sentence on what happened.
    pub doc: &'static str,
}

impl MessageEntry {
    /// The CloudEvents attribute `type`, such as `tillroll.order.placed.v1`.
    #[must_use]
    pub fn cloud_event_type(&self) -> String {
        format!("tillroll.{}.v{}", self.message_type, self.version)
    }

    /// The CloudEvents attribute `dataschema`.
    #[must_use]
    pub fn data_schema(&self) -> String {
        format!("urn:tillroll:message:{}:v{}", self.message_type, self.version)
    }
}

macro_rules! public_messages {
    ($($variant:ident($data:ident) => $name:literal on $topic:literal, $version:literal, $doc:literal;)*) => {
        /// What a message says.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum PublicData {
            $(#[doc = $doc] $variant($data),)*
        }

        const MESSAGES: &[MessageEntry] = &[$(MessageEntry {
            message_type: $name,
            topic: $topic,
            version: $version,
            doc: $doc,
        },)*];

        impl PublicData {
            /// What is promised about this kind.
            #[must_use]
            pub fn entry(&self) -> &'static MessageEntry {
                match self {
                    $(Self::$variant(_) => const {
                        &MessageEntry {
                            message_type: $name,
                            topic: $topic,
                            version: $version,
                            doc: $doc,
                        }
                    },)*
                }
            }

            /// Reads the data of the type named by a CloudEvents `type`.
            pub(super) fn decode(
                cloud_event_type: &str,
                data: &serde_json::value::RawValue,
            ) -> Result<Self, MessageError> {
                match cloud_event_type {
                    $(concat!("tillroll.", $name, ".v", $version) => {
                        Ok(Self::$variant(serde_json::from_str(data.get())?))
                    })*
                    other => Err(MessageError::UnknownType(other.to_owned())),
                }
            }
        }

        /// The schema of a whole message.
        pub(super) fn envelope_schema(message_type: &str) -> Option<schemars::Schema> {
            match message_type {
                $($name => Some(schemars::schema_for!(Envelope<$data>)),)*
                _ => None,
            }
        }
    };
}

/// All kinds of messages, in the table's order.
#[must_use]
pub fn messages() -> &'static [MessageEntry] {
    MESSAGES
}

public_messages! {
    OrderPlaced(OrderPlaced) => "order.placed" on "orders.placed", 1, "An order was placed; its money is not certain yet.";
    OrderConfirmed(OrderMoved) => "order.confirmed" on "orders.confirmed", 1, "Stock and money of an order are certain.";
    OrderProcessing(OrderMoved) => "order.processing" on "orders.processing", 1, "Somebody began to put the order together.";
    OrderLinesShipped(OrderLinesMoved) => "order.lines_shipped" on "orders.lines_shipped", 1, "Some units of an order left the house.";
    OrderShipped(OrderMoved) => "order.shipped" on "orders.shipped", 1, "The last unit of an order left the house.";
    OrderLinesDelivered(OrderLinesMoved) => "order.lines_delivered" on "orders.lines_delivered", 1, "Some units of an order arrived.";
    OrderDelivered(OrderMoved) => "order.delivered" on "orders.delivered", 1, "The last unit of an order arrived.";
    OrderLinesReturned(OrderLinesReturned) => "order.lines_returned" on "orders.lines_returned", 1, "Some units of an order came back.";
    OrderReturned(OrderMoved) => "order.returned" on "orders.returned", 1, "The last unit of an order came back.";
    OrderCancelled(OrderEnded) => "order.cancelled" on "orders.cancelled", 1, "Somebody cancelled the order before it was shipped.";
    OrderFailed(OrderEnded) => "order.failed" on "orders.failed", 1, "The order could not be confirmed.";
    PaymentAuthorized(PaymentMoved) => "payment.authorized" on "payments.authorized", 1, "The provider reserved the money.";
    PaymentDeclined(PaymentFailed) => "payment.declined" on "payments.declined", 1, "The provider will not reserve the money.";
    PaymentExpired(PaymentExpired) => "payment.expired" on "payments.expired", 1, "The provider let the reservation lapse.";
    PaymentCaptured(PaymentMoved) => "payment.captured" on "payments.captured", 1, "The provider took the money.";
    PaymentCaptureFailed(PaymentFailed) => "payment.capture_failed" on "payments.capture_failed", 1, "The provider could not take the money.";
    PaymentVoided(PaymentMoved) => "payment.voided" on "payments.voided", 1, "What was reserved and not taken is free again.";
    PaymentRefunded(PaymentRefunded) => "payment.refunded" on "payments.refunded", 1, "Money went back to the buyer.";
    PaymentRefundFailed(RefundFailed) => "payment.refund_failed" on "payments.refund_failed", 1, "The provider could not give money back.";
    ShipmentDispatched(ShipmentDispatched) => "shipment.dispatched" on "shipments.dispatched", 1, "A parcel left the house.";
    ShipmentDelivered(ShipmentDelivered) => "shipment.delivered" on "shipments.delivered", 1, "A parcel arrived.";
    ReturnRequested(ReturnRequested) => "return.requested" on "returns.requested", 1, "A buyer wants to send units back.";
    ReturnReceived(ReturnReceived) => "return.received" on "returns.received", 1, "Units came back and were looked at; a refund may be owed.";
    ReturnRejected(ReturnRejected) => "return.rejected" on "returns.rejected", 1, "The units will not be taken back.";
    ProductCreated(ProductCreated) => "product.created" on "products.created", 1, "A seller offers a new product.";
    ProductChanged(ProductChanged) => "product.changed" on "products.changed", 1, "What is said about a product was replaced.";
    ProductRepriced(ProductRepriced) => "product.repriced" on "products.repriced", 1, "A product's base prices were replaced.";
    ProductStatusChanged(ProductStatusChanged) => "product.status_changed" on "products.status_changed", 1, "A product went on sale, off sale, or was deleted.";
    SkuAdded(SkuAdded) => "sku.added" on "skus.added", 1, "A product got a SKU that can be bought.";
    SkuChanged(SkuChanged) => "sku.changed" on "skus.changed", 1, "What is said about a SKU was replaced.";
    SkuRepriced(SkuRepriced) => "sku.repriced" on "skus.repriced", 1, "A SKU's own and sale prices were replaced.";
    SkuWithdrawn(SkuWithdrawn) => "sku.withdrawn" on "skus.withdrawn", 1, "A SKU was taken off sale.";
    StockChanged(StockChanged) => "stock.changed" on "stock.changed", 1, "Units of a SKU came, went, or were set aside.";
}
