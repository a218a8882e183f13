//! Goods on their way: shipping lines and their arrival, by hand.

use std::collections::BTreeMap;

use commands::{Once, RequestKey, Stop, Unit, known};
use domain::inventory::{Inventory, InventoryCommand};
use domain::order::{By, LineUnits, Order, OrderCommand, OrderStatus};
use domain::shipment::{Shipment, ShipmentCommand};
use domain::{OrderId, Quantity, ShipmentId, SkuId};
use serde::{Deserialize, Serialize};

use crate::checkout::ShopPolicy;

/// Units of an order that leave the house together.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    /// `None`: everything that has not left yet.
    pub lines: Option<Vec<LineUnits>>,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Shipped {
    shipment_id: ShipmentId,
}

/// Ships units: the order's lines move on, its holds leave the house, and the parcel is on record.
pub fn ship(
    unit: &mut Unit<'_>,
    key: Option<&RequestKey>,
    order_id: OrderId,
    shipment_id: ShipmentId,
    parcel: &Parcel,
) -> Result<Once<ShipmentId>, Stop> {
    let once = unit.once(key, |unit| {
        ship_new(unit, order_id, shipment_id, parcel)?;
        Ok(Shipped { shipment_id })
    })?;
    Ok(Once { value: once.value.shipment_id, replayed: once.replayed })
}

fn ship_new(
    unit: &mut Unit<'_>,
    order_id: OrderId,
    shipment_id: ShipmentId,
    parcel: &Parcel,
) -> Result<(), Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    let order = known(order, "order", order_id)?;
    let lines = parcel.lines.clone().unwrap_or_else(|| order.unshipped());
    let mut units: BTreeMap<SkuId, u32> = BTreeMap::new();
    for line in &lines {
        // The order refuses lines it does not have.
        if let Some(progress) = order.lines.get(&line.line) {
            let sum = units.entry(progress.sku_id).or_default();
            *sum = sum.saturating_add(line.quantity.get());
        }
    }
    let by = By { actor: unit.actor(), now: unit.now() };
    let command = OrderCommand::Ship { shipment_id, lines: lines.clone(), by };
    if unit.execute::<Order>(&order_id, &command)? == 0 {
        return Ok(());
    }
    let skus: Vec<SkuId> = units.keys().copied().collect();
    unit.prefetch::<Inventory>(&skus)?;
    for (sku_id, units) in units {
        if let Ok(quantity) = Quantity::new(units) {
            let warehouse_id = None;
            let command = InventoryCommand::Ship { order_id, shipment_id, quantity, warehouse_id };
            unit.execute::<Inventory>(&sku_id, &command)?;
        }
    }
    unit.begin::<Shipment>(&shipment_id);
    let command = ShipmentCommand::Dispatch {
        shipment_id,
        order_id,
        lines,
        carrier: parcel.carrier.clone(),
        tracking_number: parcel.tracking_number.clone(),
    };
    unit.execute::<Shipment>(&shipment_id, &command)?;
    Ok(())
}

/// Marks a parcel as arrived. Harmless when repeated.
pub fn deliver(unit: &mut Unit<'_>, shipment_id: ShipmentId) -> Result<OrderId, Stop> {
    let shipment = unit.state::<Shipment>(&shipment_id)?.as_ref();
    let order_id = known(shipment, "shipment", shipment_id)?.order_id;
    let now = unit.now();
    let by = By { actor: unit.actor(), now };
    unit.execute::<Order>(&order_id, &OrderCommand::Deliver { shipment_id, by })?;
    unit.execute::<Shipment>(&shipment_id, &ShipmentCommand::Deliver { delivered_at: now })?;
    Ok(order_id)
}

/// Starts work on a confirmed order. Harmless when repeated.
pub fn start_processing(unit: &mut Unit<'_>, order_id: OrderId) -> Result<(), Stop> {
    let by = By { actor: unit.actor(), now: unit.now() };
    known(unit.state::<Order>(&order_id)?.as_ref(), "order", order_id)?;
    unit.execute::<Order>(&order_id, &OrderCommand::StartProcessing(by))?;
    Ok(())
}

/// Does `step`, and starts work on the order in the same unit if that step confirmed it and the
/// shop's orders start by themselves: so it does not matter who brings the news that it is paid.
pub(crate) fn starting_when_confirmed<T>(
    unit: &mut Unit<'_>,
    policy: &ShopPolicy,
    order_id: OrderId,
    step: impl FnOnce(&mut Unit<'_>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let was_confirmed = is_confirmed(unit, order_id)?;
    let done = step(unit)?;
    if policy.starts_processing && !was_confirmed && is_confirmed(unit, order_id)? {
        start_processing(unit, order_id)?;
    }
    Ok(done)
}

fn is_confirmed(unit: &mut Unit<'_>, order_id: OrderId) -> Result<bool, Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    Ok(order.is_some_and(|order| order.status == OrderStatus::Confirmed))
}
