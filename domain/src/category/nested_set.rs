//! The tree as a nested set (Celko): a subtree is one range of bounds.

use super::CategoryTree;
use crate::CategoryId;

/// One category of the nested set. Below it is everything whose bounds lie between its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedSetRow {
    pub category_id: CategoryId,
    /// Left bound, from 1.
    pub lft: u32,
    pub rgt: u32,
    /// 0 for a root.
    pub depth: u32,
    /// Slugs from the root down, joined by slashes.
    pub path: String,
}

/// Works out the bounds of the whole tree, in the order of left bounds.
#[must_use]
pub fn nested_set(tree: &CategoryTree) -> Vec<NestedSetRow> {
    let mut rows: Vec<NestedSetRow> = Vec::with_capacity(tree.nodes.len());
    let mut bound = 0;
    // Rows whose children are being visited, each with its children still to come.
    let mut open: Vec<(usize, std::slice::Iter<'_, CategoryId>)> = Vec::new();
    let mut roots = tree.roots.iter();
    loop {
        let siblings = match open.last_mut() {
            Some((_, children)) => children,
            None => &mut roots,
        };
        let Some(category_id) = siblings.next() else {
            let Some((row, _)) = open.pop() else {
                return rows;
            };
            bound += 1;
            rows[row].rgt = bound;
            continue;
        };
        let Some(node) = tree.nodes.get(category_id) else {
            continue;
        };
        let (path, depth) = match open.last().map(|(row, _)| &rows[*row]) {
            Some(parent) => (format!("{}/{}", parent.path, node.slug), parent.depth + 1),
            None => (node.slug.clone(), 0),
        };
        bound += 1;
        open.push((rows.len(), node.children.iter()));
        rows.push(NestedSetRow { category_id: *category_id, lft: bound, rgt: bound, depth, path });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::category::{Category, CategoryCommand as C, CategoryRejection};
    use crate::decider::Decider;
    use crate::testing::id;

    fn apply(tree: &mut CategoryTree, command: &C) -> Result<(), CategoryRejection> {
        for event in Category::decide(tree, command)? {
            Category::evolve(tree, &event);
        }
        assert_eq!(Category::decide(tree, command), Ok(vec![]), "{command:?} twice");
        Ok(())
    }

    fn add(category: u128, parent: Option<u128>) -> C {
        C::Add {
            category_id: id(category),
            parent_id: parent.map(id),
            name: format!("Category {category}"),
            slug: format!("c{category}"),
        }
    }

    #[test]
    fn bounds_enclose_the_subtree_and_paths_name_it() {
        let mut tree = CategoryTree::default();
        for (category, parent) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1)), (5, None)] {
            apply(&mut tree, &add(category, parent)).unwrap();
        }
        let rows: Vec<_> = nested_set(&tree)
            .into_iter()
            .map(|row| (row.lft, row.rgt, row.depth, row.path))
            .collect();
        let row = |lft, rgt, depth, path: &str| (lft, rgt, depth, path.to_owned());
        assert_eq!(
            rows,
            [
                row(1, 8, 0, "c1"),
                row(2, 5, 1, "c1/c2"),
                row(3, 4, 2, "c1/c2/c3"),
                row(6, 7, 1, "c1/c4"),
                row(9, 10, 0, "c5"),
            ]
        );
    }

    fn command() -> impl Strategy<Value = C> {
        let category = 1_u128..16;
        let parent = proptest::option::of(1_u128..16);
        (0..6, category, parent).prop_map(|(kind, category, parent)| match kind {
            0..=2 => add(category, parent),
            3..=4 => C::Move { category_id: id(category), parent_id: parent.map(id) },
            _ => C::Remove { category_id: id(category) },
        })
    }

    fn is_sound(tree: &CategoryTree) {
        let rows = nested_set(tree);
        assert_eq!(rows.len(), tree.nodes.len(), "every category has its place");
        let mut bounds: Vec<u32> = rows.iter().flat_map(|row| [row.lft, row.rgt]).collect();
        bounds.sort_unstable();
        let all = 1..=u32::try_from(rows.len() * 2).unwrap();
        assert!(bounds.into_iter().eq(all), "bounds are used once each");
        let within = |inner: &NestedSetRow, outer: &NestedSetRow| {
            outer.lft < inner.lft && inner.rgt < outer.rgt
        };
        for inner in &rows {
            let parent_id = tree.nodes[&inner.category_id].parent_id;
            assert_eq!(parent_id.is_none(), inner.depth == 0);
            for outer in rows.iter().filter(|row| *row != inner) {
                let apart = outer.rgt < inner.lft || inner.rgt < outer.lft;
                assert!(
                    apart || within(inner, outer) || within(outer, inner),
                    "bounds cross: {inner:?} {outer:?}"
                );
                let is_above =
                    tree.ancestry(inner.category_id).any(|above| above == outer.category_id);
                assert_eq!(within(inner, outer), is_above);
                if Some(outer.category_id) == parent_id {
                    assert_eq!(inner.depth, outer.depth + 1);
                    assert!(inner.path.starts_with(&format!("{}/", outer.path)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_adds_moves_and_removes_leave_bounds_that_nest(
            commands in proptest::collection::vec(command(), 0..60)
        ) {
            let mut tree = CategoryTree::default();
            for command in &commands {
                let before = tree.clone();
                if apply(&mut tree, command).is_err() {
                    assert_eq!(tree, before, "a refusal leaves no trace");
                }
                is_sound(&tree);
            }
        }
    }
}
