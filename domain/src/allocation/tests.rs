//! The rules of the choice, one each, and the search against trying everything.

use proptest::prelude::*;

use super::*;
use crate::testing::{id, units};

fn warehouse(number: u128, rank: u32) -> Source {
    Source { warehouse_id: id(number), rank, active: true }
}

fn stock(by_warehouse: &[(u128, i64)]) -> SkuStock {
    SkuStock {
        by_warehouse: by_warehouse.iter().map(|(w, n)| (id(*w), *n)).collect(),
        total: by_warehouse.iter().map(|(_, n)| (*n).max(0)).sum(),
        backorder: false,
    }
}

fn from(warehouse: u128, quantity: u32) -> Allocation {
    Allocation { warehouse_id: id(warehouse), quantity: units(quantity) }
}

type Served = Result<BTreeMap<SkuId, Vec<Allocation>>, Vec<ShortLine>>;

fn served(lines: &[(u128, u32)], shelf: &[(u128, SkuStock)], warehouses: &[Source]) -> Served {
    let lines: Vec<_> = lines.iter().map(|(sku, n)| (id(*sku), *n)).collect();
    let shelf = shelf.iter().map(|(sku, s)| (id(*sku), s.clone())).collect();
    allocate(&lines, &shelf, warehouses)
}

fn each(expected: &[(u128, &[Allocation])]) -> Served {
    let entry = |(sku, list): &(u128, &[Allocation])| (id(*sku), list.to_vec());
    Ok(expected.iter().map(entry).collect())
}

#[test]
fn one_warehouse_serves_all_lines_if_it_can_even_a_less_preferred_one() {
    let shelf = [(1, stock(&[(10, 5), (11, 5)])), (2, stock(&[(10, 1), (11, 5)]))];
    let warehouses = [warehouse(10, 1), warehouse(11, 2)];
    assert_eq!(
        served(&[(1, 2), (2, 2)], &shelf, &warehouses),
        each(&[(1, &[from(11, 2)]), (2, &[from(11, 2)])])
    );
}

#[test]
fn ties_go_by_rank_then_id_and_never_to_an_inactive_warehouse() {
    let shelf = [(1, stock(&[(10, 5), (11, 5), (12, 5), (13, 5)]))];
    let mut warehouses = [warehouse(13, 2), warehouse(12, 3), warehouse(11, 3), warehouse(10, 1)];
    warehouses[3].active = false;
    assert_eq!(served(&[(1, 5)], &shelf, &warehouses), each(&[(1, &[from(13, 5)])]));
}

#[test]
fn of_equal_ranks_the_lower_id_is_drawn_on() {
    let shelf = [(1, stock(&[(11, 5), (12, 5)]))];
    let warehouses = [warehouse(12, 3), warehouse(11, 3)];
    assert_eq!(served(&[(1, 5)], &shelf, &warehouses), each(&[(1, &[from(11, 5)])]));
}

#[test]
fn an_order_no_warehouse_has_alone_is_split_over_the_fewest() {
    // The first two cannot do it, the first and the third can.
    let shelf = [(1, stock(&[(10, 3), (11, 1), (12, 4)]))];
    let warehouses = [warehouse(10, 1), warehouse(11, 2), warehouse(12, 3)];
    assert_eq!(served(&[(1, 7)], &shelf, &warehouses), each(&[(1, &[from(10, 3), from(12, 4)])]));
}

#[test]
fn a_line_is_not_split_when_a_chosen_warehouse_has_it_whole() {
    let shelf = [(1, stock(&[(10, 2), (11, 5)])), (2, stock(&[(10, 5)]))];
    let warehouses = [warehouse(10, 1), warehouse(11, 2)];
    assert_eq!(
        served(&[(1, 4), (2, 1)], &shelf, &warehouses),
        each(&[(1, &[from(11, 4)]), (2, &[from(10, 1)])])
    );
}

#[test]
fn one_refusal_names_every_short_line() {
    let shelf = [(1, stock(&[(10, 5)])), (2, stock(&[(10, 1)]))];
    let short = |sku, wanted, available| ShortLine { sku_id: id(sku), wanted, available };
    assert_eq!(
        served(&[(3, 1), (1, 5), (2, 2)], &shelf, &[warehouse(10, 1)]),
        Err(vec![short(2, 2, 1), short(3, 1, 0)])
    );
    assert_eq!(
        served(&[(1, 1)], &shelf, &[]),
        Err(vec![short(1, 1, 0)]),
        "nobody serves without a warehouse"
    );
}

#[test]
fn lines_of_one_sku_count_together() {
    let shelf = [(1, stock(&[(10, 5)]))];
    let warehouses = [warehouse(10, 1)];
    assert!(served(&[(1, 3), (1, 3)], &shelf, &warehouses).is_err());
    assert_eq!(
        served(&[(1, 3), (1, 2), (1, 0)], &shelf, &warehouses),
        each(&[(1, &[from(10, 5)])])
    );
}

#[test]
fn soft_holds_of_others_cap_all_warehouses_together() {
    let mut capped = stock(&[(10, 3), (11, 3)]);
    capped.total = 4;
    let warehouses = [warehouse(10, 1), warehouse(11, 2)];
    assert!(served(&[(1, 5)], &[(1, capped.clone())], &warehouses).is_err());
    assert!(served(&[(1, 4)], &[(1, capped)], &warehouses).is_ok());
}

#[test]
fn a_backorder_takes_what_is_there_and_owes_the_rest() {
    let mut owed = stock(&[(11, 2)]);
    owed.backorder = true;
    let warehouses = [warehouse(10, 1), warehouse(11, 2)];
    // With nothing else to serve, from where most of it is.
    assert_eq!(served(&[(1, 5)], &[(1, owed.clone())], &warehouses), each(&[(1, &[from(11, 5)])]));
    // With another line, from where that one comes from.
    let shelf = [(1, owed), (2, stock(&[(10, 1)]))];
    assert_eq!(
        served(&[(1, 5), (2, 1)], &shelf, &warehouses),
        each(&[(1, &[from(10, 5)]), (2, &[from(10, 1)])])
    );
}

#[test]
fn very_many_warehouses_are_still_answered_soon_and_in_full() {
    let warehouses: Vec<_> = (0..60).map(|n| warehouse(100 + n, 1)).collect();
    let shelf: Vec<_> = (0..50)
        .map(|sku| {
            let places: Vec<_> = (0..60).filter(|w| w % 7 == sku % 7).collect();
            let places: Vec<_> = places.iter().map(|w| (100 + w, 1)).collect();
            (sku, stock(&places))
        })
        .collect();
    let lines: Vec<_> = (0..50).map(|sku| (sku, 3)).collect();
    let answer = served(&lines, &shelf, &warehouses).unwrap();
    assert_eq!(answer, served(&lines, &shelf, &warehouses).unwrap());
    for list in answer.values() {
        assert_eq!(list.iter().map(|a| a.quantity.get()).sum::<u32>(), 3);
    }
    let used: std::collections::BTreeSet<_> =
        answer.values().flatten().map(|a| a.warehouse_id).collect();
    assert_eq!(used.len(), 21, "three for each of seven groups");
}

fn warehouses_of(answer: &BTreeMap<SkuId, Vec<Allocation>>) -> Vec<WarehouseId> {
    let mut used: Vec<_> = answer.values().flatten().map(|a| a.warehouse_id).collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// The fewest warehouses, found by trying every set.
fn fewest_by_trying_all(lines: &[u32], shelf: &[Vec<i64>]) -> Option<u32> {
    let warehouses = shelf.first().map_or(0, Vec::len);
    (0_u32..1 << warehouses)
        .filter(|set| {
            lines.iter().zip(shelf).all(|(wanted, units)| {
                let inside = units.iter().enumerate().filter(|(w, _)| set & (1 << w) != 0);
                inside.map(|(_, n)| n).sum::<i64>() >= i64::from(*wanted)
            })
        })
        .map(u32::count_ones)
        .min()
}

proptest! {
    #[test]
    fn the_search_finds_the_fewest_and_promises_only_what_is_there(
        lines in proptest::collection::vec(1_u32..9, 1..5),
        shelf in proptest::collection::vec(proptest::collection::vec(0_i64..5, 6), 5),
    ) {
        let warehouses: Vec<_> = (0..6).map(|n| warehouse(100 + n, 1)).collect();
        let shelf = &shelf[..lines.len()];
        let stocks: Vec<_> = shelf.iter().zip(0..).map(|(row, sku)| {
            let places: Vec<_> = (100..).zip(row.iter().copied()).collect();
            (sku, stock(&places))
        }).collect();
        let wanted: Vec<_> = (0..).zip(lines.iter().copied()).collect();
        let answer = served(&wanted, &stocks, &warehouses);
        match fewest_by_trying_all(&lines, shelf) {
            None => assert!(answer.is_err()),
            Some(fewest) => {
                let answer = answer.unwrap();
                assert_eq!(warehouses_of(&answer).len(), fewest as usize);
                for (sku, units) in &wanted {
                    let list = &answer[&id(*sku)];
                    assert_eq!(list.iter().map(|a| a.quantity.get()).sum::<u32>(), *units);
                    for a in list {
                        let there = stocks[usize::try_from(*sku).unwrap()].1.by_warehouse[&a.warehouse_id];
                        assert!(i64::from(a.quantity.get()) <= there);
                    }
                }
            }
        }
    }
}
