//! Product: what a shopper looks at, and the SKUs under it that a shopper buys.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pricing::{PriceBook, Prices};
use crate::{CategoryId, ProductId, SellerId, SkuId};

/// Whether a product is for sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    Active,
    Inactive,
    Deleted,
}

/// What is said about a product. Names have 1 to 500 characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductDetails {
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

/// What is said about a SKU: colour, size and the like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkuDetails {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ProductEvent {
    Created {
        product_id: ProductId,
        seller_id: SellerId,
        #[serde(flatten)]
        details: ProductDetails,
        /// Base prices, minor units by currency.
        #[schemars(with = "BTreeMap<String, i64>")]
        base_prices: Prices,
    },
    DetailsChanged(ProductDetails),
    Repriced {
        #[schemars(with = "BTreeMap<String, i64>")]
        base_prices: Prices,
    },
    StatusChanged {
        from: ProductStatus,
        to: ProductStatus,
    },
    SkuAdded {
        sku_id: SkuId,
        #[serde(flatten)]
        details: SkuDetails,
        prices: PriceBook,
    },
    SkuDetailsChanged {
        sku_id: SkuId,
        #[serde(flatten)]
        details: SkuDetails,
    },
    SkuRepriced {
        sku_id: SkuId,
        prices: PriceBook,
    },
    /// Taken off sale; its stock and past orders stay.
    SkuWithdrawn {
        sku_id: SkuId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum ProductCommand {
    Create {
        product_id: ProductId,
        seller_id: SellerId,
        details: ProductDetails,
        base_prices: Prices,
    },
    ChangeDetails(ProductDetails),
    Reprice(Prices),
    ChangeStatus(ProductStatus),
    AddSku {
        sku_id: SkuId,
        details: SkuDetails,
        prices: PriceBook,
    },
    ChangeSkuDetails {
        sku_id: SkuId,
        details: SkuDetails,
    },
    RepriceSku {
        sku_id: SkuId,
        prices: PriceBook,
    },
    WithdrawSku {
        sku_id: SkuId,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sku {
    pub details: SkuDetails,
    pub prices: PriceBook,
    pub withdrawn: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductOnRecord {
    pub product_id: ProductId,
    pub seller_id: SellerId,
    pub status: ProductStatus,
    pub details: ProductDetails,
    pub base_prices: Prices,
    pub skus: BTreeMap<SkuId, Sku>,
}

/// `None` until created.
pub type ProductState = Option<Box<ProductOnRecord>>;

/// The aggregate.
#[derive(Debug)]
pub struct Product;
