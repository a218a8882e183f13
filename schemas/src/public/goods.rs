//! What is told of products, SKUs and their stock.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::{Prices, SalePrice};
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, OrderId, ProductId, SellerId, SkuId, WarehouseId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is said about a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductText {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
}

/// A seller offers a new product. Prices are minor units by currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductCreated {
    pub product_id: ProductId,
    pub seller_id: SellerId,
    pub details: ProductText,
    #[schemars(with = "BTreeMap<String, i64>")]
    pub base_prices: Prices,
}

/// What is said about a product is this from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductChanged {
    pub product_id: ProductId,
    pub details: ProductText,
}

/// A product's base prices are these from now on, minor units by currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductRepriced {
    pub product_id: ProductId,
    #[schemars(with = "BTreeMap<String, i64>")]
    pub base_prices: Prices,
}

/// A product went on sale, off sale, or was deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductStatusChanged {
    pub product_id: ProductId,
    pub previous_status: ProductStatus,
    pub new_status: ProductStatus,
}

/// What is said about a SKU: colour, size and the like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkuText {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
}

/// A SKU's own prices, minor units by currency. What wholesale customers pay is not told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkuPrices {
    /// Overrides the product's base price.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, i64>")]
    pub own: Prices,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, SalePrice>")]
    pub sale: BTreeMap<Currency, SalePrice>,
}

/// A product got a SKU that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkuAdded {
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub details: SkuText,
    pub prices: SkuPrices,
}

/// What is said about a SKU is this from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkuChanged {
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub details: SkuText,
}

/// A SKU's prices are these from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkuRepriced {
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub prices: SkuPrices,
}

/// A SKU was taken off sale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkuWithdrawn {
    pub sku_id: SkuId,
    pub product_id: ProductId,
}

/// The stock of one SKU changed by these numbers of units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockChanged {
    pub sku_id: SkuId,
    pub cause: StockCause,
    /// Where it was for an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Each warehouse once.
    pub changes: Vec<StockChange>,
}

/// What moved the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockCause {
    Received,
    Counted,
    WrittenOff,
    /// Kept from sale, or no longer.
    UnavailableSet,
    Held,
    Released,
    Shipped,
    Returned,
}

/// Units more, or less where negative, at one warehouse.
/// What can be sold is on hand − held − unavailable − what carts have set aside for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockChange {
    pub warehouse_id: WarehouseId,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub on_hand: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unavailable: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
