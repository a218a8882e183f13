//! Read models in PostgreSQL: for several nodes, and for anybody's SQL.
//!
//! `store` has the generations, `session` what a model does within one, `lease` who writes, `news`
//! how all the others keep up, `dialect` and `values` what differs from SQLite.

mod block;
mod dialect;
mod faults;
mod lease;
mod links;
mod migrate;
mod news;
mod options;
mod server;
mod session;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod values;
mod views;

pub use migrate::migrate_postgres;
pub use options::PostgresOptions;
pub(crate) use session::{Answer, Session};
pub(crate) use store::Store;
pub(crate) use values::cell;
