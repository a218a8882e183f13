//! Warehouse: a place stock is kept at. Lower ranks are drawn on first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Rejection, RejectionKind};
use crate::{BrokenRule, WarehouseId, rule};

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
    Open { warehouse_id: WarehouseId, details: WarehouseDetails },
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

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum WarehouseRejection {
    #[error("there is no such warehouse")]
    NoSuchWarehouse,
    #[error("the warehouse already exists, as `{name}`")]
    WarehouseExists { name: String },
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
}

impl Rejection for WarehouseRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoSuchWarehouse => RejectionKind::NotFound,
            Self::WarehouseExists { .. } => RejectionKind::Conflict,
            Self::InvalidValue(_) => RejectionKind::Invalid,
        }
    }
}

impl Decider for Warehouse {
    const CATEGORY: &'static str = "warehouse";

    type Id = WarehouseId;
    type State = WarehouseState;
    type Command = WarehouseCommand;
    type Event = WarehouseEvent;
    type Rejection = WarehouseRejection;

    fn decide(
        state: &WarehouseState,
        command: &WarehouseCommand,
    ) -> Result<Vec<WarehouseEvent>, WarehouseRejection> {
        use WarehouseCommand as C;
        let known = state.as_ref().ok_or(WarehouseRejection::NoSuchWarehouse);
        match command {
            C::Open { warehouse_id, details } => open(state, *warehouse_id, details),
            C::ChangeDetails(details) => {
                check(details)?;
                Ok(unless(known?.details == *details, || {
                    WarehouseEvent::DetailsChanged(details.clone())
                }))
            }
            C::Activate => Ok(unless(known?.active, || WarehouseEvent::Activated {})),
            C::Deactivate => Ok(unless(!known?.active, || WarehouseEvent::Deactivated {})),
        }
    }

    /// An event about a warehouse that was never opened changes nothing.
    fn evolve(state: &mut WarehouseState, event: &WarehouseEvent) {
        match (event, state.as_mut()) {
            (WarehouseEvent::Opened { details, .. }, _) => {
                *state = Some(WarehouseOnRecord { details: details.clone(), active: true });
            }
            (WarehouseEvent::DetailsChanged(details), Some(known)) => {
                known.details = details.clone();
            }
            (WarehouseEvent::Activated {}, Some(known)) => known.active = true,
            (WarehouseEvent::Deactivated {}, Some(known)) => known.active = false,
            (
                WarehouseEvent::DetailsChanged(_)
                | WarehouseEvent::Activated {}
                | WarehouseEvent::Deactivated {},
                None,
            ) => {}
        }
    }
}

fn open(
    state: &WarehouseState,
    warehouse_id: WarehouseId,
    details: &WarehouseDetails,
) -> Result<Vec<WarehouseEvent>, WarehouseRejection> {
    check(details)?;
    match state {
        None => Ok(vec![WarehouseEvent::Opened { warehouse_id, details: details.clone() }]),
        Some(known) if known.details == *details => Ok(vec![]),
        Some(known) => {
            Err(WarehouseRejection::WarehouseExists { name: known.details.name.clone() })
        }
    }
}

fn check(details: &WarehouseDetails) -> Result<(), BrokenRule> {
    rule::text("name", &details.name, 1..=200)
}

fn unless(already: bool, event: impl FnOnce() -> WarehouseEvent) -> Vec<WarehouseEvent> {
    if already { vec![] } else { vec![event()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, id};

    fn details(name: &str) -> WarehouseDetails {
        WarehouseDetails { name: name.to_owned(), rank: 1 }
    }

    fn opened() -> WarehouseEvent {
        WarehouseEvent::Opened { warehouse_id: id(1), details: details("north") }
    }

    #[test]
    fn a_warehouse_opens_once_and_active() {
        let open = |name| WarehouseCommand::Open { warehouse_id: id(1), details: details(name) };
        let north = given::<Warehouse>([]).when(open("north")).then_once([opened()]);
        assert!(north.state().as_ref().unwrap().active);
        north
            .when(open("south"))
            .then_rejected(WarehouseRejection::WarehouseExists { name: "north".into() });
    }

    #[test]
    fn it_is_taken_out_of_service_and_back() {
        given::<Warehouse>([opened()])
            .when(WarehouseCommand::Activate)
            .then_nothing()
            .when(WarehouseCommand::Deactivate)
            .then_once([WarehouseEvent::Deactivated {}])
            .when(WarehouseCommand::Activate)
            .then_once([WarehouseEvent::Activated {}]);
    }

    #[test]
    fn an_unknown_warehouse_cannot_change() {
        for command in [
            WarehouseCommand::Activate,
            WarehouseCommand::Deactivate,
            WarehouseCommand::ChangeDetails(details("x")),
        ] {
            given::<Warehouse>([]).when(command).then_rejected(WarehouseRejection::NoSuchWarehouse);
        }
    }

    #[test]
    fn it_has_a_name() {
        given::<Warehouse>([opened()])
            .when(WarehouseCommand::ChangeDetails(details("")))
            .then_refused(|r| r.kind() == RejectionKind::Invalid)
            .when(WarehouseCommand::ChangeDetails(details("south")))
            .then_once([WarehouseEvent::DetailsChanged(details("south"))]);
    }
}
