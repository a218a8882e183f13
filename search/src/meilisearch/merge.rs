//! Two lists in one order: what matches by text, and what is only near.

use std::cmp::Ordering;

use serde_json::Value;

use super::document::price_field;
use super::query::Row;
use crate::{Order, Question};

/// Fields that [`compare`] looks at.
pub(super) const FIELDS: &[&str] =
    &["id", "created", "number", "name_key", "stars_mean", "stars_count", "prices"];

/// The question's page of both lists together. `rows` begin at `start` of their whole list, which is
/// at most as many before the page as there are in `near`, and reach to the page's end; `near` is
/// whole.
pub(super) fn page(question: &Question, start: usize, rows: Vec<Row>, near: Vec<Row>) -> Vec<Row> {
    // What is before the first row is before the page: nothing else would have been skipped.
    let before = match rows.first() {
        Some(first) if start > 0 => {
            near.iter().take_while(|it| compare(question, it, first).is_lt()).count()
        }
        None if start > 0 => near.len(),
        _ => 0,
    };
    let mut rows = rows.into_iter().peekable();
    let mut near = near.into_iter().skip(before).peekable();
    let merged = std::iter::from_fn(|| match (rows.peek(), near.peek()) {
        (Some(row), Some(other)) if compare(question, other, row).is_lt() => near.next(),
        (Some(_), _) => rows.next(),
        (None, _) => near.next(),
    });
    merged.skip(question.offset.saturating_sub(start + before)).take(question.limit).collect()
}

/// As Meilisearch sorts by [`sorting`](super::query::sorting).
fn compare(question: &Question, a: &Row, b: &Row) -> Ordering {
    let newest = || descending(a, b, &["created"]).then_with(|| descending(a, b, &["number"]));
    let price = question.currency.map(|currency| price_field(question.tier, currency));
    let price = price.as_deref().unwrap_or_default();
    let by = match question.order {
        Order::Relevance | Order::Newest => Ordering::Equal,
        Order::Name => text(a, "name_key").cmp(text(b, "name_key")),
        Order::PriceAscending => {
            // What has no price comes last either way.
            let [a, b] = [a, b].map(|row| number(row, &["prices", price]).unwrap_or(f64::INFINITY));
            a.total_cmp(&b)
        }
        Order::PriceDescending => descending(a, b, &["prices", price]),
        Order::Rating => {
            descending(a, b, &["stars_mean"]).then_with(|| descending(a, b, &["stars_count"]))
        }
    };
    by.then_with(newest)
}

fn descending(a: &Row, b: &Row, path: &[&str]) -> Ordering {
    let [a, b] = [a, b].map(|row| number(row, path).unwrap_or(f64::NEG_INFINITY));
    b.total_cmp(&a)
}

fn number(row: &Row, path: &[&str]) -> Option<f64> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(row.get(*first)?, |value, name| value.get(name))?.as_f64()
}

fn text<'a>(row: &'a Row, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}
