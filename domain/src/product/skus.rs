//! The SKUs of a product: each is added once and, once withdrawn, stays withdrawn.

use super::{ProductEvent, ProductOnRecord, ProductRejection, Sku, SkuDetails, validity};
use crate::SkuId;
use crate::pricing::PriceBook;

const SKUS_MAX: usize = 1_000;

pub(super) fn add(
    product: &ProductOnRecord,
    sku_id: SkuId,
    details: &SkuDetails,
    prices: &PriceBook,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    if let Some(known) = product.skus.get(&sku_id) {
        return if known.withdrawn {
            Err(ProductRejection::SkuWithdrawn { sku_id })
        } else if known.details == *details && known.prices == *prices {
            Ok(vec![])
        } else {
            Err(ProductRejection::SkuExists { sku_id })
        };
    }
    validity::sku_details(details)?;
    validity::price_book(prices)?;
    if product.skus.len() >= SKUS_MAX {
        return Err(ProductRejection::TooManySkus { max: SKUS_MAX });
    }
    Ok(vec![ProductEvent::SkuAdded { sku_id, details: details.clone(), prices: prices.clone() }])
}

pub(super) fn change_details(
    product: &ProductOnRecord,
    sku_id: SkuId,
    details: &SkuDetails,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    validity::sku_details(details)?;
    if on_sale(product, sku_id)?.details == *details {
        return Ok(vec![]);
    }
    Ok(vec![ProductEvent::SkuDetailsChanged { sku_id, details: details.clone() }])
}

pub(super) fn reprice(
    product: &ProductOnRecord,
    sku_id: SkuId,
    prices: &PriceBook,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    validity::price_book(prices)?;
    if on_sale(product, sku_id)?.prices == *prices {
        return Ok(vec![]);
    }
    Ok(vec![ProductEvent::SkuRepriced { sku_id, prices: prices.clone() }])
}

pub(super) fn withdraw(
    product: &ProductOnRecord,
    sku_id: SkuId,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    match on_sale(product, sku_id) {
        Ok(_) => Ok(vec![ProductEvent::SkuWithdrawn { sku_id }]),
        Err(ProductRejection::SkuWithdrawn { .. }) => Ok(vec![]),
        Err(refused) => Err(refused),
    }
}

fn on_sale(product: &ProductOnRecord, sku_id: SkuId) -> Result<&Sku, ProductRejection> {
    match product.skus.get(&sku_id) {
        None => Err(ProductRejection::NoSuchSku { sku_id }),
        Some(sku) if sku.withdrawn => Err(ProductRejection::SkuWithdrawn { sku_id }),
        Some(sku) => Ok(sku),
    }
}
