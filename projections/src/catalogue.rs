//! The shop window: products with their SKUs, prices, ratings and whether they are in stock, and
//! the category tree as a nested set.
//!
//! Events of a product change its own row, stock events only the row of one SKU at one
//! warehouse, so that what sells best does not rewrite its product. Whether a product is in
//! stock is worked out again from both when either side of it flips. Soft holds are left out:
//! units in somebody's cart are still in stock for everybody to see.

mod categories;
mod changes;
mod list;
mod price_spans;
mod product_row;
mod product_view;
mod search_document;
mod stock;

#[cfg(test)]
mod tests;

use crate::sql::Connection;
use domain::category::{Category, CategoryTree};
use domain::rating::RatingEvent;
use domain::warehouse::WarehouseEvent;
use domain::{Decider, ProductId, SkuId, WarehouseId};
use schemas::AnyEvent;

pub use categories::{CategoryView, category, category_tree, subtree};
pub use changes::{CHANGES_MAX, CatalogueChanges, DERIVED_TABLES, changes, documents_of};
pub use list::{
    Cursor, CursorError, Filter, LIMIT_MAX, Page, PriceRange, ProductSummary, Request, Sort, Start,
    list,
};
pub use product_row::Stars;
pub use product_view::{ProductView, SkuView, product, products};
pub use search_document::{NamedCategory, SearchDocument, TierKey, TierPrice};

use crate::id_column::stream_id;
use crate::{Envelope, Projector, StoreError};
use product_row::ProductRow;
use stock::StockRow;

/// The read model; see the module.
#[derive(Debug)]
pub struct Catalogue;

/// Names a row of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatalogueKey {
    Product(ProductId),
    /// Units of one SKU at one warehouse.
    Stock(SkuId, WarehouseId),
    Warehouse(WarehouseId),
    /// All categories.
    Tree,
}

/// A row of the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueRow(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Product(Box<ProductRow>),
    Stock(StockRow),
    /// A warehouse that takes no part in new orders.
    ClosedWarehouse,
    Tree(CategoryTree),
}

impl Projector for Catalogue {
    type Key = CatalogueKey;
    type Row = CatalogueRow;

    const NAME: &'static str = "catalogue";
    const VERSION: u32 = 2;

    fn follows(category: &str) -> bool {
        matches!(category, "product" | "category" | "rating" | "inventory" | "warehouse")
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(product_row::TABLES)?;
        connection.execute_batch(stock::TABLES)?;
        connection.execute_batch(categories::TABLES)?;
        connection.execute_batch(changes::TABLES)?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<CatalogueKey>) {
        match &event.event {
            AnyEvent::Product(_) => keys.extend(stream_id(event).map(CatalogueKey::Product)),
            AnyEvent::Rating(
                RatingEvent::Given { product_id, .. } | RatingEvent::Changed { product_id, .. },
            ) => keys.push(CatalogueKey::Product(*product_id)),
            AnyEvent::Inventory(inventory) => {
                if let Some(sku_id) = stream_id::<SkuId>(event) {
                    stock::each_warehouse(inventory, |warehouse_id| {
                        let key = CatalogueKey::Stock(sku_id, warehouse_id);
                        if !keys.contains(&key) {
                            keys.push(key);
                        }
                    });
                }
            }
            AnyEvent::Warehouse(WarehouseEvent::Activated {} | WarehouseEvent::Deactivated {}) => {
                keys.extend(stream_id(event).map(CatalogueKey::Warehouse));
            }
            AnyEvent::Category(_) => keys.push(CatalogueKey::Tree),
            _ => {}
        }
    }

    fn fold(
        key: &CatalogueKey,
        row: Option<CatalogueRow>,
        event: &Envelope,
    ) -> Option<CatalogueRow> {
        let row = row.map(|row| row.0);
        let row = match (key, &event.event) {
            (CatalogueKey::Product(_), _) => {
                let product = match row {
                    Some(Kind::Product(product)) => Some(product),
                    _ => None,
                };
                ProductRow::fold(product, event).map(Kind::Product)
            }
            (CatalogueKey::Stock(_, warehouse_id), AnyEvent::Inventory(inventory)) => {
                let stock = match row {
                    Some(Kind::Stock(stock)) => stock,
                    _ => StockRow::default(),
                };
                Some(Kind::Stock(stock.after(*warehouse_id, inventory)))
            }
            (CatalogueKey::Warehouse(_), AnyEvent::Warehouse(warehouse)) => match warehouse {
                WarehouseEvent::Deactivated {} => Some(Kind::ClosedWarehouse),
                WarehouseEvent::Activated {} => None,
                WarehouseEvent::Opened { .. } | WarehouseEvent::DetailsChanged(_) => row,
            },
            (CatalogueKey::Tree, AnyEvent::Category(category)) => {
                let mut tree = match row {
                    Some(Kind::Tree(tree)) => tree,
                    _ => CategoryTree::default(),
                };
                Category::evolve(&mut tree, category);
                (!tree.nodes.is_empty()).then_some(Kind::Tree(tree))
            }
            _ => row,
        };
        row.map(CatalogueRow)
    }

    fn load(
        connection: &Connection,
        key: &CatalogueKey,
    ) -> Result<Option<CatalogueRow>, StoreError> {
        let row = match key {
            CatalogueKey::Product(id) => {
                product_row::load(connection, *id)?.map(|product| Kind::Product(Box::new(product)))
            }
            CatalogueKey::Stock(sku_id, warehouse_id) => {
                stock::load(connection, *sku_id, *warehouse_id)?.map(Kind::Stock)
            }
            CatalogueKey::Warehouse(id) => {
                stock::is_closed(connection, *id)?.then_some(Kind::ClosedWarehouse)
            }
            CatalogueKey::Tree => categories::load(connection)?.map(Kind::Tree),
        };
        Ok(row.map(CatalogueRow))
    }

    fn save(
        connection: &Connection,
        key: &CatalogueKey,
        before: Option<&CatalogueRow>,
        after: Option<&CatalogueRow>,
    ) -> Result<(), StoreError> {
        let [before, after] = [before, after].map(|row| row.map(|row| &row.0));
        match (key, after) {
            (CatalogueKey::Product(_), Some(Kind::Product(product))) => {
                let before = match before {
                    Some(Kind::Product(before)) => Some(before.as_ref()),
                    _ => None,
                };
                product_row::save(connection, before, product)
            }
            (CatalogueKey::Stock(sku_id, warehouse_id), Some(Kind::Stock(stock))) => {
                let before = match before {
                    Some(Kind::Stock(before)) => *before,
                    _ => StockRow::default(),
                };
                stock::save(connection, *sku_id, *warehouse_id, before, *stock)
            }
            (CatalogueKey::Warehouse(id), after) => {
                stock::set_closed(connection, *id, after.is_some())
            }
            (CatalogueKey::Tree, after) => {
                let nothing = CategoryTree::default();
                let [before, after] = [before, after].map(|row| match row {
                    Some(Kind::Tree(tree)) => tree,
                    _ => &nothing,
                });
                categories::save(connection, after)?;
                changes::mark_tree(connection, before, after)
            }
            // Products and stock are never deleted: a deleted product says so itself.
            _ => Ok(()),
        }
    }
}
