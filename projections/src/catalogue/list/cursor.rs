//! A place between two products of a list, as a text that is safe in addresses.

use std::fmt;
use std::str::FromStr;

use crate::sql::{Value, ValueRef};
use domain::Currency;

use super::Sort;
use crate::StoreError;

/// Where the next page begins: behind a product with these values, in this order. Products that
/// come or go meanwhile shift nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    sort: Sort,
    values: Vec<SortValue>,
}

/// A text that was not given out as a cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor of a product list")]
pub struct CursorError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SortValue {
    Number(i64),
    Text(String),
}

impl SortValue {
    pub(super) fn read(value: ValueRef<'_>) -> Result<Self, StoreError> {
        match value {
            ValueRef::Integer(number) => Ok(Self::Number(number)),
            value => Ok(Self::Text(value.as_str()?.to_owned())),
        }
    }
}

impl From<SortValue> for Value {
    fn from(value: SortValue) -> Self {
        match value {
            SortValue::Number(number) => number.into(),
            SortValue::Text(text) => text.into(),
        }
    }
}

impl Cursor {
    pub(super) fn new(sort: Sort, values: Vec<SortValue>) -> Self {
        Self { sort, values }
    }

    #[must_use]
    pub fn sort(&self) -> Sort {
        self.sort
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &SortValue> {
        self.values.iter()
    }
}

/// Such as `price_asc.GBP~1999~17`: numbers as they are, texts as the bytes' hexadecimal digits
/// behind an `x`.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sort {
            Sort::Newest => f.write_str("newest")?,
            Sort::Name => f.write_str("name")?,
            Sort::Rating => f.write_str("rating")?,
            Sort::PriceAscending(currency) => write!(f, "price_asc.{currency}")?,
            Sort::PriceDescending(currency) => write!(f, "price_desc.{currency}")?,
        }
        for value in &self.values {
            match value {
                SortValue::Number(number) => write!(f, "~{number}")?,
                SortValue::Text(text) => {
                    f.write_str("~x")?;
                    for byte in text.bytes() {
                        write!(f, "{byte:02x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('~');
        let sort = sort(parts.next().unwrap_or_default())?;
        let values = parts.map(value).collect::<Result<Vec<_>, _>>()?;
        let kinds_fit = values.iter().enumerate().all(|(index, value)| {
            let is_text = matches!(value, SortValue::Text(_));
            is_text == (sort == Sort::Name && index == 0)
        });
        if values.len() != sort.columns().len() || !kinds_fit {
            return Err(CursorError);
        }
        Ok(Self { sort, values })
    }
}

fn sort(text: &str) -> Result<Sort, CursorError> {
    let currency = |code: &str| code.parse::<Currency>().map_err(|_| CursorError);
    match text.split_once('.') {
        Some(("price_asc", code)) => Ok(Sort::PriceAscending(currency(code)?)),
        Some(("price_desc", code)) => Ok(Sort::PriceDescending(currency(code)?)),
        Some(_) => Err(CursorError),
        None => match text {
            "newest" => Ok(Sort::Newest),
            "name" => Ok(Sort::Name),
            "rating" => Ok(Sort::Rating),
            _ => Err(CursorError),
        },
    }
}

fn value(text: &str) -> Result<SortValue, CursorError> {
    let Some(digits) = text.strip_prefix('x') else {
        return text.parse().map(SortValue::Number).map_err(|_| CursorError);
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(CursorError);
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(CursorError);
    let bytes = pairs
        .iter()
        .map(|[high, low]| Ok((digit(*high)? << 4 | digit(*low)?) as u8))
        .collect::<Result<Vec<u8>, CursorError>>()?;
    String::from_utf8(bytes).map(SortValue::Text).map_err(|_| CursorError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(name: String, number: i64, minor: i64) {
            let number = SortValue::Number(number);
            for cursor in [
                Cursor::new(Sort::Name, vec![SortValue::Text(name), number.clone()]),
                Cursor::new(
                    Sort::PriceDescending(Currency::EUR),
                    vec![SortValue::Number(minor), number.clone()],
                ),
            ] {
                prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }

        #[test]
        fn other_texts_are_refused_without_a_panic(text: String) {
            prop_assert_eq!(text.parse::<Cursor>(), Err(CursorError));
        }
    }

    #[test]
    fn values_that_do_not_fit_the_order_are_refused() {
        for text in ["newest~1", "newest~x61~1", "name~1~2", "rating~1~2~3~4", "price_asc.XXX~1~1"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
