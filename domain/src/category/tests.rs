//! The rules of the tree, one each.

use super::*;
use crate::decider::{Rejection, RejectionKind};
use crate::testing::{Given, given, id};

fn added(category: u128, parent: Option<u128>, slug: &str) -> CategoryEvent {
    CategoryEvent::Added {
        category_id: id(category),
        parent_id: parent.map(id),
        name: slug.to_owned(),
        slug: slug.to_owned(),
    }
}

fn add(category: u128, parent: Option<u128>, slug: &str) -> CategoryCommand {
    CategoryCommand::Add {
        category_id: id(category),
        parent_id: parent.map(id),
        name: slug.to_owned(),
        slug: slug.to_owned(),
    }
}

fn move_to(category: u128, parent: Option<u128>) -> CategoryCommand {
    CategoryCommand::Move { category_id: id(category), parent_id: parent.map(id) }
}

fn moved(category: u128, parent: Option<u128>) -> CategoryEvent {
    CategoryEvent::Moved { category_id: id(category), parent_id: parent.map(id) }
}

/// clothes > shirts > linen, and shoes.
fn shop() -> Given<Category> {
    given([
        added(1, None, "clothes"),
        added(2, Some(1), "shirts"),
        added(3, Some(2), "linen"),
        added(4, None, "shoes"),
    ])
}

#[test]
fn a_category_is_added_once_below_a_known_parent() {
    shop()
        .when(add(5, Some(4), "boots"))
        .then_once([added(5, Some(4), "boots")])
        .when(add(5, Some(1), "boots"))
        .then_rejected(CategoryRejection::CategoryExists { category_id: id(5) })
        .when(add(6, Some(99), "x"))
        .then_rejected(CategoryRejection::NoSuchParent { parent_id: id(99) });
}

#[test]
fn a_move_below_itself_is_refused_naming_both() {
    for below in [1, 2, 3] {
        shop().when(move_to(1, Some(below))).then_rejected(CategoryRejection::CategoryCycle {
            category_id: id(1),
            parent_id: id(below),
        });
    }
}

#[test]
fn a_subtree_moves_as_a_whole_and_once() {
    let moved = shop().when(move_to(2, Some(4))).then_once([moved(2, Some(4))]);
    let paths: Vec<_> = nested_set(moved.state()).into_iter().map(|row| row.path).collect();
    assert_eq!(paths, ["clothes", "shoes", "shoes/shirts", "shoes/shirts/linen"]);
}

#[test]
fn siblings_have_different_slugs_but_cousins_may_share_one() {
    shop()
        .when(add(5, None, "shoes"))
        .then_rejected(CategoryRejection::SlugTaken { slug: "shoes".into(), category_id: id(4) })
        .when(add(5, Some(1), "shoes"))
        .then_once([added(5, Some(1), "shoes")])
        .when(move_to(5, None))
        .then_refused(|r| matches!(r, CategoryRejection::SlugTaken { .. }))
        .when(CategoryCommand::Rename {
            category_id: id(4),
            name: "Clothes".into(),
            slug: "clothes".into(),
        })
        .then_refused(|r| matches!(r, CategoryRejection::SlugTaken { .. }));
}

#[test]
fn only_a_category_without_children_is_removed() {
    shop()
        .when(CategoryCommand::Remove { category_id: id(2) })
        .then_rejected(CategoryRejection::CategoryHasChildren { category_id: id(2), children: 1 })
        .when(CategoryCommand::Remove { category_id: id(3) })
        .then_once([CategoryEvent::Removed { category_id: id(3) }]);
}

#[test]
fn a_tree_has_a_greatest_depth_also_after_a_move() {
    let chain = (1..=32).map(|n| added(n, (n > 1).then(|| n - 1), "x"));
    given::<Category>(chain)
        .and([added(100, None, "y")])
        .when(add(33, Some(32), "z"))
        .then_rejected(CategoryRejection::TreeTooDeep { max: 32, depth: 33 })
        .when(move_to(1, Some(100)))
        .then_rejected(CategoryRejection::TreeTooDeep { max: 32, depth: 33 })
        .when(move_to(2, Some(100)))
        .then_once([moved(2, Some(100))]);
}

#[test]
fn slugs_are_fit_for_addresses() {
    for slug in ["", "a/b", "A", "a b", "..", "a?b"] {
        shop().when(add(5, None, slug)).then_refused(|r| r.kind() == RejectionKind::Invalid);
    }
    for slug in ["cama_mesa", "büro", "30-cm"] {
        shop().when(add(5, None, slug)).then_once([added(5, None, slug)]);
    }
}

#[test]
fn an_event_nobody_decided_does_not_harm_the_fold() {
    let odd = shop()
        .and([moved(1, Some(3)), moved(9, None), added(2, Some(2), "again")])
        .and([CategoryEvent::Removed { category_id: id(1) }]);
    let rows = nested_set(odd.state());
    assert!(rows.len() <= odd.state().nodes.len());
    assert!(odd.state().ancestry(id(3)).count() <= 4);
}
