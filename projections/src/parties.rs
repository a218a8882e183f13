//! Who takes part: customers, sellers and warehouses, each by id and in pages.
//!
//! Personal fields stay sealed. Tokens of payment methods are in no view and no list; the one
//! who charges asks for exactly one of them with [`payment_token`].

mod customers;
mod page;
mod sellers;
mod warehouses;

#[cfg(test)]
mod tests;

use crate::sql::{Connection, OptionalExtension, params};
use domain::customer::{Customer, CustomerState};
use domain::seller::{Seller, SellerState};
use domain::warehouse::{Warehouse, WarehouseState};
use domain::{CustomerId, Decider, SellerId, WarehouseId};
use schemas::AnyEvent;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use customers::{
    CustomerFilter, CustomerSummary, CustomerView, PaymentMethodView, PaymentToken, customer,
    customers, payment_token,
};
pub use page::{LIMIT_MAX, Page};
pub use sellers::{SellerView, seller, sellers};
pub use warehouses::{WarehouseView, warehouse, warehouses};

use crate::id_column::stream_id;
use crate::{Envelope, Projector, StoreError};

/// The read model; see the module.
#[derive(Debug)]
pub struct Parties;

/// Names a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartyKey {
    Customer(CustomerId),
    Seller(SellerId),
    Warehouse(WarehouseId),
}

/// A row of one of the three tables.
#[derive(Debug, Clone)]
pub struct PartyRow(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Customer(Record<CustomerState>),
    Seller(Record<SellerState>),
    Warehouse(Record<WarehouseState>),
}

/// What a party's stream says, as JSON in the table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Record<S> {
    /// Of the stream.
    version: u64,
    state: S,
}

impl Projector for Parties {
    type Key = PartyKey;
    type Row = PartyRow;

    const NAME: &'static str = "parties";
    const VERSION: u32 = 1;

    fn follows(category: &str) -> bool {
        matches!(category, "customer" | "seller" | "warehouse")
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE customer (
                 id BLOB PRIMARY KEY, wholesale INTEGER NOT NULL, erased INTEGER NOT NULL,
                 record TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE seller (id BLOB PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE warehouse (
                 id BLOB PRIMARY KEY, rank INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
             CREATE INDEX warehouse_by_rank ON warehouse (rank, id);",
        )?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<PartyKey>) {
        keys.extend(match &event.event {
            AnyEvent::Customer(_) => stream_id(event).map(PartyKey::Customer),
            AnyEvent::Seller(_) => stream_id(event).map(PartyKey::Seller),
            AnyEvent::Warehouse(_) => stream_id(event).map(PartyKey::Warehouse),
            _ => None,
        });
    }

    fn fold(_: &PartyKey, row: Option<PartyRow>, event: &Envelope) -> Option<PartyRow> {
        let row = row.map(|row| row.0);
        let row = match (&event.event, row) {
            (AnyEvent::Customer(customer), row) => {
                let known = match row {
                    Some(Kind::Customer(known)) => known,
                    _ => Record::default(),
                };
                let record = known.after::<Customer>(customer, event.version);
                record.state.is_some().then_some(Kind::Customer(record))
            }
            (AnyEvent::Seller(seller), row) => {
                let known = match row {
                    Some(Kind::Seller(known)) => known,
                    _ => Record::default(),
                };
                let record = known.after::<Seller>(seller, event.version);
                record.state.is_some().then_some(Kind::Seller(record))
            }
            (AnyEvent::Warehouse(warehouse), row) => {
                let known = match row {
                    Some(Kind::Warehouse(known)) => known,
                    _ => Record::default(),
                };
                let record = known.after::<Warehouse>(warehouse, event.version);
                record.state.is_some().then_some(Kind::Warehouse(record))
            }
            (_, row) => row,
        };
        row.map(PartyRow)
    }

    fn load(connection: &Connection, key: &PartyKey) -> Result<Option<PartyRow>, StoreError> {
        let row = match key {
            PartyKey::Customer(id) => {
                record(connection, customers::RECORD, id.uuid())?.map(Kind::Customer)
            }
            PartyKey::Seller(id) => {
                record(connection, sellers::RECORD, id.uuid())?.map(Kind::Seller)
            }
            PartyKey::Warehouse(id) => {
                record(connection, warehouses::RECORD, id.uuid())?.map(Kind::Warehouse)
            }
        };
        Ok(row.map(PartyRow))
    }

    fn save(
        connection: &Connection,
        key: &PartyKey,
        _: Option<&PartyRow>,
        after: Option<&PartyRow>,
    ) -> Result<(), StoreError> {
        match (key, after.map(|row| &row.0)) {
            (PartyKey::Customer(id), Some(Kind::Customer(record))) => {
                customers::save(connection, *id, record)
            }
            (PartyKey::Seller(id), Some(Kind::Seller(record))) => {
                connection
                    .prepare_cached(
                        "INSERT INTO seller VALUES (?1, ?2)
                         ON CONFLICT (id) DO UPDATE SET record = excluded.record",
                    )?
                    .execute(params![id.uuid().into_bytes(), serde_json::to_string(record)?])?;
                Ok(())
            }
            (PartyKey::Warehouse(id), Some(Kind::Warehouse(record))) => {
                warehouses::save(connection, *id, record)
            }
            // Nobody is ever deleted: an erased customer says so itself.
            _ => Ok(()),
        }
    }
}

impl<S> Record<S> {
    fn after<D: Decider<State = S>>(mut self, event: &D::Event, version: u64) -> Self {
        D::evolve(&mut self.state, event);
        self.version = version;
        self
    }
}

/// Reads one record with a statement that takes an id.
fn record<S: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    id: Uuid,
) -> Result<Option<Record<S>>, StoreError> {
    let text: Option<String> = connection
        .prepare_cached(sql)?
        .query_row([id.into_bytes()], |row| row.get(0))
        .optional()?;
    Ok(text.as_deref().map(serde_json::from_str).transpose()?)
}
