//! Product: what a shopper looks at, and the SKUs under it that a shopper buys.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod change;
mod change_status;
mod create;
mod rejection;
mod skus;
#[cfg(test)]
mod tests;
mod validity;

pub use rejection::ProductRejection;

use crate::decider::Decider;
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

impl Decider for Product {
    const CATEGORY: &'static str = "product";

    type Id = ProductId;
    type State = ProductState;
    type Command = ProductCommand;
    type Event = ProductEvent;
    type Rejection = ProductRejection;

    fn decide(
        state: &ProductState,
        command: &ProductCommand,
    ) -> Result<Vec<ProductEvent>, ProductRejection> {
        use ProductCommand as C;
        match command {
            C::Create { product_id, seller_id, details, base_prices } => {
                create::decide(state.as_deref(), *product_id, *seller_id, details, base_prices)
            }
            C::ChangeDetails(details) => change::details(state.changeable()?, details),
            C::Reprice(base_prices) => change::base_prices(state.changeable()?, base_prices),
            C::ChangeStatus(to) => change_status::decide(state.as_deref(), *to),
            C::AddSku { sku_id, details, prices } => {
                skus::add(state.changeable()?, *sku_id, details, prices)
            }
            C::ChangeSkuDetails { sku_id, details } => {
                skus::change_details(state.changeable()?, *sku_id, details)
            }
            C::RepriceSku { sku_id, prices } => skus::reprice(state.changeable()?, *sku_id, prices),
            C::WithdrawSku { sku_id } => skus::withdraw(state.changeable()?, *sku_id),
        }
    }

    /// An event about a product or SKU that was never added changes nothing.
    fn evolve(state: &mut ProductState, event: &ProductEvent) {
        use ProductEvent as E;
        if let E::Created { product_id, seller_id, details, base_prices } = event {
            *state = Some(Box::new(ProductOnRecord {
                product_id: *product_id,
                seller_id: *seller_id,
                status: ProductStatus::Active,
                details: details.clone(),
                base_prices: base_prices.clone(),
                skus: BTreeMap::new(),
            }));
        }
        let Some(product) = state else { return };
        match event {
            E::Created { .. } => {}
            E::DetailsChanged(details) => product.details = details.clone(),
            E::Repriced { base_prices } => product.base_prices.clone_from(base_prices),
            E::StatusChanged { to, .. } => product.status = *to,
            E::SkuAdded { sku_id, details, prices } => {
                let sku =
                    Sku { details: details.clone(), prices: prices.clone(), withdrawn: false };
                product.skus.insert(*sku_id, sku);
            }
            E::SkuDetailsChanged { sku_id, details } => {
                if let Some(sku) = product.skus.get_mut(sku_id) {
                    sku.details = details.clone();
                }
            }
            E::SkuRepriced { sku_id, prices } => {
                if let Some(sku) = product.skus.get_mut(sku_id) {
                    sku.prices = prices.clone();
                }
            }
            E::SkuWithdrawn { sku_id } => {
                if let Some(sku) = product.skus.get_mut(sku_id) {
                    sku.withdrawn = true;
                }
            }
        }
    }
}

/// The product, if it can still change.
trait Changeable {
    fn changeable(&self) -> Result<&ProductOnRecord, ProductRejection>;
}

impl Changeable for ProductState {
    fn changeable(&self) -> Result<&ProductOnRecord, ProductRejection> {
        match self.as_deref() {
            None => Err(ProductRejection::NoSuchProduct),
            Some(product) if product.status == ProductStatus::Deleted => {
                Err(ProductRejection::ProductDeleted)
            }
            Some(product) => Ok(product),
        }
    }
}
