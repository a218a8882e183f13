//! Products, categories, ratings.

use std::collections::{BTreeMap, BTreeSet};

use domain::Currency;
use domain::category::CategoryEvent;
use domain::pricing::{PriceBook, SalePrice};
use domain::product::{ProductDetails, ProductEvent, ProductStatus, SkuDetails};
use domain::rating::RatingEvent;

use super::*;

pub(crate) fn samples() -> Vec<Sample> {
    let mut all = product();
    all.extend(category());
    all.extend(rating());
    all
}

fn product() -> Vec<Sample> {
    let base_prices = BTreeMap::from([(Currency::EUR, 2299), (Currency::GBP, 1999)]);
    let full_details = ProductDetails {
        name: "Kettle".into(),
        description: "Boils water.".into(),
        category_id: Some(id(CATEGORY)),
        brand: Some("Ferro".into()),
        tags: BTreeSet::from(["kitchen".into(), "steel".into()]),
    };
    let minimal_details = ProductDetails {
        name: "Kettle".into(),
        description: String::new(),
        category_id: None,
        brand: None,
        tags: BTreeSet::new(),
    };
    let created = |details| ProductEvent::Created {
        product_id: id(PRODUCT),
        seller_id: id(SELLER),
        details,
        base_prices: base_prices.clone(),
    };
    let sku_details = SkuDetails {
        attributes: BTreeMap::from([("colour".into(), "red".into())]),
        weight_g: Some(850),
        barcode: Some("5012345678900".into()),
    };
    let prices = PriceBook {
        own: BTreeMap::from([(Currency::GBP, 1899)]),
        sale: BTreeMap::from([(
            Currency::GBP,
            SalePrice { minor: 1499, ends_at: Some(at("23:59:59.500")) },
        )]),
        wholesale: BTreeMap::from([(Currency::GBP, 1200)]),
    };
    let sku_added = |details, prices| ProductEvent::SkuAdded { sku_id: id(SKU), details, prices };
    let sku_details_changed =
        |details| ProductEvent::SkuDetailsChanged { sku_id: id(SKU), details };
    let sku_repriced = |prices| ProductEvent::SkuRepriced { sku_id: id(SKU), prices };
    vec![
        pair(created(full_details.clone()), created(minimal_details.clone())),
        pair(
            ProductEvent::DetailsChanged(full_details),
            ProductEvent::DetailsChanged(minimal_details),
        ),
        whole(ProductEvent::Repriced { base_prices }),
        whole(ProductEvent::StatusChanged {
            from: ProductStatus::Active,
            to: ProductStatus::Inactive,
        }),
        pair(
            sku_added(sku_details.clone(), prices.clone()),
            sku_added(SkuDetails::default(), PriceBook::default()),
        ),
        pair(sku_details_changed(sku_details), sku_details_changed(SkuDetails::default())),
        pair(sku_repriced(prices), sku_repriced(PriceBook::default())),
        whole(ProductEvent::SkuWithdrawn { sku_id: id(SKU) }),
    ]
}

fn category() -> Vec<Sample> {
    let added = |parent_id| CategoryEvent::Added {
        category_id: id(CATEGORY),
        parent_id,
        name: "Kettles".into(),
        slug: "kettles".into(),
    };
    let moved = |parent_id| CategoryEvent::Moved { category_id: id(CATEGORY), parent_id };
    vec![
        pair(added(Some(id(PARENT_CATEGORY))), added(None)),
        whole(CategoryEvent::Renamed {
            category_id: id(CATEGORY),
            name: "Jugs and kettles".into(),
            slug: "jugs-and-kettles".into(),
        }),
        pair(moved(Some(id(PARENT_CATEGORY))), moved(None)),
        whole(CategoryEvent::Removed { category_id: id(CATEGORY) }),
    ]
}

fn rating() -> Vec<Sample> {
    vec![
        whole(RatingEvent::Given {
            product_id: id(PRODUCT),
            customer_id: id(CUSTOMER),
            order_id: id(ORDER),
            stars: 4,
        }),
        whole(RatingEvent::Changed {
            product_id: id(PRODUCT),
            customer_id: id(CUSTOMER),
            previous_stars: 4,
            stars: 5,
        }),
    ]
}
