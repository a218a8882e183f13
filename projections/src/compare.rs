//! The rows of a model as text, and the differences between two of its files.

use std::cmp::Ordering;

use crate::sql::{Rows, Table, Value};

use crate::directory::{Directory, SharedConnection, hold};
use crate::models::Registration;
use crate::{Connection, ReadModels, StoreError};

/// Differences reported at most; one is enough to know that something is wrong.
const DIFFERENCES_MAX: usize = 20;

/// A row that is not the same in both files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub table: String,
    /// The row in the first file, if it is there.
    pub left: Option<String>,
    /// The row in the second file, if it is there.
    pub right: Option<String>,
}

/// Calls `visit` with every row of a model that serves, table by table in key order. The same
/// rows give the same lines, whichever file they are in.
///
/// # Errors
/// The store's, and the first of `visit`.
pub fn dump(
    models: &ReadModels,
    model: &Registration,
    visit: &mut dyn FnMut(&str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    models.read(model.name(), |connection| {
        for table in connection.tables(model.derived_tables())? {
            let mut statement = connection.prepare(&table.select())?;
            let mut rows = statement.walk([])?;
            while let Some(row) = table.next(&mut rows)? {
                visit(&table.line(&row))?;
            }
        }
        Ok(())
    })
}

/// Compares the rows of two files of a model; at most some differences are told.
///
/// # Errors
/// The store's, and when a file is not there.
pub fn compare(
    directory: &Directory,
    model: &Registration,
    left: crate::Generation,
    right: crate::Generation,
) -> Result<Vec<Difference>, StoreError> {
    let left = directory.reader(model.name(), left)?;
    let right = directory.reader(model.name(), right)?;
    compare_with(&left, &right, model.derived_tables())
}

pub(crate) fn compare_with(
    left: &SharedConnection,
    right: &SharedConnection,
    derived: &[&str],
) -> Result<Vec<Difference>, StoreError> {
    Ok(compare_rows(&hold(left), &hold(right), derived)?.1)
}

/// Compares the rows of one model in two stores, of whatever kind each is, leaving out `derived`
/// tables: how many rows were looked at, and at most some differences.
///
/// # Errors
/// The stores', and when they do not have the same tables.
pub fn compare_rows(
    left: &Connection,
    right: &Connection,
    derived: &[&str],
) -> Result<(u64, Vec<Difference>), StoreError> {
    let (mut looked_at, mut differences) = (0, Vec::new());
    let tables_left = left.tables(derived)?;
    let tables_right = right.tables(derived)?;
    if tables_left != tables_right {
        return Err(StoreError::Other("the two files do not have the same tables".to_owned()));
    }
    for table in tables_left {
        let (mut in_left, mut in_right) =
            (left.prepare(&table.select())?, right.prepare(&table.select())?);
        let (mut rows_left, mut rows_right) = (in_left.walk([])?, in_right.walk([])?);
        let (mut a, mut b) = (table.next(&mut rows_left)?, table.next(&mut rows_right)?);
        while differences.len() < DIFFERENCES_MAX {
            let order = match (&a, &b) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => table.order(a, b),
            };
            if order.is_ne() || a != b {
                differences.push(Difference {
                    table: table.name.clone(),
                    left: a.as_ref().filter(|_| order.is_le()).map(|row| table.line(row)),
                    right: b.as_ref().filter(|_| order.is_ge()).map(|row| table.line(row)),
                });
            }
            looked_at += 1;
            if order.is_le() {
                a = table.next(&mut rows_left)?;
            }
            if order.is_ge() {
                b = table.next(&mut rows_right)?;
            }
        }
    }
    Ok((looked_at, differences))
}

impl Table {
    fn select(&self) -> String {
        let quoted = |column: &String| format!("\"{column}\"");
        let columns: Vec<String> = self.columns.iter().map(quoted).collect();
        let key: Vec<String> = self.key.iter().map(|index| quoted(&self.columns[*index])).collect();
        format!("SELECT {} FROM \"{}\" ORDER BY {}", columns.join(", "), self.name, key.join(", "))
    }

    fn next(&self, rows: &mut Rows<'_>) -> Result<Option<Vec<Value>>, StoreError> {
        let Some(row) = rows.next()? else { return Ok(None) };
        let values = (0..self.columns.len()).map(|column| row.get::<Value>(column));
        Ok(Some(values.collect::<Result<_, _>>()?))
    }

    fn line(&self, row: &[Value]) -> String {
        let cells = self.columns.iter().zip(row);
        let cells: Vec<String> =
            cells.map(|(column, value)| format!("{column}={}", text(value))).collect();
        format!("{} {}", self.name, cells.join(" "))
    }

    fn order(&self, a: &[Value], b: &[Value]) -> Ordering {
        let orders = self.key.iter().map(|index| order(&a[*index], &b[*index]));
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

/// SQLite's order: nothing, numbers, texts, bytes.
fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    };
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => format!("{text:?}"),
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
