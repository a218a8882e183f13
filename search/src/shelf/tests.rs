//! Made-up products for this crate's tests.

use chrono::TimeZone;
use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, ProductId, SellerId, Timestamp};
use projections::catalogue::{
    CategoryView, NamedCategory, SearchDocument, Stars, TierKey, TierPrice,
};
use uuid::Uuid;

pub(crate) fn at(seconds: i64) -> Timestamp {
    chrono::Utc.timestamp_opt(seconds, 0).unwrap()
}

pub(crate) fn product_id(number: i64) -> ProductId {
    ProductId::new(Uuid::from_u128(number as u128 + 1))
}

pub(crate) fn category_id(number: u128) -> CategoryId {
    CategoryId::new(Uuid::from_u128(number + 1))
}

pub(crate) fn seller_id(number: u128) -> SellerId {
    SellerId::new(Uuid::from_u128(number + 1))
}

/// A product with nothing but a name, and categories from the root down.
pub(crate) fn document(number: i64, path: &[u128]) -> SearchDocument {
    SearchDocument {
        number,
        product_id: product_id(number),
        seller_id: seller_id(0),
        status: ProductStatus::Active,
        name: format!("product {number}"),
        description: String::new(),
        brand: None,
        tags: Default::default(),
        categories: path
            .iter()
            .map(|id| NamedCategory {
                category_id: category_id(*id),
                name: format!("category {id}"),
            })
            .collect(),
        attributes: Default::default(),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: at(number),
    }
}

/// The tree of these, each given with what it lies in, and after it.
pub(crate) fn categories(parents: &[(u128, Option<u128>)]) -> Vec<CategoryView> {
    fn below(
        parents: &[(u128, Option<u128>)],
        of: Option<u128>,
        depth: u32,
        next: &mut u32,
        views: &mut Vec<CategoryView>,
    ) {
        for (id, _) in parents.iter().filter(|(_, parent)| *parent == of) {
            let at = views.len();
            views.push(CategoryView {
                category_id: category_id(*id),
                parent_id: of.map(category_id),
                name: format!("category {id}"),
                slug: format!("c{id}"),
                lft: *next,
                rgt: 0,
                depth,
                path: String::new(),
            });
            *next += 1;
            below(parents, Some(*id), depth + 1, next, views);
            views[at].rgt = *next;
            *next += 1;
        }
    }
    let mut views = Vec::new();
    below(parents, None, 0, &mut 1, &mut views);
    views
}

pub(crate) fn price(tier: Tier, currency: Currency, minor: i64) -> TierPrice {
    TierPrice { tier: TierKey::from(tier), currency, from_ns: i64::MIN, until_ns: i64::MAX, minor }
}
