//! What whoever searches may find of a product.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, ProductId, SellerId, Timestamp};

use super::Stars;

/// A product as search engines take it in.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchDocument {
    /// Position of the product's first event: grows with age, the same after every rebuild.
    pub number: i64,
    pub product_id: ProductId,
    pub seller_id: SellerId,
    pub status: ProductStatus,
    pub name: String,
    pub description: String,
    pub brand: Option<String>,
    pub tags: BTreeSet<String>,
    /// From the root down to the product's own; empty without one, or where it was removed from the
    /// tree.
    pub categories: Vec<NamedCategory>,
    /// Values of each attribute among the SKUs on sale.
    pub attributes: BTreeMap<String, BTreeSet<String>>,
    /// The lowest price among the SKUs on sale, as a function of time.
    pub prices: Vec<TierPrice>,
    /// Whether any SKU on sale has units.
    pub in_stock: bool,
    pub stars: Stars,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCategory {
    pub category_id: CategoryId,
    pub name: String,
}

/// The lowest price in minor units that a tier pays, from an instant up to but without another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TierPrice {
    pub tier: TierKey,
    pub currency: Currency,
    /// Nanoseconds since 1970; the lowest number for "always was".
    pub from_ns: i64,
    /// The highest number for "until an event says otherwise".
    pub until_ns: i64,
    pub minor: i64,
}

/// A tier that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TierKey {
    Retail,
    Wholesale,
}

impl From<Tier> for TierKey {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Retail => Self::Retail,
            Tier::Wholesale => Self::Wholesale,
        }
    }
}

impl SearchDocument {
    /// The lowest price that holds at `now` for a tier, in minor units.
    #[must_use]
    pub fn price(&self, tier: Tier, currency: Currency, now_ns: i64) -> Option<i64> {
        let tier = TierKey::from(tier);
        self.prices
            .iter()
            .find(|price| {
                price.tier == tier
                    && price.currency == currency
                    && price.from_ns <= now_ns
                    && now_ns < price.until_ns
            })
            .map(|price| price.minor)
    }
}
