//! Questions about the tree, and the two steps every change is made of.

use super::{CategoryNode, CategoryRejection, CategoryTree};
use crate::{BrokenRule, CategoryId, rule};

/// The most categories the tree has.
pub(super) const NODES_MAX: usize = 20_000;
/// The most categories from a root down to a leaf, both counted.
pub(super) const DEPTH_MAX: usize = 32;

impl CategoryTree {
    /// Children of `parent_id`, or the roots, in order.
    #[must_use]
    pub fn children(&self, parent_id: Option<CategoryId>) -> &[CategoryId] {
        match parent_id {
            None => &self.roots,
            Some(parent_id) => {
                self.nodes.get(&parent_id).map_or(&[], |node| node.children.as_slice())
            }
        }
    }

    /// `category_id` and everything above it, upwards.
    pub fn ancestry(&self, category_id: CategoryId) -> impl Iterator<Item = CategoryId> + '_ {
        std::iter::successors(Some(category_id), |id| self.nodes.get(id)?.parent_id)
            // A foreign stream could hold a circle; no path is longer than there are categories.
            .take(self.nodes.len())
    }

    /// Categories from `category_id` down to its deepest leaf, both counted.
    pub(super) fn height(&self, category_id: CategoryId) -> usize {
        let mut level = vec![category_id];
        let mut height = 0;
        while !level.is_empty() && height <= self.nodes.len() {
            height += 1;
            level = level.iter().flat_map(|id| self.children(Some(*id))).copied().collect();
        }
        height
    }

    pub(super) fn known(
        &self,
        category_id: CategoryId,
    ) -> Result<&CategoryNode, CategoryRejection> {
        self.nodes.get(&category_id).ok_or(CategoryRejection::NoSuchCategory { category_id })
    }

    /// Refuses a place below an unknown category, too deep for `height` more levels, or beside a
    /// sibling with the same slug.
    pub(super) fn has_place(
        &self,
        category_id: CategoryId,
        parent_id: Option<CategoryId>,
        slug: &str,
        height: usize,
    ) -> Result<(), CategoryRejection> {
        let above = match parent_id {
            None => 0,
            Some(parent_id) if self.nodes.contains_key(&parent_id) => {
                self.ancestry(parent_id).count()
            }
            Some(parent_id) => return Err(CategoryRejection::NoSuchParent { parent_id }),
        };
        if above + height > DEPTH_MAX {
            return Err(CategoryRejection::TreeTooDeep { max: DEPTH_MAX, depth: above + height });
        }
        self.slug_is_free(category_id, parent_id, slug)
    }

    pub(super) fn slug_is_free(
        &self,
        category_id: CategoryId,
        parent_id: Option<CategoryId>,
        slug: &str,
    ) -> Result<(), CategoryRejection> {
        let has_slug = |id: &&CategoryId| self.nodes.get(id).is_some_and(|n| n.slug == slug);
        let mut siblings = self.children(parent_id).iter();
        match siblings.find(|id| **id != category_id && has_slug(id)) {
            None => Ok(()),
            Some(sibling) => {
                Err(CategoryRejection::SlugTaken { slug: slug.to_owned(), category_id: *sibling })
            }
        }
    }

    /// Takes a category out of its parent's children; its own stay below it.
    pub(super) fn detach(&mut self, category_id: CategoryId) {
        let Some(node) = self.nodes.get(&category_id) else {
            return;
        };
        match node.parent_id {
            None => self.roots.retain(|id| *id != category_id),
            Some(parent_id) => {
                if let Some(parent) = self.nodes.get_mut(&parent_id) {
                    parent.children.retain(|id| *id != category_id);
                }
            }
        }
    }

    /// Makes a category the last child of `parent_id`, or the last root.
    pub(super) fn attach(&mut self, category_id: CategoryId, parent_id: Option<CategoryId>) {
        let parent_id = parent_id
            .filter(|parent_id| *parent_id != category_id && self.nodes.contains_key(parent_id));
        match parent_id.and_then(|parent_id| self.nodes.get_mut(&parent_id)) {
            Some(parent) => parent.children.push(category_id),
            None => self.roots.push(category_id),
        }
        if let Some(node) = self.nodes.get_mut(&category_id) {
            node.parent_id = parent_id;
        }
    }
}

/// Names are shown; slugs stand in addresses, joined by slashes.
pub(super) fn check_names(name: &str, slug: &str) -> Result<(), BrokenRule> {
    rule::text("name", name, 1..=200)?;
    rule::text("slug", slug, 1..=100)?;
    let in_slugs = |c: char| c.is_alphanumeric() && !c.is_uppercase() || matches!(c, '-' | '_');
    if slug.chars().all(in_slugs) {
        return Ok(());
    }
    let expected = "lower-case letters, digits, hyphens and underscores";
    Err(BrokenRule::new("slug", expected, format!("`{slug}`")))
}
