//! The folded state of an order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    By, EndTransition, LineUnits, OrderEndReason, OrderEvent, OrderRejection, OrderStatus,
    OrderTotals, PlacedOrder, Transition,
};
use crate::{
    CartId, Currency, CustomerId, LineNumber, Money, OrderId, PaymentId, PaymentMethodId,
    ProductId, Quantity, ReturnId, SellerId, ShipmentId, SkuId, Timestamp,
};

/// One line's way through fulfilment, in units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineProgress {
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub seller_id: SellerId,
    pub unit_minor: i64,
    pub ordered: u32,
    pub shipped: u32,
    pub delivered: u32,
    pub returned: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderOnRecord {
    pub order_id: OrderId,
    pub cart_id: CartId,
    pub customer_id: Option<CustomerId>,
    pub payment_id: Option<PaymentId>,
    pub payment_method_id: Option<PaymentMethodId>,
    pub currency: Currency,
    pub totals: OrderTotals,
    pub status: OrderStatus,
    pub end_reason: Option<OrderEndReason>,
    pub lines: BTreeMap<LineNumber, LineProgress>,
    /// Units of each shipment, and whether it has arrived.
    pub shipments: BTreeMap<ShipmentId, ShippedUnits>,
    pub returns: BTreeMap<ReturnId, Vec<LineUnits>>,
    /// What each return's units were worth when they came back, in minor units.
    pub return_values: BTreeMap<ReturnId, i64>,
    pub placed_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShippedUnits {
    pub lines: Vec<LineUnits>,
    pub delivered: bool,
}

/// `None` until placed.
pub type OrderState = Option<Box<OrderOnRecord>>;

impl OrderOnRecord {
    /// Units of a line that are ordered and have not left the house; 0 for an unknown line.
    #[must_use]
    pub fn remaining_to_ship(&self, line: LineNumber) -> u32 {
        self.lines.get(&line).map_or(0, LineProgress::unshipped)
    }

    /// Every line with units that have not left the house, and how many.
    #[must_use]
    pub fn unshipped(&self) -> Vec<LineUnits> {
        self.lines
            .iter()
            .filter_map(|(line, progress)| {
                let quantity = Quantity::new(progress.unshipped()).ok()?;
                Some(LineUnits { line: *line, quantity })
            })
            .collect()
    }

    /// What the units of a return were worth when they came back; `None` for an unknown return.
    #[must_use]
    pub fn value_of_return(&self, return_id: ReturnId) -> Option<Money> {
        let minor = self.return_values.get(&return_id)?;
        Some(Money::new(*minor, self.currency))
    }

    /// The refusal of a move the status machine does not have.
    pub(super) const fn cannot_become(&self, requested: OrderStatus) -> OrderRejection {
        OrderRejection::StatusConflict { current: self.status, requested }
    }

    pub(super) fn transition(&self, from: OrderStatus, to: OrderStatus, by: &By) -> Transition {
        Transition {
            order_id: self.order_id,
            previous_state: from,
            new_state: to,
            timestamp: by.now,
            actor: by.actor.clone(),
        }
    }

    /// Units over all lines, as counted by `of`.
    pub(super) fn units(&self, of: impl Fn(&LineProgress) -> u32) -> u64 {
        self.lines.values().map(|line| u64::from(of(line))).sum()
    }

    fn count(&mut self, lines: &[LineUnits], counter: impl Fn(&mut LineProgress) -> &mut u32) {
        for units in lines {
            if let Some(line) = self.lines.get_mut(&units.line) {
                let count = counter(line);
                *count = count.saturating_add(units.quantity.get());
            }
        }
    }

    fn moved(&mut self, transition: &Transition) {
        self.status = transition.new_state;
    }

    fn ended(&mut self, transition: &EndTransition) {
        self.status = transition.new_state;
        self.end_reason = Some(transition.reason.clone());
    }
}

impl LineProgress {
    pub(super) const fn unshipped(&self) -> u32 {
        self.ordered.saturating_sub(self.shipped)
    }

    pub(super) const fn returnable(&self) -> u32 {
        self.delivered.saturating_sub(self.returned)
    }
}

impl From<&PlacedOrder> for OrderOnRecord {
    fn from(placed: &PlacedOrder) -> Self {
        let lines = placed.lines.iter().map(|line| {
            let progress = LineProgress {
                sku_id: line.sku_id,
                product_id: line.product_id,
                seller_id: line.seller_id,
                unit_minor: line.unit_minor,
                ordered: line.quantity.get(),
                shipped: 0,
                delivered: 0,
                returned: 0,
            };
            (line.line, progress)
        });
        Self {
            order_id: placed.order_id,
            cart_id: placed.cart_id,
            customer_id: placed.customer_id,
            payment_id: placed.payment_id,
            payment_method_id: placed.payment_method_id,
            currency: placed.currency,
            totals: placed.totals,
            status: OrderStatus::Pending,
            end_reason: None,
            lines: lines.collect(),
            shipments: BTreeMap::new(),
            returns: BTreeMap::new(),
            return_values: BTreeMap::new(),
            placed_at: placed.placed_at,
        }
    }
}

pub(super) fn evolve(state: &mut OrderState, event: &OrderEvent) {
    if let OrderEvent::Placed(placed) = event {
        *state = Some(Box::new(OrderOnRecord::from(placed.as_ref())));
        return;
    }
    let Some(order) = state else { return };
    match event {
        OrderEvent::Placed(_) => {}
        OrderEvent::Confirmed(transition)
        | OrderEvent::ProcessingStarted(transition)
        | OrderEvent::Shipped(transition)
        | OrderEvent::Delivered(transition)
        | OrderEvent::Returned(transition) => order.moved(transition),
        OrderEvent::LinesShipped { shipment_id, lines } => {
            order.count(lines, |line| &mut line.shipped);
            let units = ShippedUnits { lines: lines.clone(), delivered: false };
            order.shipments.insert(*shipment_id, units);
        }
        OrderEvent::LinesDelivered { shipment_id, lines } => {
            order.count(lines, |line| &mut line.delivered);
            if let Some(shipment) = order.shipments.get_mut(shipment_id) {
                shipment.delivered = true;
            }
        }
        OrderEvent::LinesReturned { return_id, lines } => {
            let value = order.value_of_next(lines);
            order.count(lines, |line| &mut line.returned);
            order.returns.insert(*return_id, lines.clone());
            order.return_values.insert(*return_id, value);
        }
        OrderEvent::Cancelled(transition) | OrderEvent::Failed(transition) => {
            order.ended(transition);
        }
    }
}
