//! Prices as they come in: minor units by currency.

use std::collections::BTreeMap;

use domain::pricing::{PriceBook, Prices, SalePrice};
use domain::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sale price; open-ended without `ends_at`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SalePriceBody {
    minor: i64,
    /// The first instant it no longer holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

/// The prices of one SKU, by kind and currency.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PriceBookBody {
    /// Overrides the product's: `{"GBP": 1999}`.
    #[schema(value_type = BTreeMap<String, i64>)]
    own: Prices,
    #[schema(value_type = BTreeMap<String, SalePriceBody>)]
    sale: BTreeMap<Currency, SalePriceBody>,
    #[schema(value_type = BTreeMap<String, i64>)]
    wholesale: Prices,
}

impl From<PriceBook> for PriceBookBody {
    fn from(book: PriceBook) -> Self {
        let sale = |(currency, sale): (Currency, SalePrice)| {
            (currency, SalePriceBody { minor: sale.minor, ends_at: sale.ends_at })
        };
        Self {
            own: book.own,
            sale: book.sale.into_iter().map(sale).collect(),
            wholesale: book.wholesale,
        }
    }
}

impl From<PriceBookBody> for PriceBook {
    fn from(body: PriceBookBody) -> Self {
        let sale = |(currency, sale): (Currency, SalePriceBody)| {
            (currency, SalePrice { minor: sale.minor, ends_at: sale.ends_at })
        };
        Self {
            own: body.own,
            sale: body.sale.into_iter().map(sale).collect(),
            wholesale: body.wholesale,
        }
    }
}
