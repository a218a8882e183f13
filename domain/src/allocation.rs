//! Which warehouses serve an order: one if it can, else the fewest, ties by rank.
//!
//! Finding the fewest warehouses is a covering integer programme, which is NP-hard. Up to
//! [`SETS_TRIED_MAX`] sets of warehouses are tried, the smallest first, which is every set of up
//! to 12 warehouses and every pair of up to 90; beyond that the greedy rule of Dobson ("Worst-case
//! analysis of greedy heuristics for integer programming with nonnegative data", 1982) picks the
//! warehouse that serves most of what is left, and warehouses that proved unnecessary are dropped
//! again. The same question always has the same answer.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::inventory::{Allocation, SkuStock};
use crate::{Quantity, SkuId, WarehouseId};

mod search;
#[cfg(test)]
mod tests;

use search::Demand;
pub use search::SETS_TRIED_MAX;

/// A warehouse as far as the choice needs it: drawn on in order of rank, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub warehouse_id: WarehouseId,
    pub rank: u32,
    pub active: bool,
}

/// A line that cannot be served: how many units are wanted of the SKU, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShortLine {
    pub sku_id: SkuId,
    pub wanted: u64,
    pub available: u64,
}

/// Decides where the units of `lines` come from: all of them, or every line that is short.
///
/// Several lines of one SKU count together. A line without units needs nothing. A SKU without an
/// entry in `stock` has none. Where backorders are on, units that are there are taken first;
/// what is missing is owed by the first warehouse that serves the order anyway.
pub fn allocate(
    lines: &[(SkuId, u32)],
    stock: &BTreeMap<SkuId, SkuStock>,
    warehouses: &[Source],
) -> Result<BTreeMap<SkuId, Vec<Allocation>>, Vec<ShortLine>> {
    let mut wanted: BTreeMap<SkuId, u64> = BTreeMap::new();
    for (sku_id, units) in lines.iter().filter(|(_, units)| *units > 0) {
        *wanted.entry(*sku_id).or_default() += u64::from(*units);
    }
    let ranked = ranked(warehouses);
    let demands: Vec<Demand> = wanted
        .into_iter()
        .map(|(sku_id, wanted)| demand(sku_id, wanted, stock.get(&sku_id), &ranked))
        .collect();
    let short: Vec<ShortLine> = demands.iter().filter_map(|d| short_line(d, &ranked)).collect();
    if !short.is_empty() {
        return Err(short);
    }
    let chosen = search::fewest(&demands, ranked.len());
    Ok(demands.iter().map(|demand| (demand.sku_id, split(demand, &chosen, &ranked))).collect())
}

/// Active warehouses in the order they are drawn on.
fn ranked(warehouses: &[Source]) -> Vec<WarehouseId> {
    let mut active: Vec<&Source> = warehouses.iter().filter(|w| w.active).collect();
    active.sort_unstable_by_key(|w| (w.rank, w.warehouse_id));
    active.dedup_by_key(|w| w.warehouse_id);
    active.into_iter().map(|w| w.warehouse_id).collect()
}

fn demand(sku_id: SkuId, wanted: u64, stock: Option<&SkuStock>, ranked: &[WarehouseId]) -> Demand {
    let units_at = |warehouse_id| {
        let units = stock.and_then(|stock| stock.by_warehouse.get(warehouse_id));
        units.map_or(0, |units| u64::try_from(*units).unwrap_or(0))
    };
    let available: Vec<u64> = ranked.iter().map(units_at).collect();
    let there: u64 = available.iter().sum();
    let total = stock.map_or(0, |stock| u64::try_from(stock.total).unwrap_or(0));
    Demand {
        sku_id,
        wanted,
        available,
        total: there.min(total),
        backorder: stock.is_some_and(|stock| stock.backorder),
    }
}

fn short_line(demand: &Demand, ranked: &[WarehouseId]) -> Option<ShortLine> {
    // Beyond what one allocation can express, not even a backorder is taken.
    let expressible = demand.wanted <= u64::from(Quantity::MAX);
    let owed = demand.backorder && !ranked.is_empty() && expressible;
    (demand.wanted > demand.total && !owed).then_some(ShortLine {
        sku_id: demand.sku_id,
        wanted: demand.wanted,
        available: demand.total,
    })
}

/// Splits one SKU over the chosen warehouses: whole from the first that has it all, else in
/// order of rank.
fn split(demand: &Demand, chosen: &[usize], ranked: &[WarehouseId]) -> Vec<Allocation> {
    let whole = chosen.iter().copied().find(|w| demand.available[*w] >= demand.wanted);
    let mut left = demand.wanted;
    let mut units = vec![0_u64; ranked.len()];
    for warehouse in whole.map_or(chosen.to_vec(), |w| vec![w]) {
        let here = left.min(demand.available[warehouse]);
        units[warehouse] = here;
        left -= here;
    }
    // Only a backorder leaves something owed.
    if let Some(first) = chosen.first() {
        units[*first] += left;
    }
    units
        .iter()
        .zip(ranked)
        .filter_map(|(units, warehouse_id)| {
            let quantity = Quantity::new(u32::try_from(*units).ok()?).ok()?;
            Some(Allocation { warehouse_id: *warehouse_id, quantity })
        })
        .collect()
}
