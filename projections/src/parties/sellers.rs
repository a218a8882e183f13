//! Sellers.

use crate::sql::Connection;
use domain::SellerId;
use domain::seller::{SellerDetails, SellerState};
use serde::Serialize;

use super::page::page;
use super::{Page, Record, record};
use crate::StoreError;

pub(super) const RECORD: &str = "SELECT record FROM seller WHERE id = ?1";

/// A seller.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SellerView {
    pub seller_id: SellerId,
    /// Version of the seller's stream.
    pub version: u64,
    #[serde(flatten)]
    pub details: SellerDetails,
}

/// `None` for an unknown seller.
pub fn seller(
    connection: &Connection,
    seller_id: SellerId,
) -> Result<Option<SellerView>, StoreError> {
    Ok(record(connection, RECORD, seller_id.uuid())?.and_then(|found| view(seller_id, found)))
}

/// Sellers with ids behind `after`, at most `limit` (1 to [`super::LIMIT_MAX`]; what is outside
/// is brought in).
pub fn sellers(
    connection: &Connection,
    after: Option<SellerId>,
    limit: usize,
) -> Result<Page<SellerView, SellerId>, StoreError> {
    let sql = "SELECT id, record FROM seller WHERE (id > ?1 OR ?1 IS NULL) ORDER BY id LIMIT ?2";
    page(connection, sql, after.map(SellerId::uuid), limit, view)
}

fn view(seller_id: SellerId, found: Record<SellerState>) -> Option<SellerView> {
    Some(SellerView { seller_id, version: found.version, details: found.state? })
}
