//! Money: a whole number of minor units and a currency. No floating point comes near it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency with 0, 2 or 3 decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Amounts in `minor` units of `currency`: 1999 GBP is 19.99 pounds, 1999 JPY is 1,999 yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("`{0}` is not a currency this engine knows (an ISO 4217 code such as GBP)")]
    UnknownCurrency(String),
    #[error("`{0}` is not an amount (digits, at most one point, no exponent)")]
    NotAnAmount(String),
    #[error("{currency} has {decimals} decimals, `{given}` has more")]
    TooManyDecimals { given: String, currency: Currency, decimals: u32 },
    #[error("amounts in {left} and {right} cannot be combined")]
    CurrencyMismatch { left: Currency, right: Currency },
    #[error("amount out of range")]
    OutOfRange,
}

/// Codes in use with 2 decimals; the other decimals are listed beside it. Source: ISO 4217 list one.
const TWO_DECIMALS: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP",
    "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS",
    "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE",
    "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD",
    "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VES", "WST", "XCD", "XCG", "YER", "ZAR", "ZMW",
];
const NO_DECIMALS: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];
const THREE_DECIMALS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Currency {
    pub const GBP: Self = Self(*b"GBP");
    pub const EUR: Self = Self(*b"EUR");
    pub const USD: Self = Self(*b"USD");

    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Decimals between the major and the minor unit.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        if NO_DECIMALS.contains(&self.code()) {
            0
        } else if THREE_DECIMALS.contains(&self.code()) {
            3
        } else {
            2
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let known = [TWO_DECIMALS, NO_DECIMALS, THREE_DECIMALS]
            .iter()
            .any(|list| list.binary_search(&code).is_ok());
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(bytes) if known => Ok(Self(bytes)),
            _ => Err(MoneyError::UnknownCurrency(code.chars().take(20).collect())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code"
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Money {
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    pub fn checked_mul(self, units: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(units)).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// Adds all of `amounts`, which may be none.
    pub fn sum(
        amounts: impl IntoIterator<Item = Self>,
        currency: Currency,
    ) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Reads an amount in major units, such as `19.99`; more decimals than the currency has
    /// are refused rather than rounded.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_an_amount = || MoneyError::NotAnAmount(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.')
        {
            return Err(not_an_amount());
        }
        let decimals = currency.decimals();
        let kept = fraction.trim_end_matches('0');
        let missing = (decimals as usize).checked_sub(kept.len()).ok_or_else(|| {
            MoneyError::TooManyDecimals {
                given: text.chars().take(40).collect(),
                currency,
                decimals,
            }
        })?;
        let minor: i64 = format!("{whole}{kept}{}", "0".repeat(missing))
            .parse()
            .map_err(|_| MoneyError::OutOfRange)?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// Splits into parts in proportion to `weights`; the parts add up to the whole exactly.
    ///
    /// Largest remainder method (Hamilton apportionment), ties to the earlier part. `None` when
    /// the weights are empty or all zero.
    #[must_use]
    pub fn allocate(self, weights: &[u64]) -> Option<Vec<Self>> {
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        if total == 0 {
            return None;
        }
        let whole = i128::from(self.minor);
        let mut parts: Vec<i128> = Vec::with_capacity(weights.len());
        let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let share = whole * i128::from(*weight);
            parts.push(share.div_euclid(total));
            remainders.push((-share.rem_euclid(total), index));
        }
        let mut left = whole - parts.iter().sum::<i128>();
        remainders.sort_unstable();
        for (_, index) in remainders {
            if left == 0 {
                break;
            }
            parts[index] += 1;
            left -= 1;
        }
        parts
            .into_iter()
            .map(|minor| i64::try_from(minor).ok().map(|minor| Self { minor, ..self }))
            .collect()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

/// Major units with the currency's decimals, such as `19.99 GBP`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals();
        let scale = 10_u64.pow(decimals);
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        if decimals == 0 {
            write!(f, "{sign}{minor} {}", self.currency)
        } else {
            let width = decimals as usize;
            write!(f, "{sign}{}.{:0width$} {}", minor / scale, minor % scale, self.currency)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_are_exact_in_0_2_and_3_decimals() {
        for (text, code, minor) in [
            ("80", "JPY", 80),
            ("80.00", "JPY", 80),
            ("19.99", "GBP", 1999),
            ("1.234", "KWD", 1234),
        ] {
            let money = Money::parse_major(text, currency(code)).unwrap();
            assert_eq!(money.minor, minor, "{text} {code}");
        }
        assert_eq!(Money::new(1234, currency("KWD")).to_string(), "1.234 KWD");
        assert_eq!(Money::new(-5, currency("GBP")).to_string(), "-0.05 GBP");
        assert_eq!(Money::new(80, currency("JPY")).to_string(), "80 JPY");
    }

    #[test]
    fn extra_decimals_and_non_amounts_are_refused() {
        assert!(matches!(
            Money::parse_major("0.001", Currency::GBP),
            Err(MoneyError::TooManyDecimals { .. })
        ));
        for text in ["", "-", ".", "1.", ".5", "1e3", "1,5", "NaN", "99999999999999999999"] {
            assert!(Money::parse_major(text, Currency::GBP).is_err(), "{text}");
        }
    }

    #[test]
    fn currency_lists_are_sorted_for_the_search() {
        for list in [TWO_DECIMALS, NO_DECIMALS, THREE_DECIMALS] {
            assert!(list.is_sorted());
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_add_up_to_the_whole(minor in -1_000_000_i64..1_000_000, weights in proptest::collection::vec(0_u64..1000, 1..20)) {
            let whole = Money::new(minor, Currency::GBP);
            match whole.allocate(&weights) {
                Some(parts) => assert_eq!(Money::sum(parts, Currency::GBP).unwrap(), whole),
                None => assert!(weights.iter().all(|w| *w == 0)),
            }
        }

        #[test]
        fn text_reads_back(minor in -1_000_000_i64..1_000_000, index in 0_usize..3) {
            let currency: Currency = ["JPY", "GBP", "KWD"][index].parse().unwrap();
            let money = Money::new(minor, currency);
            let text = money.to_string();
            assert_eq!(Money::parse_major(&text[..text.len() - 4], currency).unwrap(), money);
        }
    }
}
