//! What happened in the past, as the engine is told of it: one step for each document.

use std::sync::Arc;

use domain::order::LineUnits;
use domain::{
    AddressId, CartId, Currency, CustomerId, OrderId, PaymentId, PaymentMethodId, Quantity,
    ReturnId, ShipmentId, SkuId, Timestamp, WarehouseId,
};
use sagas::checkout::AgreedLine;
use uuid::Uuid;

/// Who bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Buyer {
    Customer {
        customer_id: CustomerId,
        /// What the customer is called in the file.
        reference: Box<str>,
        address_id: AddressId,
        method_id: PaymentMethodId,
    },
    Guest {
        cart_id: CartId,
        address_id: AddressId,
    },
}

impl Buyer {
    pub(super) fn cart_id(&self) -> CartId {
        match self {
            Self::Customer { customer_id, .. } => CartId::of_customer(*customer_id),
            Self::Guest { cart_id, .. } => *cart_id,
        }
    }
}

/// An order that was placed, paid, shipped and delivered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PastOrder {
    /// The order's number in the file.
    pub(super) reference: Box<str>,
    pub(super) order_id: OrderId,
    pub(super) payment_id: PaymentId,
    pub(super) shipment_id: ShipmentId,
    pub(super) buyer: Buyer,
    /// ISO 3166-1 alpha-2; `None` where the file does not say.
    pub(super) country: Option<&'static str>,
    pub(super) currency: Currency,
    pub(super) lines: Vec<AgreedLine>,
}

/// Units that came back, and what was paid back for them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PastReturn {
    pub(super) return_id: ReturnId,
    pub(super) order_id: OrderId,
    pub(super) lines: Vec<LineUnits>,
    /// SKUs of the lines.
    pub(super) skus: Vec<SkuId>,
    pub(super) refund_minor: i64,
}

/// Money that was paid back without goods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PastCredit {
    pub(super) order_id: OrderId,
    pub(super) amount_minor: i64,
    pub(super) reason: String,
}

/// Stock that was lost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PastLoss {
    pub(super) sku_id: SkuId,
    pub(super) warehouse_id: WarehouseId,
    pub(super) quantity: Quantity,
    pub(super) reason: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Order(PastOrder),
    Return(PastReturn),
    Credit(PastCredit),
    Loss(PastLoss),
}

/// One document of the past.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    /// Its number in the file, unique among documents; recorded with every event it leads to.
    pub(super) reference: Arc<str>,
    /// Steps of one chain go one after another: a customer's, or an order's.
    pub(super) chain: Option<Uuid>,
    pub(super) what: What,
}

impl Step {
    /// The cart the step's order comes from.
    pub(super) fn cart_id(&self) -> Option<CartId> {
        match &self.what {
            What::Order(order) => Some(order.buyer.cart_id()),
            What::Return(_) | What::Credit(_) | What::Loss(_) => None,
        }
    }

    /// SKUs whose ledger the step writes to; steps that share one start in file order.
    pub(super) fn skus(&self) -> Vec<SkuId> {
        match &self.what {
            What::Order(order) => order.lines.iter().map(|line| line.sku_id).collect(),
            What::Return(back) => back.skus.clone(),
            What::Credit(_) => Vec::new(),
            What::Loss(loss) => vec![loss.sku_id],
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Nothing was left to do.
    pub(super) already_there: bool,
    /// The order's total as the engine holds it.
    pub(super) order_minor: i64,
    pub(super) order_lines: u64,
    pub(super) refunded_minor: i64,
}
