//! Warehouse: a place stock is kept at. Lower ranks are drawn on first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WarehouseId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarehouseDetails {
    pub name: String,
    /// Order of preference when several could serve; the lower first.
    pub rank: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum WarehouseEvent {
    Opened {
        warehouse_id: WarehouseId,
        #[serde(flatten)]
        details: WarehouseDetails,
    },
    DetailsChanged(WarehouseDetails),
    /// Takes part in new orders again.
    Activated {},
    /// Takes no part in new orders; what it holds for earlier ones still ships.
    Deactivated {},
}

#[derive(Debug, Clone, PartialEq)]
pub enum WarehouseCommand {
    Open {
        warehouse_id: WarehouseId,
        details: WarehouseDetails,
    },
    ChangeDetails(WarehouseDetails),
    Activate,
    Deactivate,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarehouseOnRecord {
    pub details: WarehouseDetails,
    pub active: bool,
}

/// `None` until opened.
pub type WarehouseState = Option<WarehouseOnRecord>;

/// The aggregate.
#[derive(Debug)]
pub struct Warehouse;
