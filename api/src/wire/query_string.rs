//! Query strings.

use std::collections::BTreeSet;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, Utc};
use domain::order::OrderStatus;
use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, CustomerId, SellerId};
use projections::frequently_bought_together::Score;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use uuid::Uuid;

use super::field::in_words;
use crate::problem::{FieldError, Problem, catalogue};

/// A type that can be read from a query string.
pub(crate) trait FromQuery: Sized {
    /// What is wrong with names and values joins `errors`.
    fn from_pairs(pairs: Vec<(String, String)>, errors: &mut Vec<FieldError>) -> Self;

    fn from_query(query: &str) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let all = Self::from_pairs(pairs(query)?, &mut errors);
        if errors.is_empty() { Ok(all) } else { Err(Problem::invalid(errors)) }
    }
}

/// A query string, typed.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromQuery> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(T::from_query(request.query_string()).map(Self))
    }
}

/// Puts a parameter's value to what was given of it before.
pub(crate) fn take<T: QueryValue>(
    all: &mut Option<T>,
    name: &str,
    value: &str,
    errors: &mut Vec<FieldError>,
) {
    match T::read(value) {
        Ok(value) => match all.take() {
            None => *all = Some(value),
            Some(before) => match before.and(value) {
                Some(both) => *all = Some(both),
                None => errors.push(FieldError::new(name, "duplicate", "is given twice")),
            },
        },
        Err(message) => errors.push(FieldError::new(name, "invalid", message)),
    }
}

/// Names and values, decoded.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    match web::Query::<Vec<(String, String)>>::from_query(query) {
        Ok(pairs) => Ok(pairs.into_inner()),
        Err(error) => Err(Problem::new(catalogue::MALFORMED_HEADER, format!("query: {error}"))),
    }
}

/// One parameter's value; the error says what it must be.
pub(crate) trait QueryValue: Sized {
    fn read(text: &str) -> Result<Self, String>;

    /// Both values of a parameter that is repeated; `None` where one is all there can be.
    fn and(self, _more: Self) -> Option<Self> {
        None
    }
}

/// Values separated by commas, or given one by one; empty ones are left out. A backslash before a
/// comma or another backslash makes it part of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Several(pub(crate) BTreeSet<String>);

impl QueryValue for Several {
    fn read(text: &str) -> Result<Self, String> {
        let mut values = vec![String::new()];
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let escaped = rest.next_if(|next| c == '\\' && matches!(next, ',' | '\\'));
            match (escaped, c, values.last_mut()) {
                (None, ',', _) => values.push(String::new()),
                (_, _, Some(value)) => value.push(escaped.unwrap_or(c)),
                (_, _, None) => {}
            }
        }
        let values = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty());
        Ok(Self(values.map(str::to_owned).collect()))
    }

    fn and(mut self, more: Self) -> Option<Self> {
        self.0.extend(more.0);
        Some(self)
    }
}

macro_rules! by_from_str {
    ($($ty:ty: $what:literal,)*) => {$(
        impl QueryValue for $ty {
            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| concat!("must be ", $what).to_owned())
            }
        }
    )*};
}

by_from_str! {
    u32: "a whole number from 0",
    usize: "a whole number from 0",
    i64: "a whole number",
    bool: "true or false",
    String: "text",
    Currency: "an ISO 4217 code such as GBP",
    DateTime<Utc>: "an instant in RFC 3339, such as 2026-01-31T12:00:00Z",
    SellerId: "an id",
    CategoryId: "an id",
    CustomerId: "an id",
    Uuid: "an id",
}

impl QueryValue for OrderStatus {
    fn read(text: &str) -> Result<Self, String> {
        one_of(text)
    }
}

impl QueryValue for ProductStatus {
    fn read(text: &str) -> Result<Self, String> {
        one_of(text)
    }
}

impl QueryValue for Tier {
    fn read(text: &str) -> Result<Self, String> {
        one_of(text)
    }
}

impl QueryValue for Score {
    fn read(text: &str) -> Result<Self, String> {
        one_of(text)
    }
}

/// A word that serde knows; the error lists them all.
fn one_of<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    let words: StrDeserializer<'a, ValueError> = text.into_deserializer();
    T::deserialize(words).map_err(|error| in_words(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn several(texts: &[&str]) -> Vec<String> {
        let (mut all, mut errors) = (None, Vec::new());
        for text in texts {
            take::<Several>(&mut all, "brand", text, &mut errors);
        }
        assert_eq!(errors, []);
        all.unwrap_or_default().0.into_iter().collect()
    }

    #[test]
    fn several_values_come_in_one_or_one_by_one() {
        assert_eq!(several(&["b,a", "c"]), ["a", "b", "c"]);
        assert_eq!(several(&["", " , ,,"]), [""; 0]);
        assert_eq!(several(&[r"1\,5 mm,2 mm"]), ["1,5 mm", "2 mm"]);
        assert_eq!(several(&[r"a\\,b\c\"]), [r"a\", r"b\c\"]);
    }

    #[test]
    fn what_can_be_given_once_is_not_repeated() {
        let (mut all, mut errors) = (None, Vec::new());
        take::<u32>(&mut all, "page", "1", &mut errors);
        take::<u32>(&mut all, "page", "2", &mut errors);
        assert_eq!(errors, [FieldError::new("page", "duplicate", "is given twice")]);
    }
}
