//! Browsing: what shoppers looked at, and what they were shown. Hints for whoever recommends, not
//! facts that anything is decided by: nothing is refused here, and counts may fall short.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CustomerId, ProductId, Timestamp};

/// Most products in one event; more go into several.
pub const PRODUCTS_MAX: usize = 100;

/// Where in the shop products are put before a shopper.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The front page.
    Home,
    /// A list that was searched for or browsed.
    Search,
    /// What is like a product.
    Similar,
    /// What is bought together with a product.
    FrequentlyBoughtTogether,
}

impl Place {
    pub const ALL: [Self; 4] =
        [Self::Home, Self::Search, Self::Similar, Self::FrequentlyBoughtTogether];

    /// As it is written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Search => "search",
            Self::Similar => "similar",
            Self::FrequentlyBoughtTogether => "frequently_bought_together",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often a product's page was looked at within a window of a second or so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductViews {
    pub product_id: ProductId,
    /// From 1.
    pub times: u32,
    /// The last of them.
    pub last_at: Timestamp,
}

/// How often a product was shown and clicked within a window, by all shoppers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductImpressions {
    pub product_id: ProductId,
    pub shown: u32,
    /// A click may come in a later window than what was clicked, so there can be more of these.
    pub clicked: u32,
}

/// What is kept of browsing, in journals of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BrowsingEvent {
    /// Pages of products were looked at: by this customer, or by guests, all of them together, who
    /// leave no trace of their own.
    Viewed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_id: Option<CustomerId>,
        /// 1 to 100, each once.
        products: Vec<ProductViews>,
    },
    /// Products were put before shoppers, and some were clicked.
    Shown {
        place: Place,
        /// 1 to 100, each once.
        products: Vec<ProductImpressions>,
    },
    /// The customer was erased: what they looked at, before and after, is not to be used any more.
    Forgotten { customer_id: CustomerId },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_as_it_is_written() {
        for place in Place::ALL {
            let written = serde_json::to_value(place).unwrap();
            assert_eq!(written, place.name());
            assert_eq!(place.to_string(), place.name());
        }
    }
}
