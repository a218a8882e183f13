//! Filters in the syntax of Meilisearch.

use journal::JournalId;

use crate::{Filter, PriceFilter, Question};

use super::document::{price_field, product_kind};
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

/// A shop's products alone: no document that says what the index is, and nothing of another shop's.
pub(super) fn products_of(journal: JournalId) -> String {
    format!("kind = \"{}\"", product_kind(journal))
}

/// Expressions that must all hold, the first of which is `products`. Ids, numbers and keys made by [`super::encoding`] are all that goes
/// in: nothing a shopper or a seller wrote.
pub(super) fn expressions(
    products: &str,
    question: &Question,
    without: Without<'_>,
) -> Vec<String> {
    let Filter { category, brands, tags, attributes, price, in_stock, seller } = &question.filter;
    let mut all = vec![products.to_owned()];
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::conformance::filter;

    proptest! {
        /// Whatever is chosen, nothing of it is in the expression as it was written.
        #[test]
        fn only_harmless_letters_get_into_an_expression(
            brands in prop::collection::btree_set(".*", 0..3),
            tags in prop::collection::btree_set(".*", 0..3),
            name in ".*",
            values in prop::collection::btree_set(".*", 1..3),
        ) {
            let attributes = [(name, values)].into();
            let chosen = Filter { brands, tags, attributes, ..Filter::default() };
            let wanted = 2 + usize::from(!chosen.brands.is_empty()) + chosen.tags.len();
            let all = expressions("kind = product", &filter(chosen), Without::Nothing);
            prop_assert_eq!(all.len(), wanted);
            for expression in all {
                let quoted: BTreeSet<&str> = expression.split('"').skip(1).step_by(2).collect();
                for key in quoted {
                    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"~-_".contains(&byte);
                    prop_assert!(key.bytes().all(is_plain), "{key}");
                }
                let beside: String = expression.split('"').step_by(2).collect();
                let is_syntax = |byte: u8| byte.is_ascii_alphabetic() || b"_ =[],".contains(&byte);
                prop_assert!(beside.bytes().all(is_syntax), "{beside}");
            }
        }
    }
}
