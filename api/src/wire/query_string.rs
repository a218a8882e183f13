//! Query strings.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use chrono::{DateTime, Utc};
use domain::order::OrderStatus;
use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, CustomerId, SellerId};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use uuid::Uuid;

use super::field::in_words;
use crate::problem::{Problem, catalogue};

/// A type that can be read from a query string.
pub(crate) trait FromQuery: Sized {
    fn from_query(query: &str) -> Result<Self, Problem>;
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

/// Names and values, decoded.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    match web::Query::<Vec<(String, String)>>::from_query(query) {
        Ok(pairs) => Ok(pairs.into_inner()),
        Err(error) => Err(Problem::new(catalogue::MALFORMED_HEADER, format!("query: {error}"))),
    }
}

/// One parameter's value; the error says what it must be.
pub(crate) trait QueryValue: Sized {
    fn read(text: &str) -> Result<Self, String>;
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

/// A word that serde knows; the error lists them all.
fn one_of<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    let words: StrDeserializer<'a, ValueError> = text.into_deserializer();
    T::deserialize(words).map_err(|error| in_words(&error.to_string()))
}
