//! What shoppers looked at and were shown.

use domain::browsing::{BrowsingEvent, Place, ProductImpressions, ProductViews};

use super::{CUSTOMER, PRODUCT, Sample, at, id, pair, whole};

pub(super) fn samples() -> Vec<Sample> {
    let viewed = |customer_id| BrowsingEvent::Viewed {
        customer_id,
        products: vec![ProductViews {
            product_id: id(PRODUCT),
            times: 2,
            last_at: at("10:00:00.25"),
        }],
    };
    vec![
        pair(viewed(Some(id(CUSTOMER))), viewed(None)),
        whole(BrowsingEvent::Shown {
            place: Place::FrequentlyBoughtTogether,
            products: vec![ProductImpressions { product_id: id(PRODUCT), shown: 12, clicked: 1 }],
        }),
        whole(BrowsingEvent::Forgotten { customer_id: id(CUSTOMER) }),
    ]
}
