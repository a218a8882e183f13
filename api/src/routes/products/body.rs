//! A product as everybody may see it: no wholesale prices but to who has them, and of sales only
//! those that hold.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::{PriceRule, Prices, Tier, WholesalePolicy, effective_price};
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, ProductId, SellerId, SkuId, Timestamp};
use projections::catalogue::{CategoryView, ProductSummary, ProductView, SkuView, Stars};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::shapes;

/// Ratings.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Stars)]
pub(crate) struct StarsBody {
    /// 1 to 5; null without ratings.
    mean: Option<f64>,
    count: u32,
    /// Of all ratings' stars: exact, where the mean is rounded.
    sum: u32,
}

impl From<Stars> for StarsBody {
    fn from(stars: Stars) -> Self {
        Self { mean: stars.mean(), count: stars.count, sum: stars.sum }
    }
}

/// What a list shows of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductSummary)]
pub(crate) struct ProductSummaryBody {
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    name: String,
    #[schema(value_type = Option<Uuid>)]
    category_id: Option<CategoryId>,
    brand: Option<String>,
    tags: BTreeSet<String>,
    #[schema(value_type = shapes::ProductStatus)]
    status: ProductStatus,
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    /// The lowest price that holds now for who asks, in minor units by currency.
    #[schema(value_type = BTreeMap<String, i64>)]
    lowest_prices: BTreeMap<Currency, i64>,
    in_stock: bool,
    stars: StarsBody,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<ProductSummary> for ProductSummaryBody {
    fn from(of: ProductSummary) -> Self {
        Self {
            product_id: of.product_id,
            name: of.name,
            category_id: of.category_id,
            brand: of.brand,
            tags: of.tags,
            status: of.status,
            seller_id: of.seller_id,
            lowest_prices: of.lowest_prices,
            in_stock: of.in_stock,
            stars: of.stars.into(),
            created_at: of.created_at,
        }
    }
}

/// A price that holds now.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Price)]
pub(crate) struct PriceBody {
    /// Minor units of the currency.
    minor: i64,
    #[schema(value_type = String, example = "GBP")]
    currency: Currency,
    #[schema(value_type = shapes::PriceRule)]
    price_rule: PriceRule,
}

/// A SKU that is for sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sku)]
pub(crate) struct SkuBody {
    #[schema(value_type = Uuid)]
    sku_id: SkuId,
    /// Colour, size and the like.
    attributes: BTreeMap<String, String>,
    weight_g: Option<u32>,
    barcode: Option<String>,
    /// Retail, one for each currency.
    prices: Vec<PriceBody>,
    /// Units at all warehouses that take part in new orders.
    available: i64,
}

/// One product with its SKUs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductBody {
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    /// As in the `ETag`; ratings and stock move without it.
    pub(crate) version: u64,
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    #[schema(value_type = shapes::ProductStatus)]
    status: ProductStatus,
    name: String,
    description: String,
    #[schema(value_type = Option<Uuid>)]
    category_id: Option<CategoryId>,
    /// Null without one, or where it was removed from the tree.
    #[schema(value_type = Option<shapes::Category>)]
    category: Option<CategoryView>,
    brand: Option<String>,
    tags: BTreeSet<String>,
    /// Minor units by currency.
    #[schema(value_type = BTreeMap<String, i64>)]
    base_prices: Prices,
    skus: Vec<SkuBody>,
    stars: StarsBody,
    /// Whether any SKU on sale has units.
    in_stock: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl ProductBody {
    pub(crate) fn at(view: ProductView, now: Timestamp) -> Self {
        let for_sale = view.skus.into_iter().filter(|sku| !sku.withdrawn);
        let skus = for_sale.map(|sku| SkuBody::at(sku, &view.base_prices, now)).collect();
        Self {
            product_id: view.product_id,
            version: view.version,
            seller_id: view.seller_id,
            status: view.status,
            name: view.details.name,
            description: view.details.description,
            category_id: view.details.category_id,
            category: view.category,
            brand: view.details.brand,
            tags: view.details.tags,
            base_prices: view.base_prices,
            skus,
            stars: view.stars.into(),
            in_stock: view.in_stock,
            created_at: view.created_at,
        }
    }
}

impl SkuBody {
    fn at(sku: SkuView, base: &Prices, now: Timestamp) -> Self {
        let book = &sku.prices;
        let own = book.own.keys().chain(book.sale.keys());
        let currencies: BTreeSet<Currency> = base.keys().chain(own).copied().collect();
        let policy = WholesalePolicy::default();
        let prices = currencies.into_iter().filter_map(|currency| {
            let price = effective_price(book, base, Tier::Retail, currency, now, policy)?;
            Some(PriceBody { minor: price.minor, currency, price_rule: price.rule })
        });
        Self {
            sku_id: sku.sku_id,
            prices: prices.collect(),
            attributes: sku.details.attributes,
            weight_g: sku.details.weight_g,
            barcode: sku.details.barcode,
            available: sku.available,
        }
    }
}
