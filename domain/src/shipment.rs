//! Shipment: units of one order that leave the house together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::LineUnits;
use crate::order::line_units::{repeated_line, same_units};
use crate::{Decider, LineNumber, OrderId, Rejection, RejectionKind, ShipmentId, Timestamp};

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

/// Which rule of a shipment was broken, and what was seen.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ShipmentRejection {
    #[error("there is no such shipment")]
    NotFound,
    #[error("shipment {shipment_id} is already on record with other content")]
    ShipmentDiffers { shipment_id: ShipmentId },
    #[error("at least one line is needed, none was given")]
    NoLines { field: &'static str },
    #[error("each line may be named once, {line} was named twice")]
    LineRepeated { field: &'static str, line: LineNumber },
}

impl Rejection for ShipmentRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::ShipmentDiffers { .. } => RejectionKind::Conflict,
            Self::NoLines { .. } | Self::LineRepeated { .. } => RejectionKind::Invalid,
        }
    }
}

impl Decider for Shipment {
    const CATEGORY: &'static str = "shipment";

    type Id = ShipmentId;
    type State = ShipmentState;
    type Command = ShipmentCommand;
    type Event = ShipmentEvent;
    type Rejection = ShipmentRejection;

    fn decide(
        state: &ShipmentState,
        command: &ShipmentCommand,
    ) -> Result<Vec<ShipmentEvent>, ShipmentRejection> {
        match command {
            ShipmentCommand::Dispatch {
                shipment_id,
                order_id,
                lines,
                carrier,
                tracking_number,
            } => {
                if let Some(shipment) = state {
                    return check_same(shipment, *shipment_id, *order_id, lines);
                }
                check_lines(lines)?;
                Ok(vec![ShipmentEvent::Dispatched {
                    shipment_id: *shipment_id,
                    order_id: *order_id,
                    lines: lines.clone(),
                    carrier: carrier.clone(),
                    tracking_number: tracking_number.clone(),
                }])
            }
            ShipmentCommand::Deliver { delivered_at } => {
                let shipment = state.as_ref().ok_or(ShipmentRejection::NotFound)?;
                if shipment.delivered_at.is_some() {
                    return Ok(vec![]);
                }
                Ok(vec![ShipmentEvent::Delivered {
                    order_id: shipment.order_id,
                    delivered_at: *delivered_at,
                }])
            }
        }
    }

    fn evolve(state: &mut ShipmentState, event: &ShipmentEvent) {
        match event {
            ShipmentEvent::Dispatched {
                shipment_id: _,
                order_id,
                lines,
                carrier: _,
                tracking_number: _,
            } => {
                *state = Some(ShipmentOnRecord {
                    order_id: *order_id,
                    lines: lines.clone(),
                    delivered_at: None,
                });
            }
            ShipmentEvent::Delivered { order_id: _, delivered_at } => {
                if let Some(shipment) = state {
                    shipment.delivered_at = Some(*delivered_at);
                }
            }
        }
    }
}

/// A shipment leaves once: the same units of the same order again are nothing new.
fn check_same(
    shipment: &ShipmentOnRecord,
    shipment_id: ShipmentId,
    order_id: OrderId,
    lines: &[LineUnits],
) -> Result<Vec<ShipmentEvent>, ShipmentRejection> {
    if shipment.order_id == order_id && same_units(&shipment.lines, lines) {
        Ok(vec![])
    } else {
        Err(ShipmentRejection::ShipmentDiffers { shipment_id })
    }
}

fn check_lines(lines: &[LineUnits]) -> Result<(), ShipmentRejection> {
    let field = "lines";
    if lines.is_empty() {
        return Err(ShipmentRejection::NoLines { field });
    }
    match repeated_line(lines.iter().map(|units| units.line)) {
        Some(line) => Err(ShipmentRejection::LineRepeated { field, line }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, given, id, units};

    fn lines(of: &[(LineNumber, u32)]) -> Vec<LineUnits> {
        of.iter()
            .map(|(line, quantity)| LineUnits { line: *line, quantity: units(*quantity) })
            .collect()
    }

    fn dispatch(order: u128, of: &[(LineNumber, u32)]) -> ShipmentCommand {
        ShipmentCommand::Dispatch {
            shipment_id: id(11),
            order_id: id(order),
            lines: lines(of),
            carrier: Some("ups".to_owned()),
            tracking_number: Some("1Z".to_owned()),
        }
    }

    fn dispatched() -> ShipmentEvent {
        ShipmentEvent::Dispatched {
            shipment_id: id(11),
            order_id: id(1),
            lines: lines(&[(1, 2), (2, 1)]),
            carrier: Some("ups".to_owned()),
            tracking_number: Some("1Z".to_owned()),
        }
    }

    #[test]
    fn a_shipment_leaves_once() {
        given::<Shipment>([])
            .when(dispatch(1, &[(1, 2), (2, 1)]))
            .then_once([dispatched()])
            .when(dispatch(1, &[(2, 1), (1, 2)]))
            .then_nothing()
            .when(dispatch(1, &[(1, 2)]))
            .then_rejected(ShipmentRejection::ShipmentDiffers { shipment_id: id(11) })
            .when(dispatch(2, &[(1, 2), (2, 1)]))
            .then_rejected(ShipmentRejection::ShipmentDiffers { shipment_id: id(11) });
    }

    #[test]
    fn a_shipment_arrives_once_at_the_first_moment_told() {
        given::<Shipment>([dispatched()])
            .when(ShipmentCommand::Deliver { delivered_at: at(5) })
            .then_once([ShipmentEvent::Delivered { order_id: id(1), delivered_at: at(5) }])
            .when(ShipmentCommand::Deliver { delivered_at: at(9) })
            .then_nothing();
    }

    #[test]
    fn what_did_not_leave_cannot_arrive() {
        given::<Shipment>([])
            .when(ShipmentCommand::Deliver { delivered_at: at(5) })
            .then_rejected(ShipmentRejection::NotFound);
    }

    #[test]
    fn a_parcel_is_not_empty_and_names_each_line_once() {
        let field = "lines";
        given::<Shipment>([])
            .when(dispatch(1, &[]))
            .then_rejected(ShipmentRejection::NoLines { field })
            .when(dispatch(1, &[(1, 1), (1, 2)]))
            .then_rejected(ShipmentRejection::LineRepeated { field, line: 1 });
    }
}
