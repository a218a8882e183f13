//! The category tree as a nested set in memory: what is below a category is one range of places.

use std::collections::HashMap;
use std::ops::Range;

use domain::CategoryId;
use projections::catalogue::CategoryView;

/// Categories in the order of the tree, each before what is below it; a category's index in that
/// order is its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    views: Vec<CategoryView>,
    places: HashMap<CategoryId, u32>,
}

#[derive(Debug, Clone)]
struct Node {
    id: CategoryId,
    parent: Option<u32>,
    /// Below this and from the node's own place on are the category and all below it.
    end: u32,
}

impl Tree {
    pub(super) fn new(categories: &[CategoryView]) -> Self {
        let mut categories: Vec<&CategoryView> = categories.iter().collect();
        categories.sort_by_key(|category| category.lft);
        let places: HashMap<CategoryId, u32> =
            categories.iter().map(|category| category.category_id).zip(0..).collect();
        let nodes = categories
            .iter()
            .map(|category| Node {
                id: category.category_id,
                parent: category.parent_id.and_then(|parent| places.get(&parent).copied()),
                end: categories.partition_point(|other| other.lft <= category.rgt) as u32,
            })
            .collect();
        let views = categories.into_iter().cloned().collect();
        Self { nodes, views, places }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn place(&self, id: CategoryId) -> Option<u32> {
        self.places.get(&id).copied()
    }

    pub(super) fn view(&self, place: u32) -> Option<&CategoryView> {
        self.views.get(place as usize)
    }

    pub(super) fn id(&self, place: u32) -> Option<CategoryId> {
        self.nodes.get(place as usize).map(|node| node.id)
    }

    /// Places of the category and of all below it.
    pub(super) fn subtree(&self, place: u32) -> Range<u32> {
        place..self.nodes.get(place as usize).map_or(place, |node| node.end)
    }

    /// From the root down to the category at the place.
    pub(super) fn path(&self, place: u32) -> Vec<CategoryId> {
        let mut path = Vec::new();
        let mut next = Some(place);
        while let Some(node) = next.and_then(|place| self.nodes.get(place as usize)) {
            path.push(node.id);
            // A parent comes before its child; anything else would go round for ever.
            next = node.parent.filter(|parent| Some(*parent) < next);
        }
        path.reverse();
        path
    }

    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.places.capacity() * (size_of::<(CategoryId, u32)>() + 1)
    }
}
