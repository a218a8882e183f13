//! Categories: one tree for the shop, kept by one writer so that it stays a tree.
//!
//! The parent link is the truth. Nested-set bounds and paths are worked out from it by readers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod add;
mod move_to;
mod nested_set;
mod rejection;
mod remove;
mod rename;
mod tree;

#[cfg(test)]
mod tests;

pub use nested_set::{NestedSetRow, nested_set};
pub use rejection::CategoryRejection;

use crate::CategoryId;
use crate::decider::{AggregateId, Decider, IdKey};

/// The one tree of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeId;

impl AggregateId for TreeId {
    fn key(&self) -> IdKey {
        IdKey::Uuid(Uuid::nil())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum CategoryEvent {
    /// Added as the last child of `parent_id`, or as a root.
    Added {
        category_id: CategoryId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_id: Option<CategoryId>,
        name: String,
        /// Names the category in addresses; unique among its siblings.
        slug: String,
    },
    Renamed {
        category_id: CategoryId,
        name: String,
        slug: String,
    },
    /// Moved with its whole subtree to be the last child of `parent_id`, or a root.
    Moved {
        category_id: CategoryId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_id: Option<CategoryId>,
    },
    /// Removed; it had no children.
    Removed {
        category_id: CategoryId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum CategoryCommand {
    Add { category_id: CategoryId, parent_id: Option<CategoryId>, name: String, slug: String },
    Rename { category_id: CategoryId, name: String, slug: String },
    Move { category_id: CategoryId, parent_id: Option<CategoryId> },
    Remove { category_id: CategoryId },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryNode {
    pub parent_id: Option<CategoryId>,
    pub name: String,
    pub slug: String,
    /// Children in order.
    pub children: Vec<CategoryId>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CategoryTree {
    pub roots: Vec<CategoryId>,
    pub nodes: BTreeMap<CategoryId, CategoryNode>,
}

/// The aggregate.
#[derive(Debug)]
pub struct Category;

impl Decider for Category {
    const CATEGORY: &'static str = "category";

    type Id = TreeId;
    type State = CategoryTree;
    type Command = CategoryCommand;
    type Event = CategoryEvent;
    type Rejection = CategoryRejection;

    fn decide(
        tree: &CategoryTree,
        command: &CategoryCommand,
    ) -> Result<Vec<CategoryEvent>, CategoryRejection> {
        use CategoryCommand as C;
        match command {
            C::Add { category_id, parent_id, name, slug } => {
                add::decide(tree, *category_id, *parent_id, name, slug)
            }
            C::Rename { category_id, name, slug } => rename::decide(tree, *category_id, name, slug),
            C::Move { category_id, parent_id } => move_to::decide(tree, *category_id, *parent_id),
            C::Remove { category_id } => remove::decide(tree, *category_id),
        }
    }

    /// Decisions keep the tree a tree. An event about an unknown category changes nothing, one
    /// that names an unknown parent makes a root.
    fn evolve(tree: &mut CategoryTree, event: &CategoryEvent) {
        match event {
            CategoryEvent::Added { category_id, parent_id, name, slug } => {
                tree.detach(*category_id);
                let node = CategoryNode {
                    parent_id: None,
                    name: name.clone(),
                    slug: slug.clone(),
                    children: Vec::new(),
                };
                tree.nodes.insert(*category_id, node);
                tree.attach(*category_id, *parent_id);
            }
            CategoryEvent::Renamed { category_id, name, slug } => {
                if let Some(node) = tree.nodes.get_mut(category_id) {
                    node.name.clone_from(name);
                    node.slug.clone_from(slug);
                }
            }
            CategoryEvent::Moved { category_id, parent_id } => {
                if tree.nodes.contains_key(category_id) {
                    tree.detach(*category_id);
                    tree.attach(*category_id, *parent_id);
                }
            }
            CategoryEvent::Removed { category_id } => {
                tree.detach(*category_id);
                tree.nodes.remove(category_id);
            }
        }
    }
}
