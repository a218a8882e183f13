//! The stock desk: holds all lines of an order in one unit, or names every line that is short.
//!
//! It decides in memory, with no lock, so orders for the same SKUs in any order cannot block
//! each other.

use std::collections::BTreeMap;

use domain::allocation::{Source, allocate};
use domain::inventory::{Inventory, InventoryCommand};
use domain::warehouse::Warehouse;
use domain::{CartId, OrderId, RejectionKind, SkuId, WarehouseId};

use crate::refusal::{Refused, Stop};
use crate::unit::Unit;

/// Holds `wanted` units of each SKU for the order: from one warehouse if it can, else from the
/// fewest, ties by rank. Units in the order's own cart count as available to it.
pub fn hold_all(
    unit: &mut Unit<'_>,
    order_id: OrderId,
    wanted: &BTreeMap<SkuId, u32>,
    from_cart: Option<CartId>,
) -> Result<(), Stop> {
    let now = unit.now();
    let skus: Vec<SkuId> = wanted.keys().copied().collect();
    unit.prefetch::<Inventory>(&skus)?;

    let mut stock = BTreeMap::new();
    for sku_id in &skus {
        let inventory = unit.state::<Inventory>(sku_id)?;
        stock.insert(*sku_id, inventory.stock(now, from_cart));
    }
    let mut places: Vec<WarehouseId> =
        stock.values().flat_map(|offer| offer.by_warehouse.keys().copied()).collect();
    places.sort_unstable();
    places.dedup();
    unit.prefetch::<Warehouse>(&places)?;
    let mut warehouses = Vec::with_capacity(places.len());
    for warehouse_id in places {
        if let Some(warehouse) = unit.state::<Warehouse>(&warehouse_id)? {
            let (rank, active) = (warehouse.details.rank, warehouse.active);
            warehouses.push(Source { warehouse_id, rank, active });
        }
    }

    let lines: Vec<(SkuId, u32)> = wanted.iter().map(|(sku, units)| (*sku, *units)).collect();
    let allocated = allocate(&lines, &stock, &warehouses).map_err(|short| {
        let named = serde_json::to_value(&short).unwrap_or_default();
        let message = format!("{} of {} lines cannot be met from stock", short.len(), lines.len());
        Refused::new(RejectionKind::Conflict, "insufficient_stock", message).with("short", named)
    })?;
    for (sku_id, allocations) in allocated {
        let command = InventoryCommand::Hold { order_id, allocations, from_cart, now };
        unit.execute::<Inventory>(&sku_id, &command)?;
    }
    Ok(())
}

/// Ends what is still held for the order of these SKUs.
pub fn release_all(unit: &mut Unit<'_>, order_id: OrderId, skus: &[SkuId]) -> Result<(), Stop> {
    unit.prefetch::<Inventory>(skus)?;
    for sku_id in skus {
        let command = InventoryCommand::Release { order_id, units: None };
        unit.execute::<Inventory>(sku_id, &command)?;
    }
    Ok(())
}
