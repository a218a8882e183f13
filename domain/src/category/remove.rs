//! Removes a category that has no children.

use super::{CategoryEvent, CategoryRejection, CategoryTree};
use crate::CategoryId;

/// One that is not there was removed already.
pub(super) fn decide(
    tree: &CategoryTree,
    category_id: CategoryId,
) -> Result<Vec<CategoryEvent>, CategoryRejection> {
    match tree.nodes.get(&category_id) {
        None => Ok(vec![]),
        Some(node) if node.children.is_empty() => Ok(vec![CategoryEvent::Removed { category_id }]),
        Some(node) => Err(CategoryRejection::CategoryHasChildren {
            category_id,
            children: node.children.len(),
        }),
    }
}
