//! From what came in to what is asked of the finder, with everything that is wrong named at once.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use search::{
    AttributeFacets, FacetRequest, Filter, LIMIT_MAX, Mode, OFFSET_MAX, Order, PriceBounds,
    PriceFilter, Request, Shopper, Start,
};

use super::query::{ListProducts, ProductSearch};
use crate::personal::checked;
use crate::problem::{FieldError, Problem};
use crate::wire::Several;

const LIMIT: usize = 24;
const FACET_VALUES: usize = 20;
const FACET_VALUES_MAX: usize = 100;
const PRICE_BOUNDS_MAX: usize = 20;
const TEXT_CHARS_MAX: usize = 512;
const TEXT_WORDS_MAX: usize = 32;
/// Values of one filter, and attributes filtered by.
const VALUES_MAX: usize = 50;
const VALUE_CHARS_MAX: usize = 500;

type Errors = Vec<FieldError>;

fn wrong(errors: &mut Errors, field: &str, message: impl Into<String>) {
    errors.push(FieldError::new(field, "invalid", message));
}

pub(super) fn understood(
    query: ProductSearch,
    shopper: Shopper,
    now: Timestamp,
) -> Result<Request, Problem> {
    let ProductSearch { plain, attributes } = query;
    let errors = &mut Errors::new();
    let text = plain.q.as_deref().map(|q| text(q, errors));
    let mode = mode(plain.mode.as_deref(), text.is_some(), errors);
    let order = order(&plain, text.is_some(), errors);
    let limit = within("limit", plain.limit, LIMIT, LIMIT_MAX, errors);
    let start = start(&plain, limit, errors);
    let (facets, price_bounds) = facets(&plain, errors);
    let price = price(&plain, errors);
    let filter = Filter {
        category: plain.category,
        brands: values("brand", plain.brand, errors),
        tags: values("tags", plain.tags, errors),
        attributes: attribute_values(attributes, errors),
        price,
        in_stock: plain.in_stock,
        seller: plain.seller,
    };
    checked(std::mem::take(errors))?;
    Ok(Request {
        text,
        mode,
        filter,
        order,
        shopper,
        currency: plain.currency,
        now,
        start,
        limit,
        facets,
        price_bounds,
        explain: plain.explain.unwrap_or(false),
    })
}

/// What was typed, without what is around it but for one space behind: that closes the last word.
fn text(q: &str, errors: &mut Errors) -> String {
    let text = q.trim();
    if text.chars().count() > TEXT_CHARS_MAX {
        wrong(errors, "q", format!("must be at most {TEXT_CHARS_MAX} characters"));
    } else if text.chars().any(char::is_control) {
        wrong(errors, "q", "must be without control characters");
    } else if !text.chars().any(char::is_alphanumeric) {
        wrong(errors, "q", "must hold a letter or digit; leave it out to look around");
    } else if text.split_whitespace().count() > TEXT_WORDS_MAX {
        wrong(errors, "q", format!("must be at most {TEXT_WORDS_MAX} words"));
    }
    if q.ends_with(char::is_whitespace) { format!("{text} ") } else { text.to_owned() }
}

fn mode(given: Option<&str>, has_text: bool, errors: &mut Errors) -> Mode {
    let mode = match given {
        None => return Mode::Auto,
        Some("auto") => Mode::Auto,
        Some("text") => Mode::Text,
        Some("semantic") => Mode::Semantic,
        Some("hybrid") => Mode::Hybrid,
        Some(_) => {
            wrong(errors, "mode", "must be auto, text, semantic or hybrid");
            Mode::Auto
        }
    };
    if mode != Mode::Auto && !has_text {
        wrong(errors, "mode", "needs `q`: without it there is nothing to find");
    }
    mode
}

fn order(query: &ListProducts, has_text: bool, errors: &mut Errors) -> Option<Order> {
    let order = match query.sort.as_deref()? {
        "relevance" => Order::Relevance,
        "newest" => Order::Newest,
        "name" => Order::Name,
        "rating" => Order::Rating,
        "price" => Order::PriceAscending,
        "-price" => Order::PriceDescending,
        _ => {
            wrong(errors, "sort", "must be relevance, newest, name, price, -price or rating");
            return None;
        }
    };
    let by_price = matches!(order, Order::PriceAscending | Order::PriceDescending);
    if by_price && query.currency.is_none() {
        wrong(errors, "currency", "is required to sort by price");
    }
    if order == Order::Relevance && !has_text {
        wrong(errors, "sort", "relevance needs `q`");
    }
    Some(order)
}

fn start(query: &ListProducts, limit: usize, errors: &mut Errors) -> Start {
    if let Some(cursor) = &query.cursor {
        if query.page.is_some() {
            wrong(errors, "page", "carries on from a place of its own: leave out `cursor`");
        }
        if let Ok(cursor) = cursor.parse() {
            return Start::After(cursor);
        }
        wrong(errors, "cursor", "must be a `next` that was given out here");
    }
    let page = query.page.unwrap_or(1);
    let before =
        usize::try_from(page).unwrap_or(usize::MAX).saturating_sub(1).saturating_mul(limit);
    if page == 0 {
        wrong(errors, "page", "must be from 1");
    } else if before >= OFFSET_MAX {
        let message = format!("is behind the first {OFFSET_MAX} products, where pages end: filter");
        wrong(errors, "page", message);
    }
    Start::Page(page)
}

fn facets(query: &ListProducts, errors: &mut Errors) -> (FacetRequest, PriceBounds) {
    let values_max =
        within("facet_values", query.facet_values, FACET_VALUES, FACET_VALUES_MAX, errors);
    let mut request = FacetRequest { values_max, ..FacetRequest::default() };
    let mut wants_prices = false;
    let Some(Several(names)) = &query.facets else {
        (request.category, request.brand) = (true, true);
        wants_prices = query.currency.is_some();
        return (request, bounds(query, wants_prices, errors));
    };
    if names.len() > VALUES_MAX {
        wrong(errors, "facets", format!("must be at most {VALUES_MAX}"));
    }
    for name in names {
        match (name.as_str(), name.strip_prefix("attributes."), &mut request.attributes) {
            ("none", ..) if names.len() == 1 => {}
            ("none", ..) => wrong(errors, "facets", "none goes with no other"),
            ("category", ..) => request.category = true,
            ("brand", ..) => request.brand = true,
            ("tags", ..) => request.tags = true,
            ("price", ..) => wants_prices = true,
            ("attributes", ..) => request.attributes = AttributeFacets::All,
            (_, Some(_), AttributeFacets::All) => {}
            (_, Some(one), AttributeFacets::Named(all)) => drop(all.insert(one.to_owned())),
            (_, Some(one), none @ AttributeFacets::None) => {
                *none = AttributeFacets::Named(BTreeSet::from([one.to_owned()]));
            }
            (_, None, _) => {
                let known = "category, brand, tags, attributes, attributes.NAME, price or none";
                wrong(errors, "facets", format!("must be of {known}, not {name:?}"));
            }
        }
    }
    if wants_prices && query.currency.is_none() {
        wrong(errors, "currency", "is required to count by price");
    }
    (request, bounds(query, wants_prices, errors))
}

fn bounds(query: &ListProducts, wanted: bool, errors: &mut Errors) -> PriceBounds {
    let Some(given) = &query.price_bounds else {
        return if wanted { PriceBounds::Suggested } else { PriceBounds::None };
    };
    if !wanted {
        wrong(errors, "price_bounds", "are for the facet `price`, which was not asked for");
    }
    let parsed: Result<Vec<i64>, _> = given.split(',').map(|bound| bound.trim().parse()).collect();
    match parsed {
        Ok(bounds)
            if bounds.len() <= PRICE_BOUNDS_MAX
                && bounds.first().is_some_and(|first| *first >= 0)
                && bounds.is_sorted_by(|lower, upper| lower < upper) =>
        {
            PriceBounds::Own(bounds)
        }
        _ => {
            let message = format!(
                "must be 1 to {PRICE_BOUNDS_MAX} whole numbers from 0, ascending, separated by commas"
            );
            wrong(errors, "price_bounds", message);
            PriceBounds::None
        }
    }
}

fn price(query: &ListProducts, errors: &mut Errors) -> Option<PriceFilter> {
    let (min_minor, max_minor) = (query.price_min, query.price_max);
    if min_minor.is_none() && max_minor.is_none() {
        return None;
    }
    if query.currency.is_none() {
        wrong(errors, "currency", "is required with price_min or price_max");
    }
    for (field, bound) in [("price_min", min_minor), ("price_max", max_minor)] {
        if bound.is_some_and(|bound| bound < 0) {
            wrong(errors, field, "must not be below 0");
        }
    }
    if matches!((min_minor, max_minor), (Some(from), Some(to)) if from > to) {
        wrong(errors, "price_max", "must not be below price_min");
    }
    Some(PriceFilter { min_minor, max_minor })
}

fn attribute_values(
    given: BTreeMap<String, Several>,
    errors: &mut Errors,
) -> BTreeMap<String, BTreeSet<String>> {
    if given.len() > VALUES_MAX {
        wrong(errors, "attributes", format!("must be at most {VALUES_MAX}"));
        return BTreeMap::new();
    }
    let mut attributes = BTreeMap::new();
    for (name, all) in given {
        let field = format!("attributes.{name}");
        let all = values(&field, Some(all), errors);
        attributes.insert(name, all);
    }
    attributes
}

/// Values of a filter. A parameter that holds none was meant to narrow and would not.
fn values(field: &str, given: Option<Several>, errors: &mut Errors) -> BTreeSet<String> {
    let Some(Several(values)) = given else { return BTreeSet::new() };
    let plain = |value: &String| {
        value.chars().count() <= VALUE_CHARS_MAX && !value.chars().any(char::is_control)
    };
    if values.is_empty() {
        wrong(errors, field, "must hold a value; leave it out for any");
    } else if values.len() > VALUES_MAX {
        wrong(errors, field, format!("must be at most {VALUES_MAX} values"));
    } else if !values.iter().all(plain) {
        let message = format!(
            "must be at most {VALUE_CHARS_MAX} characters each, without control characters"
        );
        wrong(errors, field, message);
    }
    values
}

/// A number from 1 to `max`.
fn within(
    field: &str,
    given: Option<usize>,
    default: usize,
    max: usize,
    errors: &mut Errors,
) -> usize {
    let number = given.unwrap_or(default);
    if !(1..=max).contains(&number) {
        wrong(errors, field, format!("must be from 1 to {max}"));
    }
    number.clamp(1, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_behind_the_last_word_is_kept_and_no_other() {
        for (typed, understood) in
            [("red lamp", "red lamp"), ("  red lamp", "red lamp"), (" red  lamp  ", "red  lamp ")]
        {
            let mut errors = Errors::new();
            assert_eq!((text(typed, &mut errors).as_str(), errors.len()), (understood, 0));
        }
        let mut errors = Errors::new();
        text("  ", &mut errors);
        assert_eq!(errors.len(), 1, "there is nothing to find");
    }
}
