//! The one table of all events: variant, stored name, current version, and what happened.
//!
//! A stored name is a promise: it is never changed and never used again for something else. A
//! variant missing here does not compile.

use domain::browsing::BrowsingEvent;
use domain::cart::CartEvent;
use domain::category::CategoryEvent;
use domain::checkout::CheckoutEvent;
use domain::customer::CustomerEvent;
use domain::inventory::InventoryEvent;
use domain::order::OrderEvent;
use domain::payment::PaymentEvent;
use domain::product::ProductEvent;
use domain::product_return::ReturnEvent;
use domain::rating::RatingEvent;
use domain::seller::SellerEvent;
use domain::shipment::ShipmentEvent;
use domain::warehouse::WarehouseEvent;

use crate::codec::{decode_all, decode_one};
use crate::{DecodeError, EventEntry, RequestEvent, StoredEvent, WebhookEvent, payload};

macro_rules! stored_events {
    ($($any:ident($event:ident) in $category:literal {
        $($variant:ident => $name:literal, $version:literal, $doc:literal;)*
    })*) => {
        /// An event of any category.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyEvent {
            $(
                #[doc = concat!("An event of category `", $category, "`.")]
                $any($event),
            )*
        }

        impl AnyEvent {
            /// The stored name, such as `order.placed`.
            #[must_use]
            pub fn event_type(&self) -> &'static str {
                match self {
                    $(Self::$any(event) => event.event_type(),)*
                }
            }

            /// Category of its stream, such as `order`.
            #[must_use]
            pub fn category(&self) -> &'static str {
                match self {
                    $(Self::$any(_) => $category,)*
                }
            }

            /// The version [`encode`](Self::encode) writes.
            #[must_use]
            pub fn schema_version(&self) -> u16 {
                match self {
                    $(Self::$any(event) => event.schema_version(),)*
                }
            }

            /// The payload: one JSON object, without the variant's name.
            #[must_use]
            pub fn encode(&self) -> String {
                match self {
                    $(Self::$any(event) => event.encode(),)*
                }
            }

            fn decode_current(
                event_type: &str,
                version: u16,
                payload: &str,
            ) -> Option<Result<Self, DecodeError>> {
                match event_type.split_once('.')?.0 {
                    $($category => Some(
                        $event::decode_current(event_type, version, payload)?.map(Self::$any),
                    ),)*
                    _ => None,
                }
            }
        }

        $(
            impl From<$event> for AnyEvent {
                fn from(event: $event) -> Self {
                    Self::$any(event)
                }
            }

            impl DecodeCurrent for $event {
                #[inline]
                fn current(event_type: &str) -> Option<(&'static str, u16)> {
                    match event_type {
                        $($name => Some((stringify!($variant), $version)),)*
                        _ => None,
                    }
                }
            }

            impl StoredEvent for $event {
                const CATEGORY: &'static str = $category;

                const EVENTS: &'static [EventEntry] = &[$(EventEntry {
                    category: $category,
                    variant: stringify!($variant),
                    event_type: $name,
                    version: $version,
                    doc: $doc,
                },)*];

                #[inline]
                fn event_type(&self) -> &'static str {
                    match self {
                        $(Self::$variant { .. } => $name,)*
                    }
                }

                #[inline]
                fn schema_version(&self) -> u16 {
                    match self {
                        $(Self::$variant { .. } => $version,)*
                    }
                }

                fn encode(&self) -> String {
                    payload::encode(self)
                }

                fn decode(
                    event_type: &str,
                    schema_version: u16,
                    payload: &str,
                ) -> Result<Self, DecodeError> {
                    decode_one(event_type, schema_version, payload, Self::decode_current)
                }

                fn decode_all(
                    event_type: &str,
                    schema_version: u16,
                    payload: &str,
                ) -> Result<Vec<Self>, DecodeError> {
                    decode_all(event_type, schema_version, payload, Self::decode_current)
                }

                fn into_any(self) -> AnyEvent {
                    AnyEvent::$any(self)
                }

                fn from_any(event: AnyEvent) -> Option<Self> {
                    match event {
                        AnyEvent::$any(event) => Some(event),
                        _ => None,
                    }
                }
            }
        )*

        /// All kinds of events, in the table's order.
        pub fn events() -> impl Iterator<Item = &'static EventEntry> {
            [$($event::EVENTS),*].into_iter().flatten()
        }

        /// The schema of the enum of a category.
        pub(crate) fn category_schema(category: &str) -> Option<schemars::Schema> {
            match category {
                $($category => Some(schemars::schema_for!($event)),)*
                _ => None,
            }
        }

        /// The version written now of events stored under this name; `None` for an unknown name.
        #[must_use]
        pub fn current_version(event_type: &str) -> Option<u16> {
            let current = match event_type.split_once('.')?.0 {
                $($category => $event::current(event_type),)*
                _ => None,
            };
            current.map(|(_, version)| version)
        }
    };
}

/// Reads any stored event of this or any earlier version; see [`StoredEvent::decode`].
pub fn decode_any(event_type: &str, version: u16, payload: &str) -> Result<AnyEvent, DecodeError> {
    decode_one(event_type, version, payload, AnyEvent::decode_current)
}

/// Like [`decode_any`], for old events that became several or none.
pub fn decode_any_all(
    event_type: &str,
    version: u16,
    payload: &str,
) -> Result<Vec<AnyEvent>, DecodeError> {
    decode_all(event_type, version, payload, AnyEvent::decode_current)
}

/// Reads payloads of the types and versions written now.
trait DecodeCurrent: serde::de::DeserializeOwned {
    /// Variant and version now written under this name.
    fn current(event_type: &str) -> Option<(&'static str, u16)>;

    #[inline]
    fn decode_current(
        event_type: &str,
        version: u16,
        payload: &str,
    ) -> Option<Result<Self, DecodeError>> {
        let (variant, current) = Self::current(event_type)?;
        (version == current).then(|| {
            payload::decode(variant, payload)
                .map_err(|error| DecodeError::malformed(event_type, version, error))
        })
    }
}

stored_events! {
    Product(ProductEvent) in "product" {
        Created => "product.created", 1, "A seller offers a new product.";
        DetailsChanged => "product.details_changed", 1, "What is said about a product was replaced.";
        Repriced => "product.repriced", 1, "A product's base prices were replaced.";
        StatusChanged => "product.status_changed", 1, "A product went on sale, off sale, or was deleted.";
        SkuAdded => "product.sku_added", 1, "A product got a SKU that can be bought.";
        SkuDetailsChanged => "product.sku_details_changed", 1, "What is said about a SKU was replaced.";
        SkuRepriced => "product.sku_repriced", 1, "A SKU's own, sale and wholesale prices were replaced.";
        SkuWithdrawn => "product.sku_withdrawn", 1, "A SKU was taken off sale; its stock and past orders stay.";
    }
    Category(CategoryEvent) in "category" {
        Added => "category.added", 1, "A category became the last child of its parent, or a root.";
        Renamed => "category.renamed", 1, "A category got another name and slug.";
        Moved => "category.moved", 1, "A category moved with its whole subtree.";
        Removed => "category.removed", 1, "A category without children was removed.";
    }
    Rating(RatingEvent) in "rating" {
        Given => "rating.given", 1, "A buyer rated a product for the first time.";
        Changed => "rating.changed", 1, "The same buyer rated the product anew.";
    }
    Customer(CustomerEvent) in "customer" {
        Registered => "customer.registered", 1, "A customer is known from now on.";
        ContactChanged => "customer.contact_changed", 1, "A customer's sealed contact was replaced.";
        TierChanged => "customer.tier_changed", 1, "A customer is charged by another tier from now on.";
        AddressAdded => "customer.address_added", 1, "A customer got another address.";
        AddressRemoved => "customer.address_removed", 1, "An address of a customer was removed.";
        PaymentMethodAdded => "customer.payment_method_added", 1, "A customer got another means of payment.";
        PaymentMethodRemoved => "customer.payment_method_removed", 1, "A customer's means of payment was removed.";
        Erased => "customer.erased", 1, "The person's key was destroyed: sealed fields can be read by nobody.";
    }
    Seller(SellerEvent) in "seller" {
        Registered => "seller.registered", 1, "A seller is known from now on.";
        DetailsChanged => "seller.details_changed", 1, "What is known about a seller was replaced.";
    }
    Warehouse(WarehouseEvent) in "warehouse" {
        Opened => "warehouse.opened", 1, "Stock can be kept at a new place.";
        DetailsChanged => "warehouse.details_changed", 1, "A warehouse's name and rank were replaced.";
        Activated => "warehouse.activated", 1, "A warehouse takes part in new orders again.";
        Deactivated => "warehouse.deactivated", 1, "A warehouse takes no part in new orders.";
    }
    Inventory(InventoryEvent) in "inventory" {
        Opened => "inventory.opened", 1, "A SKU's stock ledger was opened.";
        PolicyChanged => "inventory.policy_changed", 1, "Soft holds or backorders of a SKU were set.";
        Received => "inventory.received", 2, "Units arrived at a warehouse.";
        Counted => "inventory.counted", 1, "On hand was counted and the difference booked.";
        WrittenOff => "inventory.written_off", 1, "Units are gone for good.";
        UnavailableSet => "inventory.unavailable_set", 1, "A number of units is kept from sale.";
        Held => "inventory.held", 1, "Units were set aside for an order.";
        Released => "inventory.released", 1, "Units held for an order can be sold again.";
        Shipped => "inventory.shipped", 1, "Held units left the house.";
        Returned => "inventory.returned", 1, "Units came back, to be sold again or scrapped.";
        SoftHeld => "inventory.soft_held", 1, "Units are set aside for a cart for a while.";
        SoftReleased => "inventory.soft_released", 1, "A cart's soft hold ended.";
    }
    Cart(CartEvent) in "cart" {
        Opened => "cart.opened", 1, "A cart's life began, or began anew.";
        ItemAdded => "cart.item_added", 1, "A line was added or its quantity raised.";
        QuantitySet => "cart.quantity_set", 1, "A line's quantity was set.";
        ItemRemoved => "cart.item_removed", 1, "A line was removed.";
        CurrencyChanged => "cart.currency_changed", 1, "All lines were priced anew in another currency.";
        Repriced => "cart.repriced", 1, "Lines show another price.";
        Merged => "cart.merged", 1, "A guest's cart came in at login.";
        MergedInto => "cart.merged_into", 1, "This guest cart went into a customer's and ended.";
        CheckoutStarted => "cart.checkout_started", 1, "All lines went to an order and are locked until it ends.";
        CheckoutCompleted => "cart.checkout_completed", 1, "The order is confirmed: its lines are gone from the cart.";
        CheckoutReleased => "cart.checkout_released", 1, "The order came to nothing: its lines are back in the cart.";
        Expired => "cart.expired", 1, "Nobody used the cart for too long.";
    }
    Order(OrderEvent) in "order" {
        Placed => "order.placed", 1, "An order was placed, with its lines, prices and totals.";
        Confirmed => "order.confirmed", 1, "Stock and money of an order are certain.";
        ProcessingStarted => "order.processing_started", 1, "Somebody began to put the order together.";
        LinesShipped => "order.lines_shipped", 1, "Some units of an order left the house.";
        Shipped => "order.shipped", 1, "The last unit of an order left the house.";
        LinesDelivered => "order.lines_delivered", 1, "Some units of an order arrived.";
        Delivered => "order.delivered", 1, "The last unit of an order arrived.";
        LinesReturned => "order.lines_returned", 1, "Some units of an order came back.";
        Returned => "order.returned", 1, "The last unit of an order came back.";
        Cancelled => "order.cancelled", 1, "Somebody cancelled the order before it was shipped.";
        Failed => "order.failed", 1, "The order could not be confirmed.";
    }
    Payment(PaymentEvent) in "payment" {
        Initiated => "payment.initiated", 1, "An order is to be paid through a provider.";
        AuthorizationRequested => "payment.authorization_requested", 1, "The provider is about to be asked to reserve money.";
        Authorized => "payment.authorized", 1, "The provider reserved the money.";
        AuthorizationDeclined => "payment.authorization_declined", 1, "The provider will not reserve the money.";
        AuthorizationExpired => "payment.authorization_expired", 1, "The provider let the reservation lapse.";
        CaptureRequested => "payment.capture_requested", 1, "The provider is about to be asked to take the money.";
        Captured => "payment.captured", 1, "The provider took the money.";
        CaptureFailed => "payment.capture_failed", 1, "The provider could not take the money.";
        VoidRequested => "payment.void_requested", 1, "The provider is about to be asked to free the reservation.";
        Voided => "payment.voided", 1, "What was reserved and not taken is free again.";
        VoidFailed => "payment.void_failed", 1, "The provider could not free the reservation.";
        RefundRequested => "payment.refund_requested", 1, "The provider is about to be asked to give money back.";
        Refunded => "payment.refunded", 1, "The provider gave money back.";
        RefundFailed => "payment.refund_failed", 1, "The provider could not give money back.";
        RefundAdopted => "payment.refund_adopted", 1, "A refund made at the provider itself was taken over into the books.";
    }
    Shipment(ShipmentEvent) in "shipment" {
        Dispatched => "shipment.dispatched", 1, "A parcel left the house.";
        Delivered => "shipment.delivered", 1, "A parcel arrived.";
    }
    Return(ReturnEvent) in "return" {
        Requested => "return.requested", 1, "A buyer wants to send units back.";
        Received => "return.received", 1, "The units came back and were looked at; a refund may be owed.";
        Rejected => "return.rejected", 1, "The units will not be taken back.";
    }
    Checkout(CheckoutEvent) in "checkout" {
        Started => "checkout.started", 1, "A cart is on its way to a confirmed order.";
        Compensating => "checkout.compensating", 1, "The order is to end without goods; money goes back first.";
        Ended => "checkout.ended", 1, "The checkout is over.";
    }
    Browsing(BrowsingEvent) in "browsing" {
        Viewed => "browsing.viewed", 1, "A customer, or guests, looked at products.";
        Shown => "browsing.shown", 1, "Products were shown to shoppers, and some were clicked.";
        Forgotten => "browsing.forgotten", 1, "What an erased customer looked at is not to be used any more.";
    }
    Request(RequestEvent) in "request" {
        Recorded => "request.recorded", 1, "An idempotent request was answered.";
    }
    Webhook(WebhookEvent) in "webhook" {
        Received => "webhook.received", 1, "A provider's message is on record as it came.";
        Applied => "webhook.applied", 1, "What a provider's message says is in the books.";
        Parked => "webhook.parked", 1, "A provider's message waits for somebody to look at it.";
        Ignored => "webhook.ignored", 1, "Nothing here is meant by a provider's message.";
    }
}
