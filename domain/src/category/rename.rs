//! Renames a category where it is.

use super::tree::check_names;
use super::{CategoryEvent, CategoryRejection, CategoryTree};
use crate::CategoryId;

pub(super) fn decide(
    tree: &CategoryTree,
    category_id: CategoryId,
    name: &str,
    slug: &str,
) -> Result<Vec<CategoryEvent>, CategoryRejection> {
    check_names(name, slug)?;
    let node = tree.known(category_id)?;
    if node.name == name && node.slug == slug {
        return Ok(vec![]);
    }
    tree.slug_is_free(category_id, node.parent_id, slug)?;
    Ok(vec![CategoryEvent::Renamed { category_id, name: name.to_owned(), slug: slug.to_owned() }])
}
