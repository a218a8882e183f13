//! Product vectors.

use domain::product::ProductStatus;
use domain::{ProductId, SellerId, Timestamp};
use projections::catalogue::{SearchDocument, Stars};
use uuid::Uuid;

pub(super) fn document(number: i64, name: &str) -> SearchDocument {
    SearchDocument {
        number,
        product_id: ProductId::new(Uuid::from_u128(number as u128)),
        seller_id: SellerId::new(Uuid::from_u128(1)),
        status: ProductStatus::Active,
        name: name.to_owned(),
        description: String::new(),
        brand: None,
        tags: Default::default(),
        categories: Vec::new(),
        attributes: Default::default(),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}
