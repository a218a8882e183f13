//! Which price applies to whom, and when.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, Timestamp};

/// Amounts in minor units, at most one for each currency; never converted.
pub type Prices = BTreeMap<CurrencyKey, i64>;

/// A currency as a map key.
pub type CurrencyKey = Currency;

/// A sale price; open-ended without `ends_at`, which is the first instant it no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SalePrice {
    pub minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
}

/// The prices of one SKU, by kind and currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceBook {
    /// The SKU's own price, which overrides its product's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, i64>")]
    pub own: Prices,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, SalePrice>")]
    pub sale: BTreeMap<CurrencyKey, SalePrice>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, i64>")]
    pub wholesale: Prices,
}

/// What a customer is charged by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    #[default]
    Retail,
    Wholesale,
}

/// The rule a price came from; recorded on the order line.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PriceRule {
    Wholesale,
    Sale,
    Sku,
    Product,
    /// Agreed outside the price list: an import, or support.
    Agreed,
}

/// How a wholesale customer's price is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholesalePolicy {
    /// The wholesale price whenever there is one, even above a retail sale.
    #[default]
    WholesaleFirst,
    /// The lowest of all prices that hold.
    LowestWins,
}

/// A price in minor units of the currency asked for, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectivePrice {
    pub minor: i64,
    pub rule: PriceRule,
}

/// Resolves the price `tier` pays at `now`: wholesale, else a sale that has not ended, else the
/// SKU's own, else the product's. A rule without a price in `currency` falls through; `None` if
/// none has one.
#[must_use]
pub fn effective_price(
    sku: &PriceBook,
    product: &Prices,
    tier: Tier,
    currency: Currency,
    now: Timestamp,
    policy: WholesalePolicy,
) -> Option<EffectivePrice> {
    let wholesale = match tier {
        Tier::Wholesale => sku.wholesale.get(&currency).copied(),
        Tier::Retail => None,
    };
    let sale = sku
        .sale
        .get(&currency)
        .filter(|sale| sale.ends_at.is_none_or(|end| now < end))
        .map(|sale| sale.minor);
    let in_order = [
        (PriceRule::Wholesale, wholesale),
        (PriceRule::Sale, sale),
        (PriceRule::Sku, sku.own.get(&currency).copied()),
        (PriceRule::Product, product.get(&currency).copied()),
    ];
    let mut holding = in_order
        .into_iter()
        .filter_map(|(rule, minor)| minor.map(|minor| EffectivePrice { minor, rule }));
    match (tier, policy) {
        (Tier::Wholesale, WholesalePolicy::LowestWins) => holding.min_by_key(|p| (p.minor, p.rule)),
        _ => holding.next(),
    }
}
