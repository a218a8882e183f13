//! What a product, a SKU and their prices may say.

use super::{ProductDetails, SkuDetails};
use crate::pricing::{PriceBook, Prices};
use crate::{BrokenRule, rule};

const NAME_CHARS_MAX: usize = 500;
const DESCRIPTION_CHARS_MAX: usize = 20_000;
const LABEL_CHARS_MAX: usize = 100;
const TAGS_MAX: usize = 100;
const ATTRIBUTES_MAX: usize = 50;
const ATTRIBUTE_CHARS_MAX: usize = 500;

pub(super) fn details(details: &ProductDetails) -> Result<(), BrokenRule> {
    rule::text("name", &details.name, 1..=NAME_CHARS_MAX)?;
    rule::text("description", &details.description, 0..=DESCRIPTION_CHARS_MAX)?;
    if let Some(brand) = &details.brand {
        rule::text("brand", brand, 1..=LABEL_CHARS_MAX)?;
    }
    rule::at_most("tags", details.tags.len(), TAGS_MAX)?;
    for tag in &details.tags {
        rule::text("tags", tag, 1..=LABEL_CHARS_MAX)?;
    }
    Ok(())
}

pub(super) fn sku_details(details: &SkuDetails) -> Result<(), BrokenRule> {
    rule::at_most("attributes", details.attributes.len(), ATTRIBUTES_MAX)?;
    for (name, value) in &details.attributes {
        rule::text("attributes", name, 1..=LABEL_CHARS_MAX)?;
        rule::text("attributes", value, 0..=ATTRIBUTE_CHARS_MAX)?;
    }
    if let Some(barcode) = &details.barcode {
        rule::text("barcode", barcode, 1..=LABEL_CHARS_MAX)?;
    }
    Ok(())
}

pub(super) fn prices(field: &str, prices: &Prices) -> Result<(), BrokenRule> {
    prices.values().try_for_each(|minor| rule::price(field, *minor))
}

pub(super) fn price_book(book: &PriceBook) -> Result<(), BrokenRule> {
    prices("prices.own", &book.own)?;
    prices("prices.wholesale", &book.wholesale)?;
    book.sale.values().try_for_each(|sale| rule::price("prices.sale", sale.minor))
}
