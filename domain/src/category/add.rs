//! Adds a category as the last child of its parent.

use super::tree::{NODES_MAX, check_names};
use super::{CategoryEvent, CategoryRejection, CategoryTree};
use crate::CategoryId;

pub(super) fn decide(
    tree: &CategoryTree,
    category_id: CategoryId,
    parent_id: Option<CategoryId>,
    name: &str,
    slug: &str,
) -> Result<Vec<CategoryEvent>, CategoryRejection> {
    check_names(name, slug)?;
    if let Some(known) = tree.nodes.get(&category_id) {
        let same = known.parent_id == parent_id && known.name == name && known.slug == slug;
        return if same {
            Ok(vec![])
        } else {
            Err(CategoryRejection::CategoryExists { category_id })
        };
    }
    if tree.nodes.len() >= NODES_MAX {
        return Err(CategoryRejection::TreeFull { max: NODES_MAX });
    }
    tree.has_place(category_id, parent_id, slug, 1)?;
    Ok(vec![CategoryEvent::Added {
        category_id,
        parent_id,
        name: name.to_owned(),
        slug: slug.to_owned(),
    }])
}
