//! Which products changed since a reader looked last, each as its search document.
//!
//! Beside each product is the position its document last changed at: that of the batch's last
//! event, which is where the checkpoint is once the batch is committed. So whoever read at one
//! checkpoint finds everything that changed later by asking for what is past it, however the
//! events were cut into batches. That holds also for a reader that goes on with another copy of
//! the same rows, on another node, or after a server lost its last commits: what changed and
//! changed back within one batch is marked as well. Only of categories it is not, of which an
//! editor would have to do and undo something within a moment.

use std::collections::HashMap;

use crate::sql::{Connection, Row, Value, params};
use domain::category::CategoryTree;
use domain::{CategoryId, ProductId};
use journal::{JournalId, Position};

use super::categories::category_tree;
use super::product_row::{Content, Stars};
use super::{CategoryView, NamedCategory, SearchDocument};
use crate::id_column::id;
use crate::{StoreError, file};

pub(super) const TABLES: &str = "
    CREATE TABLE changed (number INTEGER PRIMARY KEY, position INTEGER NOT NULL);
    CREATE INDEX changed_by_position ON changed (position, number);
    CREATE TABLE tree_changed (
        one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
    INSERT INTO tree_changed VALUES (1, 0);";

/// Tables that depend on how events were cut into batches.
pub const DERIVED_TABLES: &[&str] = &["changed", "tree_changed"];

/// Most documents that [`changes`] gives at a time.
pub const CHANGES_MAX: usize = 10_000;

/// Categories whose products are marked by one statement.
const MARKED_TOGETHER: usize = 100;

/// Marks the products that a `SELECT number, …` with a `WHERE` finds. The position is already
/// that of the batch's end, see the feed.
macro_rules! mark {
    ($from:expr) => {
        concat!(
            "INSERT INTO changed SELECT product.number, (SELECT position FROM checkpoint) ",
            "FROM product WHERE ",
            $from,
            " ON CONFLICT (number) DO UPDATE SET position = excluded.position"
        )
    };
}

pub(super) use mark;

/// What [`changes`] found; all of it of one state of the store.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueChanges {
    /// The journal this catalogue is folded from.
    pub journal: JournalId,
    /// Everything up to here is in the documents.
    pub position: Position,
    /// By number, whatever their status.
    pub documents: Vec<SearchDocument>,
    /// All categories, each before what is below it, if any of them changed.
    pub categories: Option<Vec<CategoryView>>,
    /// Whether documents with higher numbers changed as well.
    pub more: bool,
}

/// Documents that changed after `since`, with numbers above `after_number`, at most `limit`
/// (1 to [`CHANGES_MAX`]; what is outside is brought in). With `since` 0 all there are.
///
/// A reader asks with the `position` of its last reading. Where there is `more` it goes on with
/// the same `since` behind the last number, and next time asks from the *lowest* `position` of
/// those pages, which is mostly the first one's: what changed while it read is told then. A
/// document may be told again although nothing in it changed.
///
/// The position is also that of another generation's rows, which may differ: whoever sees that
/// another one serves (`ReadModels::serving`) reads everything anew.
pub fn changes(
    connection: &Connection,
    since: Position,
    after_number: i64,
    limit: usize,
) -> Result<CatalogueChanges, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let checkpoint = file::checkpoint(connection)?
        .ok_or_else(|| StoreError::Other("the catalogue has no checkpoint".to_owned()))?;
    let tree_at: u64 = connection
        .prepare_cached("SELECT position FROM tree_changed")?
        .query_row([], |row| row.get(0))?;
    let tree = category_tree(connection)?;
    let paths = Paths::of(&tree);

    let limit = limit.clamp(1, CHANGES_MAX);
    // Behind a first page there are more than a few.
    let many = since.0 == 0 || after_number > 0;
    let mut statement = connection.prepare_cached(if many { EVERYTHING } else { PAST })?;
    let mut rows = statement.query(params![since.0, after_number, limit + 1])?;
    let mut documents = Vec::with_capacity(limit.min(1_024));
    let mut more = false;
    while let Some(row) = rows.next()? {
        if documents.len() == limit {
            more = true;
            break;
        }
        documents.push(document(&row, &paths)?);
    }
    let categories = (since.0 == 0 || tree_at > since.0).then_some(tree);
    let (journal, position) = (checkpoint.journal, checkpoint.position);
    Ok(CatalogueChanges { journal, position, documents, categories, more })
}

/// The documents of these products, whatever their status; unknown ones are left out.
pub fn documents_of(
    connection: &Connection,
    products: &[ProductId],
) -> Result<Vec<SearchDocument>, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let tree = category_tree(connection)?;
    let paths = Paths::of(&tree);
    let mut statement = connection.prepare_cached(
        "SELECT number, product_id, in_stock, stars_sum, stars_count, content
         FROM product JOIN product_content USING (number) WHERE product_id = ?1",
    )?;
    let mut documents = Vec::with_capacity(products.len());
    for product_id in products {
        let mut rows = statement.query([product_id.uuid().into_bytes()])?;
        if let Some(row) = rows.next()? {
            documents.push(document(&row, &paths)?);
        }
    }
    Ok(documents)
}

/// In order of numbers, as they are found: all pages together look at each row once.
const EVERYTHING: &str = "
    SELECT changed.number, product_id, in_stock, stars_sum, stars_count, content
    FROM changed JOIN product USING (number) JOIN product_content USING (number)
    WHERE changed.position > ?1 AND changed.number > ?2 ORDER BY changed.number LIMIT ?3";

/// The few that changed, found by their position and put in order.
const PAST: &str = "
    SELECT changed.number, product_id, in_stock, stars_sum, stars_count, content
    FROM changed INDEXED BY changed_by_position
        JOIN product USING (number) JOIN product_content USING (number)
    WHERE changed.position > ?1 AND changed.number > ?2 ORDER BY changed.number LIMIT ?3";

fn document(row: &Row<'_>, paths: &Paths<'_>) -> Result<SearchDocument, StoreError> {
    let (number, product_id): (i64, ProductId) = (row.get(0)?, id(row, 1)?);
    let content: Content = serde_json::from_str(row.get_ref(5)?.as_str()?)?;
    let prices = content.tier_prices();
    let product = content.product;
    let mut attributes = std::collections::BTreeMap::<String, std::collections::BTreeSet<_>>::new();
    for sku in product.skus.into_values().filter(|sku| !sku.withdrawn) {
        for (name, value) in sku.details.attributes {
            attributes.entry(name).or_default().insert(value);
        }
    }
    Ok(SearchDocument {
        number,
        product_id,
        seller_id: product.seller_id,
        status: product.status,
        categories: product.details.category_id.map(|id| paths.down_to(id)).unwrap_or_default(),
        name: product.details.name,
        description: product.details.description,
        brand: product.details.brand,
        tags: product.details.tags,
        attributes,
        prices,
        in_stock: row.get(2)?,
        stars: Stars { sum: row.get(3)?, count: row.get(4)? },
        created_at: content.created_at,
    })
}

/// Where each category is in the tree.
struct Paths<'t>(HashMap<CategoryId, &'t CategoryView>);

impl<'t> Paths<'t> {
    fn of(tree: &'t [CategoryView]) -> Self {
        Self(tree.iter().map(|category| (category.category_id, category)).collect())
    }

    /// From the root down; nothing for a category that is not in the tree.
    fn down_to(&self, category_id: CategoryId) -> Vec<NamedCategory> {
        let mut path = Vec::new();
        let mut next = Some(category_id);
        while let Some(category) = next.and_then(|id| self.0.get(&id)) {
            path.push(NamedCategory {
                category_id: category.category_id,
                name: category.name.clone(),
            });
            next = category.parent_id;
        }
        path.reverse();
        path
    }
}

/// Marks one product.
pub(super) fn mark_product(connection: &Connection, number: i64) -> Result<(), StoreError> {
    connection.prepare_cached(mark!("product.number = ?1"))?.execute([number])
}

/// Marks the tree, if it changed, and the products whose path of categories did.
pub(super) fn mark_tree(
    connection: &Connection,
    before: &CategoryTree,
    after: &CategoryTree,
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE tree_changed SET position = (SELECT position FROM checkpoint)")?
        .execute([])?;
    let elsewhere = other_paths(before, after);
    let places = vec!["?"; MARKED_TOGETHER].join(", ");
    let sql = mark!("category_id IN ({places})").replace("{places}", &places);
    let mut mark = connection.prepare_cached(&sql)?;
    for some in elsewhere.chunks(MARKED_TOGETHER) {
        let ids = some.iter().chain(some.last().into_iter().cycle()).take(MARKED_TOGETHER);
        let ids: Vec<Value> = ids.map(|id| Value::Blob(id.uuid().as_bytes().to_vec())).collect();
        mark.execute(ids.as_slice())?;
    }
    Ok(())
}

/// Categories whose path of ids and names is not the same in both trees.
fn other_paths(before: &CategoryTree, after: &CategoryTree) -> Vec<CategoryId> {
    let mut is_other: HashMap<CategoryId, bool> = HashMap::with_capacity(after.nodes.len());
    // Parents come before their children.
    for row in domain::category::nested_set(after) {
        let Some(node) = after.nodes.get(&row.category_id) else { continue };
        let same = before
            .nodes
            .get(&row.category_id)
            .is_some_and(|old| old.name == node.name && old.parent_id == node.parent_id);
        let below_other =
            node.parent_id.and_then(|parent| is_other.get(&parent)).copied().unwrap_or(false);
        is_other.insert(row.category_id, !same || below_other);
    }
    let gone = before.nodes.keys().filter(|id| !is_other.contains_key(id)).copied();
    let mut all: Vec<CategoryId> = gone.collect();
    all.extend(is_other.iter().filter(|(_, other)| **other).map(|(id, _)| *id));
    all.sort_unstable();
    all
}
