//! Categories: one tree for the shop, kept by one writer so that it stays a tree.
//!
//! The parent link is the truth. Nested-set bounds and paths are worked out from it by readers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::CategoryId;
use crate::decider::{AggregateId, IdKey};

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
    Removed { category_id: CategoryId },
}

#[derive(Debug, Clone, PartialEq)]
pub enum CategoryCommand {
    Add {
        category_id: CategoryId,
        parent_id: Option<CategoryId>,
        name: String,
        slug: String,
    },
    Rename {
        category_id: CategoryId,
        name: String,
        slug: String,
    },
    Move {
        category_id: CategoryId,
        parent_id: Option<CategoryId>,
    },
    Remove {
        category_id: CategoryId,
    },
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
