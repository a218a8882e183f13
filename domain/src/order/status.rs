//! The status machine of an order.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an order stands. Legal: pending → confirmed → processing → shipped → delivered →
/// returned; cancelled from pending or confirmed; failed from pending.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Pending,
    Confirmed,
    Processing,
    Shipped,
    Delivered,
    Returned,
    Cancelled,
    Failed,
}

impl OrderStatus {
    /// The whole status machine.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Confirmed | Self::Failed | Self::Cancelled)
                | (Self::Confirmed, Self::Processing | Self::Cancelled)
                | (Self::Processing, Self::Shipped)
                | (Self::Shipped, Self::Delivered)
                | (Self::Delivered, Self::Returned)
        )
    }
}

/// The word used on the wire.
impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Processing => "processing",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{by, ended, in_status, moved, reason};
    use super::super::{OrderCommand, OrderEvent, OrderRejection};
    use super::OrderStatus::{self, *};
    use crate::testing::id;

    const ALL: [OrderStatus; 8] =
        [Pending, Confirmed, Processing, Shipped, Delivered, Returned, Cancelled, Failed];

    #[test]
    fn the_machine_has_exactly_the_documented_moves() {
        let legal = [
            (Pending, Confirmed),
            (Pending, Failed),
            (Pending, Cancelled),
            (Confirmed, Processing),
            (Confirmed, Cancelled),
            (Processing, Shipped),
            (Shipped, Delivered),
            (Delivered, Returned),
        ];
        for from in ALL {
            for to in ALL {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from} {to}");
            }
        }
    }

    /// For every status and every command that moves it by itself: the event where the machine
    /// has the move, nothing where it is so already, else a conflict that names both.
    #[test]
    fn a_move_happens_is_done_or_names_both_states() {
        for from in ALL {
            for (to, command) in [
                (Confirmed, OrderCommand::Confirm(by())),
                (Processing, OrderCommand::StartProcessing(by())),
                (Cancelled, OrderCommand::Cancel { reason: reason(), by: by() }),
                (Failed, OrderCommand::Fail { reason: reason(), by: by() }),
            ] {
                let event = match to {
                    Confirmed => OrderEvent::Confirmed(moved(from, to)),
                    Processing => OrderEvent::ProcessingStarted(moved(from, to)),
                    Cancelled => OrderEvent::Cancelled(ended(from, to)),
                    _ => OrderEvent::Failed(ended(from, to)),
                };
                let outcome = in_status(from).when(command);
                if from == to {
                    outcome.then_nothing();
                } else if from.may_become(to) {
                    outcome.then_once([event]);
                } else {
                    outcome.then_rejected(OrderRejection::StatusConflict {
                        current: from,
                        requested: to,
                    });
                }
            }
        }
    }

    #[test]
    fn goods_move_only_where_the_status_allows_it() {
        use super::super::fixtures::lines;
        let ship = OrderCommand::Ship { shipment_id: id(11), lines: lines(&[(1, 1)]), by: by() };
        let deliver = OrderCommand::Deliver { shipment_id: id(11), by: by() };
        let give_back =
            OrderCommand::Return { return_id: id(21), lines: lines(&[(1, 1)]), by: by() };
        for current in ALL {
            if !matches!(current, Confirmed | Processing) {
                in_status(current)
                    .when(ship.clone())
                    .then_rejected(OrderRejection::StatusConflict { current, requested: Shipped });
            }
            in_status(current)
                .when(deliver.clone())
                .then_rejected(OrderRejection::StatusConflict { current, requested: Delivered });
            in_status(current)
                .when(give_back.clone())
                .then_rejected(OrderRejection::StatusConflict { current, requested: Returned });
        }
    }

    #[test]
    fn nothing_happens_to_an_order_that_is_not_there() {
        crate::testing::given::<super::super::Order>([])
            .when(OrderCommand::Confirm(by()))
            .then_rejected(OrderRejection::NotFound);
    }
}
