//! Puts a product on sale, takes it off, or deletes it for good.

use super::{ProductEvent, ProductOnRecord, ProductRejection, ProductStatus};

pub(super) fn decide(
    product: Option<&ProductOnRecord>,
    to: ProductStatus,
) -> Result<Vec<ProductEvent>, ProductRejection> {
    let from = product.ok_or(ProductRejection::NoSuchProduct)?.status;
    match (from, to) {
        (ProductStatus::Active, ProductStatus::Active)
        | (ProductStatus::Inactive, ProductStatus::Inactive)
        | (ProductStatus::Deleted, ProductStatus::Deleted) => Ok(vec![]),
        (ProductStatus::Deleted, ProductStatus::Active | ProductStatus::Inactive) => {
            Err(ProductRejection::ProductDeleted)
        }
        (ProductStatus::Active, ProductStatus::Inactive | ProductStatus::Deleted)
        | (ProductStatus::Inactive, ProductStatus::Active | ProductStatus::Deleted) => {
            Ok(vec![ProductEvent::StatusChanged { from, to }])
        }
    }
}
