//! Changes what is said about a product, and its base prices.

use super::{ProductDetails, ProductEvent, ProductOnRecord, ProductRejection, validity};
use crate::pricing::Prices;

pub(super) fn details(
    product: &ProductOnRecord,
    details: &ProductDetails,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    validity::details(details)?;
    if product.details == *details {
        return Ok(vec![]);
    }
    Ok(vec![ProductEvent::DetailsChanged(details.clone())])
}

pub(super) fn base_prices(
    product: &ProductOnRecord,
    base_prices: &Prices,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    validity::prices("base_prices", base_prices)?;
    if product.base_prices == *base_prices {
        return Ok(vec![]);
    }
    Ok(vec![ProductEvent::Repriced { base_prices: base_prices.clone() }])
}
