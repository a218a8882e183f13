//! The SQL of a list. Text comes from here alone; what a caller gave goes in as values.

use crate::sql::Value;
use domain::Timestamp;
use domain::{Currency, product::ProductStatus};

use super::super::price_spans::nanoseconds;
use super::super::product_row::status_number;
use super::{Filter, PriceRange, Request, Sort, Start};

pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Sort {
    /// Columns to sort by, the last of them unique.
    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Newest => &["product.created_us", "product.number"],
            Self::Name => &["product.name_key", "product.number"],
            Self::PriceAscending(_) | Self::PriceDescending(_) => {
                &["sorted.minor", "sorted.number"]
            }
            Self::Rating => &["product.stars_mean_e9", "product.stars_count", "product.number"],
        }
    }

    fn is_descending(self) -> bool {
        match self {
            Self::Newest | Self::PriceDescending(_) | Self::Rating => true,
            Self::Name | Self::PriceAscending(_) => false,
        }
    }

    fn currency(self) -> Option<Currency> {
        match self {
            Self::PriceAscending(currency) | Self::PriceDescending(currency) => Some(currency),
            Self::Newest | Self::Name | Self::Rating => None,
        }
    }
}

impl Statement {
    pub(super) fn count(filter: &Filter, sort: Sort, now: Timestamp) -> Self {
        let mut statement =
            Self { sql: "SELECT count(*) FROM product".to_owned(), values: Vec::new() };
        statement.select_from(filter, sort, now);
        statement
    }

    /// `rows` of the page; `limit` is how many a page has.
    pub(super) fn page(request: &Request, sort: Sort, rows: usize, limit: usize) -> Self {
        let columns = sort.columns();
        let mut statement = Self {
            sql: format!(
                "SELECT product.number, product.product_id, product.in_stock, product.stars_sum,
                        product.stars_count, {} FROM product",
                columns.join(", ")
            ),
            values: Vec::new(),
        };
        statement.select_from(&request.filter, sort, request.now);
        let mut offset = 0;
        match &request.start {
            Start::Page { page, .. } => {
                let pages = i64::from(page.saturating_sub(1));
                offset = pages.saturating_mul(i64::try_from(limit).unwrap_or(i64::MAX));
            }
            Start::After(cursor) => {
                let sign = if sort.is_descending() { "<" } else { ">" };
                let places = vec!["?"; columns.len()].join(", ");
                let condition = format!("({}) {sign} ({places})", columns.join(", "));
                statement.and(&condition, cursor.values().cloned().map(Value::from));
            }
        }
        let direction = if sort.is_descending() { " DESC" } else { "" };
        let order: Vec<_> = columns.iter().map(|column| format!("{column}{direction}")).collect();
        statement.sql.push_str(" ORDER BY ");
        statement.sql.push_str(&order.join(", "));
        statement.sql.push_str(" LIMIT ? OFFSET ?");
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        statement.values.extend([rows.into(), offset.into()]);
        statement
    }

    fn select_from(&mut self, filter: &Filter, sort: Sort, now: Timestamp) {
        // The same price decides and sorts where both are in one currency.
        let sorted = sort.currency();
        if let Some(currency) = sorted {
            let range = filter.price.filter(|range| range.currency == currency);
            self.join_price("sorted", currency, range, now);
        }
        if let Some(range) = filter.price
            && Some(range.currency) != sorted
        {
            self.join_price("filtered", range.currency, Some(range), now);
        }
        self.sql.push_str(" WHERE TRUE");
        if let Some(status) = filter.status {
            // Not a value, so that the planner can tell the few statuses apart.
            self.sql.push_str(status_condition(status));
        }
        if let Some(category) = filter.category {
            let id = blob(category.uuid());
            self.and(
                "product.category_id IN (SELECT category_id FROM category
                 WHERE lft BETWEEN (SELECT lft FROM category WHERE category_id = ?)
                               AND (SELECT rgt FROM category WHERE category_id = ?))",
                [id.clone(), id],
            );
        }
        if let Some(brand) = &filter.brand {
            self.and("product.brand = ?", [brand.clone().into()]);
        }
        for tag in &filter.tags {
            self.and(
                "product.number IN (SELECT number FROM tag WHERE tag = ?)",
                [tag.clone().into()],
            );
        }
        if let Some(in_stock) = filter.in_stock {
            self.and("product.in_stock = ?", [i64::from(in_stock).into()]);
        }
        if let Some(seller) = filter.seller {
            self.and("product.seller_id = ?", [blob(seller.uuid())]);
        }
    }

    fn join_price(
        &mut self,
        name: &str,
        currency: Currency,
        range: Option<PriceRange>,
        now: Timestamp,
    ) {
        self.sql.push_str(&format!(
            " JOIN price AS {name} ON {name}.number = product.number AND {name}.currency = ?
              AND {name}.from_ns <= ? AND {name}.until_ns > ?"
        ));
        let now = Value::from(nanoseconds(now));
        self.values.extend([currency.code().to_owned().into(), now.clone(), now]);
        if let Some(min) = range.and_then(|range| range.min_minor) {
            self.and(&format!("{name}.minor >= ?"), [min.into()]);
        }
        if let Some(max) = range.and_then(|range| range.max_minor) {
            self.and(&format!("{name}.minor <= ?"), [max.into()]);
        }
    }

    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }
}

fn status_condition(status: ProductStatus) -> &'static str {
    match status_number(status) {
        0 => " AND product.status = 0",
        1 => " AND product.status = 1",
        _ => " AND product.status = 2",
    }
}

fn blob(id: uuid::Uuid) -> Value {
    Value::Blob(id.into_bytes().to_vec())
}
