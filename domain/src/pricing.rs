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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    const NOW: i64 = 1_000;

    /// Wholesale 700, on sale for 600 until `NOW` + 1, own 900; the product 1,000.
    fn book() -> PriceBook {
        PriceBook {
            own: [(Currency::GBP, 900)].into(),
            sale: [(Currency::GBP, SalePrice { minor: 600, ends_at: Some(at(NOW + 1)) })].into(),
            wholesale: [(Currency::GBP, 700)].into(),
        }
    }

    fn product() -> Prices {
        [(Currency::GBP, 1_000), (Currency::USD, 1_300)].into()
    }

    fn price(book: &PriceBook, tier: Tier, now: i64) -> Option<EffectivePrice> {
        let policy = WholesalePolicy::WholesaleFirst;
        effective_price(book, &product(), tier, Currency::GBP, at(now), policy)
    }

    fn is(minor: i64, rule: PriceRule) -> Option<EffectivePrice> {
        Some(EffectivePrice { minor, rule })
    }

    #[test]
    fn a_sale_ends_before_the_instant_it_ends_at() {
        let book = book();
        assert_eq!(price(&book, Tier::Retail, NOW), is(600, PriceRule::Sale));
        assert_eq!(price(&book, Tier::Retail, NOW + 1), is(900, PriceRule::Sku));
        let just_before = at(NOW + 1) - chrono::TimeDelta::nanoseconds(1);
        assert_eq!(
            effective_price(
                &book,
                &product(),
                Tier::Retail,
                Currency::GBP,
                just_before,
                WholesalePolicy::WholesaleFirst
            ),
            is(600, PriceRule::Sale)
        );
    }

    #[test]
    fn a_sale_without_an_end_is_open_ended() {
        let mut book = book();
        book.sale.insert(Currency::GBP, SalePrice { minor: 600, ends_at: None });
        assert_eq!(price(&book, Tier::Retail, i64::from(u32::MAX)), is(600, PriceRule::Sale));
    }

    #[test]
    fn a_rule_without_a_price_falls_through_to_the_next() {
        let mut book = book();
        book.wholesale.clear();
        assert_eq!(price(&book, Tier::Wholesale, NOW), is(600, PriceRule::Sale));
        book.sale.clear();
        assert_eq!(price(&book, Tier::Wholesale, NOW), is(900, PriceRule::Sku));
        book.own.clear();
        assert_eq!(price(&book, Tier::Wholesale, NOW), is(1_000, PriceRule::Product));
    }

    #[test]
    fn wholesale_comes_first_even_above_a_sale_unless_the_lowest_wins() {
        let tier = Tier::Wholesale;
        assert_eq!(price(&book(), tier, NOW), is(700, PriceRule::Wholesale));
        let lowest = |now| {
            let policy = WholesalePolicy::LowestWins;
            effective_price(&book(), &product(), tier, Currency::GBP, at(now), policy)
        };
        assert_eq!(lowest(NOW), is(600, PriceRule::Sale));
        assert_eq!(lowest(NOW + 1), is(700, PriceRule::Wholesale));
    }

    #[test]
    fn a_retail_customer_never_pays_wholesale() {
        let mut book = book();
        book.sale.clear();
        for policy in [WholesalePolicy::WholesaleFirst, WholesalePolicy::LowestWins] {
            assert_eq!(
                effective_price(&book, &product(), Tier::Retail, Currency::GBP, at(NOW), policy),
                is(900, PriceRule::Sku)
            );
        }
    }

    #[test]
    fn each_currency_has_its_own_prices_and_none_is_converted() {
        let policy = WholesalePolicy::WholesaleFirst;
        let in_currency =
            |c| effective_price(&book(), &product(), Tier::Wholesale, c, at(NOW), policy);
        assert_eq!(in_currency(Currency::USD), is(1_300, PriceRule::Product));
        assert_eq!(in_currency(Currency::EUR), None);
    }
}
