//! The search for the fewest warehouses. Warehouses are numbers here, in order of rank.

use crate::SkuId;

/// How many sets of warehouses are tried before the greedy rule decides.
pub const SETS_TRIED_MAX: usize = 4_096;

/// What is wanted of one SKU, and how much of it each warehouse has.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) sku_id: SkuId,
    pub(super) wanted: u64,
    pub(super) available: Vec<u64>,
    /// What all active warehouses have, after soft holds.
    pub(super) total: u64,
    pub(super) backorder: bool,
}

/// The fewest of `warehouses` that serve all `demands`, ties by rank; all of them together must.
pub(super) fn fewest(demands: &[Demand], warehouses: usize) -> Vec<usize> {
    if demands.is_empty() {
        return vec![];
    }
    // Most orders end here, at the cost of one look at each line.
    if let Some(one) = (0..warehouses).find(|w| demands.iter().all(|d| d.available[*w] >= d.wanted))
    {
        return vec![one];
    }
    let owed = |d: &&Demand| d.wanted > d.total;
    if demands.iter().any(|d| owed(&d)) {
        return with_backorders(demands, warehouses);
    }
    cover(demands.iter().collect(), warehouses)
}

/// What is owed binds no warehouse: those that serve the rest of the order serve it too, and
/// without a rest the warehouse that has most of it, ties by rank.
fn with_backorders(demands: &[Demand], warehouses: usize) -> Vec<usize> {
    let rest: Vec<&Demand> = demands.iter().filter(|d| d.wanted <= d.total).collect();
    if !rest.is_empty() {
        return cover(rest, warehouses);
    }
    let served = |w: &usize| -> u64 { demands.iter().map(|d| d.available[*w].min(d.wanted)).sum() };
    (0..warehouses).max_by_key(|w| (served(w), std::cmp::Reverse(*w))).into_iter().collect()
}

fn cover(mut demands: Vec<&Demand>, warehouses: usize) -> Vec<usize> {
    let useful: Vec<usize> =
        (0..warehouses).filter(|w| demands.iter().any(|d| d.available[*w] > 0)).collect();
    let mut tried = 0;
    for size in 1..=useful.len() {
        let mut picks: Vec<usize> = (0..size).collect();
        loop {
            if tried == SETS_TRIED_MAX {
                return greedy(&demands, &useful);
            }
            tried += 1;
            let set: Vec<usize> = picks.iter().map(|pick| useful[*pick]).collect();
            match demands.iter().position(|d| !serves(d, &set)) {
                None => return set,
                // The line that ruled this set out is the likeliest to rule out the next.
                Some(short) => demands.swap(0, short),
            }
            if !next_combination(&mut picks, useful.len()) {
                break;
            }
        }
    }
    useful
}

fn serves(demand: &Demand, set: &[usize]) -> bool {
    set.iter().map(|w| demand.available[*w]).sum::<u64>() >= demand.wanted
}

/// Steps to the next combination in lexicographic order, which is the order of ranks.
fn next_combination(picks: &mut [usize], of: usize) -> bool {
    let size = picks.len();
    let Some(index) = (0..size).rev().find(|i| picks[*i] < of - size + i) else {
        return false;
    };
    picks[index] += 1;
    for later in index + 1..size {
        picks[later] = picks[later - 1] + 1;
    }
    true
}

/// Picks whichever warehouse serves most of what is left, then drops those not needed, the
/// least preferred first.
fn greedy(demands: &[&Demand], useful: &[usize]) -> Vec<usize> {
    let mut left: Vec<u64> = demands.iter().map(|d| d.wanted).collect();
    let mut candidates = useful.to_vec();
    let mut set = Vec::new();
    while left.iter().any(|units| *units > 0) {
        let served = |w: &usize| -> u64 {
            let here = demands.iter().zip(&left);
            here.map(|(d, units)| d.available[*w].min(*units)).sum()
        };
        let best = candidates.iter().copied().max_by_key(|w| (served(w), std::cmp::Reverse(*w)));
        let Some(best) = best else {
            return useful.to_vec();
        };
        candidates.retain(|w| *w != best);
        for (demand, units) in demands.iter().zip(&mut left) {
            *units -= demand.available[best].min(*units);
        }
        set.push(best);
    }
    set.sort_unstable();
    for unneeded in set.clone().into_iter().rev() {
        let without: Vec<usize> = set.iter().copied().filter(|w| *w != unneeded).collect();
        if demands.iter().all(|d| serves(d, &without)) {
            set = without;
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    fn demand(wanted: u64, available: &[u64]) -> Demand {
        Demand {
            sku_id: id(1),
            wanted,
            available: available.to_vec(),
            total: available.iter().sum(),
            backorder: false,
        }
    }

    #[test]
    fn the_greedy_rule_drops_what_proved_unnecessary() {
        // The first serves most at once, but the other two are needed anyway and suffice.
        let demands = [demand(3, &[2, 3, 0]), demand(3, &[2, 0, 3])];
        let demands: Vec<&Demand> = demands.iter().collect();
        assert_eq!(greedy(&demands, &[0, 1, 2]), [1, 2]);
    }

    #[test]
    fn combinations_come_in_order_of_rank_and_end() {
        let mut picks = vec![0, 1];
        let mut seen = vec![picks.clone()];
        while next_combination(&mut picks, 4) {
            seen.push(picks.clone());
        }
        assert_eq!(seen, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
    }
}
