//! What an import did: every row of the file under one named rule, and sums that can be checked.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Rows of the file that met one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    pub rule: &'static str,
    pub what_happens: &'static str,
    /// Whether these rows are lines of orders now.
    pub became_orders: bool,
    pub rows: u64,
    /// Sum of the quantities as written; negative for what comes back.
    pub units: i64,
    /// Sum of quantity × price as written, in thousandths of the currency: some prices have
    /// three decimals.
    pub value_thousandths: i64,
}

/// Something about rows that is worth knowing and changes no rule; a row may meet several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub note: &'static str,
    pub count: u64,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub rows: u64,
    pub rules: Vec<RuleCount>,
    pub notes: Vec<Note>,
    pub products: u64,
    pub customers: u64,
    pub orders: u64,
    pub order_lines: u64,
    /// Sum of the orders' totals as the engine holds them, in minor units.
    pub orders_value_minor: i64,
    pub returns: u64,
    /// Refunds of returns and credits, in minor units.
    pub refunded_minor: i64,
    pub credits: u64,
    /// Units received as stock.
    pub units_received: u64,
    pub units_written_off: u64,
    /// Products, orders, returns and the like that were there already.
    pub already_there: u64,
    /// Events this run added to the journal.
    pub events_written: u64,
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
}

fn seconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}

impl Report {
    /// Rows counted under rules; equal to `rows` or the report is wrong.
    #[must_use]
    pub fn rows_accounted(&self) -> u64 {
        self.rules.iter().map(|rule| rule.rows).sum()
    }

    #[must_use]
    pub fn value_thousandths(&self) -> i64 {
        self.rules.iter().map(|rule| rule.value_thousandths).sum()
    }

    /// Value of the rows that became orders, as the file has it.
    #[must_use]
    pub fn ordered_thousandths(&self) -> i64 {
        let ordered = self.rules.iter().filter(|rule| rule.became_orders);
        ordered.map(|rule| rule.value_thousandths).sum()
    }

    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&RuleCount> {
        self.rules.iter().find(|rule| rule.rule == name)
    }
}

/// A decimal number with `decimals` places and thousands apart.
fn decimal(value: i64, decimals: u32) -> String {
    let unit = 10_u64.pow(decimals);
    let whole = (value.unsigned_abs() / unit).to_string();
    let part = value.unsigned_abs() % unit;
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if decimals > 0 {
        text.push_str(&format!(".{part:0width$}", width = decimals as usize));
    }
    text
}

/// As a table, for a terminal.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: u64| decimal(i64::try_from(number).unwrap_or(i64::MAX), 0);
        if !self.rules.is_empty() {
            writeln!(
                f,
                "{:<24} {:>9} {:>11} {:>16}  what happens",
                "rule", "rows", "units", "value"
            )?;
            for rule in &self.rules {
                let (rows, units) = (count(rule.rows), decimal(rule.units, 0));
                let value = decimal(rule.value_thousandths, 3);
                let RuleCount { rule, what_happens, .. } = rule;
                writeln!(f, "{rule:<24} {rows:>9} {units:>11} {value:>16}  {what_happens}")?;
            }
            let units: i64 = self.rules.iter().map(|rule| rule.units).sum();
            let (rows, units) = (count(self.rows_accounted()), decimal(units, 0));
            let value = decimal(self.value_thousandths(), 3);
            writeln!(f, "{:<24} {rows:>9} {units:>11} {value:>16}", "together")?;
        }
        for Note { note, count: rows } in &self.notes {
            writeln!(f, "{note}: {}", count(*rows))?;
        }
        let ordered = decimal(self.ordered_thousandths(), 3);
        let in_file = (!self.rules.is_empty()).then_some(("value in the file", ordered));
        let rows = [
            ("rows in the file", count(self.rows)),
            ("products", count(self.products)),
            ("units received", count(self.units_received)),
            ("units written off", count(self.units_written_off)),
            ("customers", count(self.customers)),
            ("orders", count(self.orders)),
            ("order lines", count(self.order_lines)),
            ("order value", decimal(self.orders_value_minor, 2)),
        ];
        let more = [
            ("returns", count(self.returns)),
            ("credits", count(self.credits)),
            ("refunded", decimal(self.refunded_minor, 2)),
            ("there already", count(self.already_there)),
        ];
        for (name, number) in rows.into_iter().chain(in_file).chain(more) {
            writeln!(f, "{name:<20} {number:>14}")?;
        }
        let seconds = self.elapsed.as_secs_f64();
        if self.events_written == 0 {
            return write!(f, "nothing new, after {seconds:.1} s");
        }
        let events = count(self.events_written);
        #[allow(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
        let rate = self.events_written as f64 / seconds.max(0.001);
        write!(f, "{events} events in {seconds:.1} s, {rate:.0} a second")
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(decimal(9_747_747_934, 3), "9,747,747.934");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1_234, 0), "1,234");
    }
}
