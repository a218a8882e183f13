//! Filters in the syntax of Meilisearch.

use crate::{Filter, PriceFilter, Question};

use super::document::price_field;
use super::encoding::{pair_key, value_key};

/// What of a filter is left out, to count what would match without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without<'a> {
    Nothing,
    Category,
    Brands,
    Attribute(&'a str),
    Price,
}

/// Products alone: no document that says what the index is.
pub(super) const PRODUCTS: &str = "kind = product";

/// Expressions that must all hold. Ids, numbers and keys made by [`super::encoding`] are all that goes
/// in: nothing a shopper or a seller wrote.
pub(super) fn expressions(question: &Question, without: Without<'_>) -> Vec<String> {
    let Filter { category, brands, tags, attributes, price, in_stock, seller } = &question.filter;
    let mut all = vec![PRODUCTS.to_owned()];
    if let (Some(category), true) = (category, without != Without::Category) {
        all.push(format!("category_ids = \"{category}\""));
    }
    if !brands.is_empty() && without != Without::Brands {
        all.push(one_of("brand_key", brands.iter().map(|brand| value_key(brand))));
    }
    all.extend(tags.iter().map(|tag| format!("tag_keys = \"{}\"", value_key(tag))));
    for (name, values) in attributes {
        if without != Without::Attribute(name) {
            all.push(one_of("pairs", values.iter().map(|value| pair_key(name, value))));
        }
    }
    if let (Some(price), true) = (price, without != Without::Price) {
        all.extend(priced(question, *price));
    }
    if let Some(in_stock) = in_stock {
        all.push(format!("in_stock = {in_stock}"));
    }
    if let Some(seller) = seller {
        all.push(format!("seller = \"{seller}\""));
    }
    all
}

/// With a price that holds at the question's `now`, and lies within both bounds.
pub(super) fn priced(question: &Question, price: PriceFilter) -> Vec<String> {
    let Some(currency) = question.currency else {
        // No product has a price in no currency.
        return vec!["kind = none".to_owned()];
    };
    let field = price_field(question.tier, currency);
    let mut all = vec![format!("until.{field} > {}", question.now.timestamp_millis())];
    if let Some(min) = price.min_minor {
        all.push(format!("prices.{field} >= {min}"));
    }
    if let Some(max) = price.max_minor {
        all.push(format!("prices.{field} <= {max}"));
    }
    all
}

/// With one of the values.
pub(super) fn one_of(field: &str, values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.map(|value| format!("\"{value}\"")).collect();
    format!("{field} IN [{}]", values.join(", "))
}
