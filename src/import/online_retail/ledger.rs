//! The file as it is understood: invoices in time order, each with its rows.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use chrono::{DateTime, NaiveDateTime};
use domain::Timestamp;

use super::countries;
use crate::import::csv_file::{CsvFile, Fields};
use crate::import::error::{ImportError, RowError};
use crate::import::progress::{Progress, Stage, Watch};

const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];
/// Rows between two looks at the progress.
const WATCH_ROWS: u64 = 20_000;

/// One row. Rows with the same code, letter case aside, share a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Index into [`Ledger::codes`].
    pub(super) code: u32,
    pub(super) quantity: i32,
    /// In thousandths of a pound, as some prices have three decimals.
    pub(super) price: i32,
    /// Index into [`Ledger::descriptions`].
    pub(super) description: u32,
}

impl Row {
    /// Quantity × price in thousandths of a pound.
    pub(super) fn value(self) -> i64 {
        i64::from(self.quantity) * i64::from(self.price)
    }

    /// The price in whole pence; what is below a penny is dropped, and the row has a rule for it.
    pub(super) fn pence(self) -> i64 {
        i64::from(self.price) / 10
    }
}

/// What the letter before the invoice's number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invoice,
    /// `C`
    Cancellation,
    /// `A`
    Adjustment,
}

#[derive(Debug)]
pub(super) struct Invoice {
    pub(super) number: Box<str>,
    pub(super) kind: Kind,
    /// Of its first row; 43 invoices run over several minutes.
    pub(super) at: Timestamp,
    /// Index into [`Ledger::customers`].
    pub(super) customer: Option<u32>,
    /// ISO 3166-1 alpha-2.
    pub(super) country: &'static str,
    pub(super) rows: Vec<Row>,
}

/// A stock code or a customer, and the time of the first row that mentions it.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: Box<str>,
    pub(super) since: Timestamp,
}

/// Gives names numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) all: Vec<Named>,
    known: HashMap<Box<str>, u32>,
}

impl Names {
    fn number(&mut self, name: &str, since: Timestamp) -> u32 {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(Named { name: name.into(), since });
        self.known.insert(name.into(), number);
        number
    }
}

/// Everything the file says.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// In the order of their first rows.
    pub(super) invoices: Vec<Invoice>,
    pub(super) codes: Names,
    pub(super) customers: Names,
    pub(super) descriptions: Names,
    pub(super) rows: u64,
    /// Rows whose code was written in lower case somewhere.
    pub(super) codes_folded: u64,
    pub(super) without_description: u64,
    pub(super) without_customer: u64,
    /// Rows dated otherwise than their invoice's first.
    pub(super) redated: u64,
    by_number: HashMap<Box<str>, u32>,
}

impl Ledger {
    /// Reads and checks the whole file.
    pub(super) fn read(path: &Path, watch: Watch<'_>) -> Result<Self, ImportError> {
        let began = Instant::now();
        let mut ledger = Self::default();
        CsvFile::open(path, &COLUMNS)?.each(|fields| {
            ledger.take(fields)?;
            if ledger.rows.is_multiple_of(WATCH_ROWS) {
                let (done, elapsed) = (ledger.rows, began.elapsed());
                watch(Progress { stage: Stage::Reading, done, total: None, elapsed });
            }
            Ok(())
        })?;
        ledger.by_number = HashMap::new();
        // The file is in time order; should another one not be, the first time counts.
        ledger.invoices.sort_by_key(|invoice| invoice.at);
        Ok(ledger)
    }

    fn take(&mut self, fields: &Fields<'_>) -> Result<(), RowError> {
        let rule = "a number, with C or A before it for a cancellation or an adjustment";
        let (number, kind) = fields.value(0, rule, |text| {
            let (kind, digits) = match text.strip_prefix('C') {
                Some(digits) => (Kind::Cancellation, digits),
                None => match text.strip_prefix('A') {
                    Some(digits) => (Kind::Adjustment, digits),
                    None => (Kind::Invoice, text),
                },
            };
            is_number(digits).then(|| (text.to_owned(), kind))
        })?;
        let at = fields.value(4, "a time such as 2010-12-01 08:26:00", read_time)?;
        let rule = "1 to 50 characters";
        let written = fields.value(1, rule, |code| {
            (1..=50).contains(&code.chars().count()).then(|| code.to_owned())
        })?;
        let code = written.to_uppercase();
        let rule = "a whole number other than 0";
        let quantity = fields.value(3, rule, |text| {
            text.parse::<i32>().ok().filter(|units| *units != 0 && *units != i32::MIN)
        })?;
        let price = fields.value(5, "an amount with at most 3 decimals", read_thousandths)?;
        let customer = fields.optional(6, "a number such as 17850 or 17850.0", |text| {
            let digits = text.strip_suffix(".0").unwrap_or(text);
            is_number(digits).then(|| digits.to_owned())
        })?;
        let country = fields.value(7, "a country this format knows", countries::code_of)?;
        let description = fields.text(2);

        self.rows += 1;
        self.codes_folded += u64::from(code != written);
        self.without_description += u64::from(description.is_empty());
        self.without_customer += u64::from(customer.is_none());
        let row = Row {
            code: self.codes.number(&code, at),
            quantity,
            price,
            description: self.descriptions.number(&description, at),
        };
        let customer = customer.map(|name| self.customers.number(&name, at));
        let index = match self.by_number.get(number.as_str()) {
            Some(index) => *index as usize,
            None => {
                let index = self.invoices.len();
                let number: Box<str> = number.into();
                self.by_number.insert(number.clone(), u32::try_from(index).unwrap_or(u32::MAX));
                let rows = Vec::new();
                self.invoices.push(Invoice { number, kind, at, customer, country, rows });
                index
            }
        };
        if let Some(invoice) = self.invoices.get_mut(index) {
            if invoice.customer != customer {
                return Err(fields.wrong(6, "the same customer on all rows of an invoice"));
            }
            self.redated += u64::from(invoice.at != at);
            invoice.rows.push(row);
        }
        Ok(())
    }

    pub(super) fn description(&self, row: Row) -> &str {
        self.descriptions.all.get(row.description as usize).map_or("", |named| &named.name)
    }

    pub(super) fn code(&self, row: Row) -> &str {
        self.codes.all.get(row.code as usize).map_or("", |named| &named.name)
    }
}

fn is_number(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Times have no zone; they are taken for UTC, which London keeps in winter.
fn read_time(text: &str) -> Option<Timestamp> {
    // The second form is how the file is published elsewhere.
    ["%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc())
        .filter(|time| *time >= DateTime::UNIX_EPOCH)
}

/// `2.55` is 2,550. Exact: no floating point, no rounding.
fn read_thousandths(text: &str) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 3 || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let part: i32 = format!("{part:0<3}").parse().ok()?;
    let value = whole.parse::<i32>().ok()?.checked_mul(1_000)?.checked_add(part)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(read_thousandths("2.55"), Some(2_550));
        assert_eq!(read_thousandths("0.001"), Some(1));
        assert_eq!(read_thousandths("-11062.06"), Some(-11_062_060));
        assert_eq!(read_thousandths("38970"), Some(38_970_000));
        for wrong in ["", ".5", "1.0001", "1e3", "1,5", "99999999999", "--1", "+1"] {
            assert_eq!(read_thousandths(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(read_time("2010-12-01 08:26:00"), read_time("12/1/2010 8:26"));
        assert!(read_time("2010-13-01 08:26:00").is_none());
        assert!(read_time("1910-12-01 08:26:00").is_none());
    }
}
