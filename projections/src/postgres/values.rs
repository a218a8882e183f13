//! Values on their way to PostgreSQL and back, as the store's own kinds.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::StoreError;
use crate::sql::Params;

type Problem = Box<dyn std::error::Error + Sync + Send>;

/// A parameter; it becomes what the statement wants, as far as nothing is lost.
#[derive(Debug)]
pub(super) struct Parameter(Value);

pub(super) fn parameters(params: &impl Params) -> Result<Vec<Parameter>, StoreError> {
    let mut all = Vec::new();
    params.each(&mut |param: &dyn rusqlite::types::ToSql| {
        all.push(Parameter(match param.to_sql()? {
            ToSqlOutput::Borrowed(value) => value.into(),
            ToSqlOutput::Owned(value) => value,
            _ => return Err(StoreError::Other("a parameter of no known kind".to_owned())),
        }));
        Ok(())
    })?;
    Ok(all)
}

/// Parameters as bytes that differ if any of them does.
pub(super) fn bytes(parameters: &[Parameter]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parameters.len() * 17);
    for Parameter(value) in parameters {
        let (kind, content): (u8, &[u8]) = match value {
            Value::Null => (0, &[]),
            Value::Integer(number) => (1, &number.to_be_bytes()),
            Value::Real(number) => (2, &number.to_be_bytes()),
            Value::Text(text) => (3, text.as_bytes()),
            Value::Blob(blob) => (4, blob),
        };
        bytes.push(kind);
        bytes.extend_from_slice(&content.len().to_be_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}

impl ToSql for Parameter {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        match (&self.0, wanted) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Integer(number), &Type::INT8) => out.extend_from_slice(&number.to_be_bytes()),
            (Value::Integer(number), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(*number)?.to_be_bytes());
            }
            (Value::Text(text), &(Type::TEXT | Type::VARCHAR | Type::NAME)) => {
                // U+0000 has no place in PostgreSQL's texts, and is no reason to lose the rest.
                match text.contains('\0') {
                    false => out.extend_from_slice(text.as_bytes()),
                    true => out.extend_from_slice(text.replace('\0', "\u{fffd}").as_bytes()),
                }
            }
            (Value::Blob(blob), &Type::BYTEA) => out.extend_from_slice(blob),
            (Value::Blob(blob), &Type::UUID) if blob.len() == 16 => out.extend_from_slice(blob),
            (value, wanted) => {
                return Err(format!("{:?} is no {wanted}", value.data_type()).into());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A column's value.
pub(super) struct Cell<'r>(pub(super) ValueRef<'r>);

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Problem> {
        Ok(Self(match *kind {
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => ValueRef::Integer((raw != [0]).into()),
            Type::TEXT | Type::VARCHAR | Type::NAME => ValueRef::Text(raw),
            Type::BYTEA | Type::UUID => ValueRef::Blob(raw),
            _ => return Err(format!("a column of type {kind} is not read here").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(crate) fn cell(row: &tokio_postgres::Row, column: usize) -> Result<ValueRef<'_>, StoreError> {
    if column >= row.len() {
        return Err(rusqlite::Error::InvalidColumnIndex(column).into());
    }
    let cell: Cell<'_> = row
        .try_get(column)
        .map_err(|error| StoreError::Other(format!("column {column}: {error}")))?;
    Ok(cell.0)
}
