//! How orders are kept: the tables, and which of them a change touches.

use crate::sql::{Connection, params};
use domain::order::OrderStatus;

use super::row::OrderRow;
use crate::StoreError;
use crate::directory::hold;

impl OrderRow {
    pub(super) fn insert(&self, connection: &Connection) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO orders
                     (number, id, status, placed_us, customer, reference, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (number) DO UPDATE SET id = excluded.id, status = excluded.status,
                     placed_us = excluded.placed_us, customer = excluded.customer,
                     reference = excluded.reference, state = excluded.state",
            )?
            .execute(params![
                self.number,
                self.order_id.uuid().as_bytes(),
                status_number(self.status),
                self.placed_at.timestamp_micros(),
                self.customer_id.map(|id| id.uuid().into_bytes()),
                self.reference,
                serde_json::to_string(self)?,
            ])?;
        connection
            .prepare_cached(
                "INSERT INTO placed VALUES (?1, ?2)
                 ON CONFLICT (number) DO UPDATE SET facts = excluded.facts",
            )?
            .execute(params![self.number, std::mem::take(&mut *hold(&self.facts))])?;
        self.insert_sellers(connection)
    }

    pub(super) fn update(&self, connection: &Connection, before: &Self) -> Result<(), StoreError> {
        let state = serde_json::to_string(self)?;
        if self.status == before.status {
            connection
                .prepare_cached("UPDATE orders SET state = ?2 WHERE number = ?1")?
                .execute(params![self.number, state])?;
            return Ok(());
        }
        connection
            .prepare_cached("UPDATE orders SET state = ?2, status = ?3 WHERE number = ?1")?
            .execute(params![self.number, state, status_number(self.status)])?;
        self.leave_work(connection, before.status)?;
        self.enter_work(connection)
    }

    fn insert_sellers(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO order_sellers VALUES (?1, ?2, ?3)
             ON CONFLICT (seller, placed_us, id) DO NOTHING",
        )?;
        for seller in &self.sellers {
            insert.execute(params![
                seller.uuid().as_bytes(),
                self.placed_at.timestamp_micros(),
                self.order_id.uuid().as_bytes(),
            ])?;
        }
        self.enter_work(connection)
    }

    fn enter_work(&self, connection: &Connection) -> Result<(), StoreError> {
        if waits_for_seller(self.status) {
            let sql = "INSERT INTO seller_work VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (seller, status, placed_us, id) DO NOTHING";
            self.for_each_seller(connection, self.status, sql)?;
        }
        Ok(())
    }

    fn leave_work(&self, connection: &Connection, status: OrderStatus) -> Result<(), StoreError> {
        if waits_for_seller(status) {
            let sql = "DELETE FROM seller_work
                 WHERE seller = ?1 AND status = ?2 AND placed_us = ?3 AND id = ?4";
            self.for_each_seller(connection, status, sql)?;
        }
        Ok(())
    }

    fn for_each_seller(
        &self,
        connection: &Connection,
        status: OrderStatus,
        sql: &str,
    ) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(sql)?;
        for seller in &self.sellers {
            statement.execute(params![
                seller.uuid().as_bytes(),
                status_number(status),
                self.placed_at.timestamp_micros(),
                self.order_id.uuid().as_bytes(),
            ])?;
        }
        Ok(())
    }
}

/// Whether orders in this status are on their sellers' lists of work.
pub(super) fn waits_for_seller(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Confirmed | OrderStatus::Processing)
}

/// All statuses; an order's column holds the index.
pub(super) const STATUSES: [OrderStatus; 8] = [
    OrderStatus::Pending,
    OrderStatus::Confirmed,
    OrderStatus::Processing,
    OrderStatus::Shipped,
    OrderStatus::Delivered,
    OrderStatus::Returned,
    OrderStatus::Cancelled,
    OrderStatus::Failed,
];

pub(super) fn status_number(status: OrderStatus) -> i64 {
    match status {
        OrderStatus::Pending => 0,
        OrderStatus::Confirmed => 1,
        OrderStatus::Processing => 2,
        OrderStatus::Shipped => 3,
        OrderStatus::Delivered => 4,
        OrderStatus::Returned => 5,
        OrderStatus::Cancelled => 6,
        OrderStatus::Failed => 7,
    }
}
