//! Ids, one type for each kind of thing, so that one can never stand for another.
//!
//! All are time-ordered UUIDs (version 7): they are made outside the domain and come in with
//! commands.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{AggregateId, IdKey};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl AggregateId for $name {
            fn key(&self) -> IdKey {
                IdKey::Uuid(self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }
    )*};
}

ids! {
    /// Identifies a product: what a shopper looks at.
    ProductId,
    /// Identifies a stock keeping unit: what a shopper buys.
    SkuId,
    /// Identifies a category.
    CategoryId,
    /// Identifies a customer.
    CustomerId,
    /// Identifies one address of a customer.
    AddressId,
    /// Identifies one payment method of a customer.
    PaymentMethodId,
    /// Identifies a seller.
    SellerId,
    /// Identifies a warehouse.
    WarehouseId,
    /// Identifies a cart. A customer's cart has the customer's own id.
    CartId,
    /// Identifies an order, and its checkout.
    OrderId,
    /// Identifies a payment.
    PaymentId,
    /// Identifies one refund of a payment.
    RefundId,
    /// Identifies a shipment: one parcel, or one hand-over of goods.
    ShipmentId,
    /// Identifies a return.
    ReturnId,
}

impl CartId {
    /// The one cart of a customer.
    #[must_use]
    pub const fn of_customer(customer: CustomerId) -> Self {
        Self(customer.uuid())
    }
}

impl ReturnId {
    /// Most returns that one order can have.
    pub const OF_ORDER_MAX: u16 = 0xfff;

    /// The order's return number `number`, from 1 to [`Self::OF_ORDER_MAX`]: so whoever has the
    /// order can find its returns without a list of them. Version 8 keeps these ids apart from
    /// those made outside, the twelve bits before the variant one order's returns from each other.
    #[must_use]
    pub const fn of_order(order: OrderId, number: u16) -> Self {
        let mut bytes = order.0.into_bytes();
        let [high, low] = (number & Self::OF_ORDER_MAX).to_be_bytes();
        bytes[6] = 0x80 | ((bytes[6] ^ high) & 0x0f);
        bytes[7] ^= low;
        Self(Uuid::from_bytes(bytes))
    }
}

/// Number of a line within its order, from 1.
pub type LineNumber = u32;
