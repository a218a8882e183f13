//! Pages of orders, newest first, by a position in the order of (date placed, id): no page
//! repeats or skips an order, whatever is placed meanwhile.

use std::fmt;
use std::str::FromStr;

use crate::sql::Connection;
use crate::sql::Value;
use domain::order::OrderStatus;
use domain::{CustomerId, SellerId, Timestamp};
use uuid::Uuid;

use super::Orders;
use super::row::OrderRow;
use super::tables::{STATUSES, status_number, waits_for_seller};
use super::view::OrderSummary;
use crate::{Projector, ReadModels, StoreError};

/// Most orders on a page.
pub const LIMIT_MAX: usize = 200;

/// Which orders; those that meet all of what is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub customer: Option<CustomerId>,
    /// Orders with lines of this seller.
    pub seller: Option<SellerId>,
    pub status: Option<OrderStatus>,
    /// Placed at this instant or later.
    pub placed_from: Option<Timestamp>,
    /// Placed before this instant.
    pub placed_to: Option<Timestamp>,
    /// The order's number in another system.
    pub reference: Option<String>,
}

/// Where the next page begins; only for the filter it was given out with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    placed_us: i64,
    id: Uuid,
    filter: u64,
}

/// A text that cannot be used as a cursor here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    #[error("this is no cursor that was given out here")]
    Malformed,
    #[error("this cursor was given out for another filter")]
    OtherFilter,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub orders: Vec<OrderSummary>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

/// One page of the orders that meet `filter`, at most `limit` (1 to [`LIMIT_MAX`]; what is
/// outside is brought in), from `after` on.
///
/// # Errors
/// `CursorError` for a cursor of another filter; the store's.
pub fn list(
    models: &ReadModels,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Result<Page, CursorError>, StoreError> {
    if after.is_some_and(|after| after.filter != filter.digest()) {
        return Ok(Err(CursorError::OtherFilter));
    }
    let limit = limit.clamp(1, LIMIT_MAX);
    models.read(Orders::NAME, |connection| page(connection, filter, after, limit)).map(Ok)
}

fn page(
    connection: &Connection,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    // One more than asked for tells whether there is a next page.
    let mut found: Vec<(i64, Uuid, String)> = Vec::new();
    for arm in arms(filter) {
        arm.run(connection, filter, after, limit + 1, &mut found)?;
    }
    found.sort_unstable_by_key(|(placed_us, id, _)| std::cmp::Reverse((*placed_us, *id)));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(placed_us, id, _)| Cursor {
        placed_us: *placed_us,
        id: *id,
        filter: filter.digest(),
    });
    let orders = found
        .into_iter()
        .map(|(_, _, state)| Ok(serde_json::from_str::<OrderRow>(&state)?.into()))
        .collect::<Result<_, StoreError>>()?;
    Ok(Page { orders, next })
}

/// One scan of one index in the list's order. Several are merged: an index over all statuses
/// would cost every order an entry more, to serve the one rare list that names no filter.
struct Arm {
    from: &'static str,
    equal: Vec<(&'static str, Value)>,
}

fn arms(filter: &Filter) -> Vec<Arm> {
    let statuses = || filter.status.map_or(STATUSES.to_vec(), |status| vec![status]);
    let status = |column, status: OrderStatus| (column, Value::from(status_number(status)));
    let blob = |id: Uuid| Value::from(id.as_bytes().to_vec());
    if let Some(reference) = &filter.reference {
        vec![Arm {
            from: "orders AS o INDEXED BY orders_by_reference",
            equal: vec![("o.reference", Value::from(reference.clone()))],
        }]
    } else if let Some(customer) = filter.customer {
        vec![Arm {
            from: "orders AS o INDEXED BY orders_by_customer",
            equal: vec![("o.customer", blob(customer.uuid()))],
        }]
    } else if let Some(seller) = filter.seller {
        let of_seller = ("s.seller", blob(seller.uuid()));
        vec![match filter.status.filter(|status| waits_for_seller(*status)) {
            Some(waits) => Arm {
                from: "seller_work AS s CROSS JOIN orders AS o ON o.id = s.id",
                equal: vec![of_seller, status("s.status", waits)],
            },
            None => Arm {
                from: "order_sellers AS s CROSS JOIN orders AS o ON o.id = s.id",
                equal: vec![of_seller],
            },
        }]
    } else {
        let arm = |of| Arm {
            from: "orders AS o INDEXED BY orders_by_status",
            equal: vec![status("o.status", of)],
        };
        statuses().into_iter().map(arm).collect()
    }
}

impl Arm {
    fn run(
        self,
        connection: &Connection,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
        found: &mut Vec<(i64, Uuid, String)>,
    ) -> Result<(), StoreError> {
        // The order's columns come from the table whose index is scanned.
        let scanned = if self.from.contains(" AS s ") { "s" } else { "o" };
        let mut sql = format!(
            "SELECT o.placed_us, o.id, o.state FROM {} WHERE {scanned}.placed_us >= ?",
            self.from
        );
        let mut values =
            vec![Value::from(filter.placed_from.map_or(i64::MIN, |at| at.timestamp_micros()))];
        let mut and = |condition: &str, value: Value| {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        };
        for (column, value) in self.equal {
            and(&format!("{column} = ?"), value);
        }
        if let Some(to) = filter.placed_to {
            and(&format!("{scanned}.placed_us < ?"), Value::from(to.timestamp_micros()));
        }
        if let Some(status) = filter.status {
            and("o.status = ?", Value::from(status_number(status)));
        }
        if let Some(customer) = filter.customer {
            and("o.customer = ?", Value::from(customer.uuid().as_bytes().to_vec()));
        }
        if let Some(seller) = filter.seller.filter(|_| scanned == "o") {
            and(
                "EXISTS (SELECT 1 FROM order_sellers AS e
                     WHERE e.seller = ? AND e.placed_us = o.placed_us AND e.id = o.id)",
                Value::from(seller.uuid().as_bytes().to_vec()),
            );
        }
        if let Some(after) = after {
            and(
                &format!("({scanned}.placed_us, {scanned}.id) < (?, ?)"),
                Value::from(after.placed_us),
            );
            values.push(Value::from(after.id.as_bytes().to_vec()));
        }
        sql.push_str(&format!(
            " ORDER BY {scanned}.placed_us DESC, {scanned}.id DESC LIMIT {limit}"
        ));
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values.as_slice())?;
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, crate::id_column::id(&row, 1)?, row.get(2)?));
        }
        Ok(())
    }
}

impl Filter {
    /// Tells filters apart; the same in every process (FNV-1a over all parts).
    fn digest(&self) -> u64 {
        let text = format!("{self:?}");
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placed = self.placed_us.cast_unsigned();
        write!(f, "{placed:016x}{}{:016x}", self.id.simple(), self.filter)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let part = |range| text.get(range).ok_or(CursorError::Malformed);
        let number = |text| u64::from_str_radix(text, 16).map_err(|_| CursorError::Malformed);
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(CursorError::Malformed);
        }
        Ok(Self {
            placed_us: number(part(0..16)?)?.cast_signed(),
            id: Uuid::try_parse(part(16..48)?).map_err(|_| CursorError::Malformed)?,
            filter: number(part(48..64)?)?,
        })
    }
}
