//! Order: what was bought, at which prices, and how far it has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::customer::Address;
use crate::pricing::PriceRule;
use crate::{
    CartId, Currency, CustomerId, Decider, LineNumber, OrderId, PaymentId, PaymentMethodId,
    ProductId, Quantity, ReturnId, Sealed, SellerId, ShipmentId, SkuId, Timestamp,
};

mod advance;
mod deliver;
mod end;
pub(crate) mod line_units;
mod place;
mod refund_value;
mod rejection;
mod return_lines;
mod ship;
mod state;
mod status;
mod totals;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod laws;

pub use rejection::OrderRejection;
pub use state::{LineProgress, OrderOnRecord, OrderState, ShippedUnits};
pub use status::OrderStatus;

/// Who moved an order: the engine itself, or somebody by role and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Actor(pub String);

impl Actor {
    #[must_use]
    pub fn system() -> Self {
        Self("system".to_owned())
    }
}

/// The facts every transition carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    pub order_id: OrderId,
    pub previous_state: OrderStatus,
    pub new_state: OrderStatus,
    pub timestamp: Timestamp,
    pub actor: Actor,
}

/// A transition that ends an order without goods, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EndTransition {
    pub order_id: OrderId,
    pub previous_state: OrderStatus,
    pub new_state: OrderStatus,
    pub timestamp: Timestamp,
    pub actor: Actor,
    pub reason: OrderEndReason,
}

/// One line as ordered; its price never changes. Amounts in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLine {
    pub line: LineNumber,
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub seller_id: SellerId,
    pub name: String,
    pub quantity: Quantity,
    pub unit_minor: i64,
    pub price_rule: PriceRule,
}

/// Sums in minor units of the order's currency: total = lines + tax + shipping − discount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTotals {
    pub lines_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub discount_minor: i64,
    pub total_minor: i64,
}

/// Units of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineUnits {
    pub line: LineNumber,
    pub quantity: Quantity,
}

/// Why an order ended without goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OrderEndReason {
    PaymentDeclined {
        decline_code: String,
    },
    /// The hold time ran out before the money was certain.
    PaymentExpired,
    OutOfStock,
    CaptureFailed {
        failure_code: String,
    },
    Requested {
        note: String,
    },
    /// Nothing left to deliver, for another named reason.
    Other {
        note: String,
    },
}

/// Everything about a new order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlacedOrder {
    pub order_id: OrderId,
    pub cart_id: CartId,
    /// `None` for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    pub currency: Currency,
    pub lines: Vec<OrderLine>,
    pub totals: OrderTotals,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// A guest's e-mail and name, sealed under the order's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_contact: Option<Sealed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method_id: Option<PaymentMethodId>,
    /// `None` where the total is zero: nothing is to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// The order's number in another system, for imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub placed_at: Timestamp,
    pub actor: Actor,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum OrderEvent {
    Placed(Box<PlacedOrder>),
    Confirmed(Transition),
    ProcessingStarted(Transition),
    /// Some units left the house.
    LinesShipped {
        shipment_id: ShipmentId,
        lines: Vec<LineUnits>,
    },
    /// The last unit left the house.
    Shipped(Transition),
    LinesDelivered {
        shipment_id: ShipmentId,
        lines: Vec<LineUnits>,
    },
    /// The last unit arrived.
    Delivered(Transition),
    LinesReturned {
        return_id: ReturnId,
        lines: Vec<LineUnits>,
    },
    /// The last unit came back.
    Returned(Transition),
    Cancelled(EndTransition),
    Failed(EndTransition),
}

/// Who and when, for commands that may move an order.
#[derive(Debug, Clone, PartialEq)]
pub struct By {
    pub actor: Actor,
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OrderCommand {
    /// Checks lines, totals and limits; the same order twice yields nothing.
    Place {
        order: Box<PlacedOrder>,
        limits: OrderLimits,
    },
    Confirm(By),
    StartProcessing(By),
    /// Ships units that are ordered and not shipped yet; starts processing if it has not begun.
    Ship {
        shipment_id: ShipmentId,
        lines: Vec<LineUnits>,
        by: By,
    },
    /// Marks a shipment's units as arrived.
    Deliver {
        shipment_id: ShipmentId,
        by: By,
    },
    /// Takes back delivered units.
    Return {
        return_id: ReturnId,
        lines: Vec<LineUnits>,
        by: By,
    },
    Cancel {
        reason: OrderEndReason,
        by: By,
    },
    Fail {
        reason: OrderEndReason,
        by: By,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLimits {
    pub lines_max: usize,
    pub line_quantity_max: u32,
}

impl Default for OrderLimits {
    fn default() -> Self {
        Self { lines_max: 2_000, line_quantity_max: 9_999 }
    }
}

/// The aggregate.
#[derive(Debug)]
pub struct Order;

impl Decider for Order {
    const CATEGORY: &'static str = "order";

    type Id = OrderId;
    type State = OrderState;
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Rejection = OrderRejection;

    fn decide(
        state: &OrderState,
        command: &OrderCommand,
    ) -> Result<Vec<OrderEvent>, OrderRejection> {
        let on_record = || state.as_deref().ok_or(OrderRejection::NotFound);
        match command {
            OrderCommand::Place { order, limits } => place::place(state.as_deref(), order, *limits),
            OrderCommand::Confirm(by) => advance::confirm(on_record()?, by),
            OrderCommand::StartProcessing(by) => advance::start_processing(on_record()?, by),
            OrderCommand::Ship { shipment_id, lines, by } => {
                ship::ship(on_record()?, *shipment_id, lines, by)
            }
            OrderCommand::Deliver { shipment_id, by } => {
                deliver::deliver(on_record()?, *shipment_id, by)
            }
            OrderCommand::Return { return_id, lines, by } => {
                return_lines::return_lines(on_record()?, *return_id, lines, by)
            }
            OrderCommand::Cancel { reason, by } => end::cancel(on_record()?, reason, by),
            OrderCommand::Fail { reason, by } => end::fail(on_record()?, reason, by),
        }
    }

    fn evolve(state: &mut OrderState, event: &OrderEvent) {
        state::evolve(state, event);
    }
}
