//! Shipment: units of one order that leave the house together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::LineUnits;
use crate::{OrderId, ShipmentId, Timestamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ShipmentEvent {
    Dispatched {
        shipment_id: ShipmentId,
        order_id: OrderId,
        lines: Vec<LineUnits>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking_number: Option<String>,
    },
    Delivered {
        order_id: OrderId,
        delivered_at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum ShipmentCommand {
    Dispatch {
        shipment_id: ShipmentId,
        order_id: OrderId,
        lines: Vec<LineUnits>,
        carrier: Option<String>,
        tracking_number: Option<String>,
    },
    Deliver {
        delivered_at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentOnRecord {
    pub order_id: OrderId,
    pub lines: Vec<LineUnits>,
    pub delivered_at: Option<Timestamp>,
}

/// `None` until dispatched.
pub type ShipmentState = Option<ShipmentOnRecord>;

/// The aggregate.
#[derive(Debug)]
pub struct Shipment;
