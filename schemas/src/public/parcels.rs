//! What is told of shipments and returns. What a buyer or seller wrote stays inside.

use domain::order::LineUnits;
use domain::product_return::{ReceivedUnits, ReturnReason};
use domain::{OrderId, RefundId, ReturnId, ShipmentId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A parcel left the house.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentDispatched {
    pub shipment_id: ShipmentId,
    pub order_id: OrderId,
    pub lines: Vec<LineUnits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

/// A parcel arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentDelivered {
    pub shipment_id: ShipmentId,
    pub order_id: OrderId,
    pub delivered_at: Timestamp,
}

/// A buyer wants to send units back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRequested {
    pub return_id: ReturnId,
    pub order_id: OrderId,
    /// The number on the parcel.
    pub rma_number: String,
    pub lines: Vec<LineUnits>,
    pub reason: ReturnReason,
}

/// The units came back and were looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnReceived {
    pub return_id: ReturnId,
    pub order_id: OrderId,
    pub lines: Vec<ReceivedUnits>,
    /// Where money is owed: `payment.refunded` with this id tells when it went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
}

/// The units will not be taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRejected {
    pub return_id: ReturnId,
    pub order_id: OrderId,
}
