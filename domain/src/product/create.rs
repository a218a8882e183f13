//! Lists a product; it is for sale at once.

use super::{
    ProductDetails, ProductEvent, ProductOnRecord, ProductRejection, ProductStatus, validity,
};
use crate::pricing::Prices;
use crate::{ProductId, SellerId};

pub(super) fn decide(
    product: Option<&ProductOnRecord>,
    product_id: ProductId,
    seller_id: SellerId,
    details: &ProductDetails,
    base_prices: &Prices,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    if let Some(known) = product {
        if known.status == ProductStatus::Deleted {
            return Err(ProductRejection::ProductDeleted);
        }
        let same = known.seller_id == seller_id
            && known.details == *details
            && known.base_prices == *base_prices;
        return if same {
            Ok(vec![])
        } else {
            Err(ProductRejection::ProductExists { seller_id: known.seller_id })
        };
    }
    validity::details(details)?;
    validity::prices("base_prices", base_prices)?;
    Ok(vec![ProductEvent::Created {
        product_id,
        seller_id,
        details: details.clone(),
        base_prices: base_prices.clone(),
    }])
}
