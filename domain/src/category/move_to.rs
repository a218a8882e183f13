//! Moves a category with everything below it.

use super::{CategoryEvent, CategoryRejection, CategoryTree};
use crate::CategoryId;

/// Moving to the parent it has makes it the last child; the last child is there already.
pub(super) fn decide(
    tree: &CategoryTree,
    category_id: CategoryId,
    parent_id: Option<CategoryId>,
) -> Result<Vec<CategoryEvent>, CategoryRejection> {
    let node = tree.known(category_id)?;
    if node.parent_id == parent_id && tree.children(parent_id).last() == Some(&category_id) {
        return Ok(vec![]);
    }
    if let Some(parent_id) = parent_id
        && tree.ancestry(parent_id).any(|above| above == category_id)
    {
        return Err(CategoryRejection::CategoryCycle { category_id, parent_id });
    }
    tree.has_place(category_id, parent_id, &node.slug, tree.height(category_id))?;
    Ok(vec![CategoryEvent::Moved { category_id, parent_id }])
}
