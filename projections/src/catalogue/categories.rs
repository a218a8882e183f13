//! The category tree as a nested set (Celko, Trees and Hierarchies in SQL): what is below a
//! category is one range of left bounds. The table is written anew when the tree changes.

use crate::sql::{Connection, OptionalExtension, Row, params};
use domain::CategoryId;
use domain::category::{CategoryNode, CategoryTree, nested_set};
use serde::Serialize;

use crate::StoreError;
use crate::id_column::{id, optional_id};

pub(super) const TABLES: &str = "
    CREATE TABLE category (
        lft INTEGER PRIMARY KEY, rgt INTEGER NOT NULL, depth INTEGER NOT NULL,
        category_id BLOB NOT NULL UNIQUE, parent_id BLOB,
        name TEXT NOT NULL, slug TEXT NOT NULL, path TEXT NOT NULL);";

const COLUMNS: &str = "category_id, parent_id, name, slug, lft, rgt, depth, path";

/// A category and its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryView {
    pub category_id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub name: String,
    pub slug: String,
    /// Left bound, from 1. Below a category is everything whose bounds lie between its own.
    pub lft: u32,
    pub rgt: u32,
    /// 0 for a root.
    pub depth: u32,
    /// Slugs from the root down, joined by slashes.
    pub path: String,
}

/// All categories, each before what is below it, siblings in their order.
pub fn category_tree(connection: &Connection) -> Result<Vec<CategoryView>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM category ORDER BY lft"))?;
    let rows = statement.query_map([], view)?;
    rows.collect::<Result<_, _>>()
}

/// `None` for an unknown category.
pub fn category(
    connection: &Connection,
    category_id: CategoryId,
) -> Result<Option<CategoryView>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM category WHERE category_id = ?1"))?
        .query_row([category_id.uuid().into_bytes()], view)
        .optional()
}

/// A category and everything below it, in the order of the whole tree; nothing for an unknown
/// category.
pub fn subtree(
    connection: &Connection,
    category_id: CategoryId,
) -> Result<Vec<CategoryView>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM category
         WHERE lft BETWEEN (SELECT lft FROM category WHERE category_id = ?1)
                       AND (SELECT rgt FROM category WHERE category_id = ?1)
         ORDER BY lft"
    ))?;
    let rows = statement.query_map([category_id.uuid().into_bytes()], view)?;
    rows.collect::<Result<_, _>>()
}

fn view(row: &Row<'_>) -> Result<CategoryView, StoreError> {
    Ok(CategoryView {
        category_id: id(row, 0)?,
        parent_id: optional_id(row, 1)?,
        name: row.get(2)?,
        slug: row.get(3)?,
        lft: row.get(4)?,
        rgt: row.get(5)?,
        depth: row.get(6)?,
        path: row.get(7)?,
    })
}

/// Reads the tree back from its bounds; `None` if there are no categories.
pub(super) fn load(connection: &Connection) -> Result<Option<CategoryTree>, StoreError> {
    let mut tree = CategoryTree::default();
    for row in category_tree(connection)? {
        // Parents come before their children, siblings in their order.
        match row.parent_id.and_then(|parent| tree.nodes.get_mut(&parent)) {
            Some(parent) => parent.children.push(row.category_id),
            None => tree.roots.push(row.category_id),
        }
        tree.nodes.insert(
            row.category_id,
            CategoryNode {
                parent_id: row.parent_id,
                name: row.name,
                slug: row.slug,
                children: Vec::new(),
            },
        );
    }
    Ok((!tree.nodes.is_empty()).then_some(tree))
}

pub(super) fn save(connection: &Connection, tree: &CategoryTree) -> Result<(), StoreError> {
    connection.execute("DELETE FROM category", [])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO category VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for row in nested_set(tree) {
        if let Some(node) = tree.nodes.get(&row.category_id) {
            insert.execute(params![
                row.lft,
                row.rgt,
                row.depth,
                row.category_id.uuid().into_bytes(),
                node.parent_id.map(|id| id.uuid().into_bytes()),
                node.name,
                node.slug,
                row.path
            ])?;
        }
    }
    Ok(())
}
