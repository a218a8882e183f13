//! Rating: what one buyer of a product thinks of it. One stream for each buyer and product,
//! so that a popular product's own stream does not grow with its buyers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decider::{AggregateId, Decider, IdKey, Rejection, RejectionKind};
use crate::{BrokenRule, CustomerId, OrderId, ProductId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatingId {
    pub product_id: ProductId,
    pub customer_id: CustomerId,
}

impl AggregateId for RatingId {
    fn key(&self) -> IdKey {
        IdKey::Text(format!("{}:{}", self.product_id, self.customer_id))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum RatingEvent {
    /// 1 to 5 stars, by a buyer; `order_id` proves the purchase.
    Given { product_id: ProductId, customer_id: CustomerId, order_id: OrderId, stars: u8 },
    /// The same buyer thinks otherwise now.
    Changed { product_id: ProductId, customer_id: CustomerId, previous_stars: u8, stars: u8 },
}

#[derive(Debug, Clone, PartialEq)]
pub enum RatingCommand {
    /// The caller has checked that `order_id` is this customer's and holds the product.
    Rate { product_id: ProductId, customer_id: CustomerId, order_id: OrderId, stars: u8 },
}

/// Stars given, if any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RatingState {
    pub stars: Option<u8>,
}

/// The aggregate.
#[derive(Debug)]
pub struct Rating;

#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum RatingRejection {
    #[error(transparent)]
    InvalidValue(#[from] BrokenRule),
}

impl Rejection for RatingRejection {
    fn kind(&self) -> RejectionKind {
        match self {
            Self::InvalidValue(_) => RejectionKind::Invalid,
        }
    }
}

impl Decider for Rating {
    const CATEGORY: &'static str = "rating";

    type Id = RatingId;
    type State = RatingState;
    type Command = RatingCommand;
    type Event = RatingEvent;
    type Rejection = RatingRejection;

    fn decide(
        state: &RatingState,
        command: &RatingCommand,
    ) -> Result<Vec<RatingEvent>, RatingRejection> {
        let RatingCommand::Rate { product_id, customer_id, order_id, stars } = *command;
        if !(1..=5).contains(&stars) {
            return Err(BrokenRule::new("stars", "from 1 to 5", stars.to_string()).into());
        }
        Ok(match state.stars {
            None => vec![RatingEvent::Given { product_id, customer_id, order_id, stars }],
            Some(given) if given == stars => vec![],
            Some(previous_stars) => {
                vec![RatingEvent::Changed { product_id, customer_id, previous_stars, stars }]
            }
        })
    }

    fn evolve(state: &mut RatingState, event: &RatingEvent) {
        match event {
            RatingEvent::Given { stars, .. } | RatingEvent::Changed { stars, .. } => {
                state.stars = Some(*stars);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, id};

    fn rate(stars: u8) -> RatingCommand {
        RatingCommand::Rate { product_id: id(1), customer_id: id(2), order_id: id(3), stars }
    }

    #[test]
    fn one_rating_for_each_buyer_which_can_change() {
        given::<Rating>([])
            .when(rate(4))
            .then_once([RatingEvent::Given {
                product_id: id(1),
                customer_id: id(2),
                order_id: id(3),
                stars: 4,
            }])
            .when(rate(2))
            .then_once([RatingEvent::Changed {
                product_id: id(1),
                customer_id: id(2),
                previous_stars: 4,
                stars: 2,
            }]);
    }

    #[test]
    fn stars_run_from_one_to_five() {
        for stars in [0, 6, 255] {
            given::<Rating>([])
                .when(rate(stars))
                .then_refused(|r| r.kind() == RejectionKind::Invalid);
        }
        for stars in 1..=5 {
            assert!(given::<Rating>([]).when(rate(stars)).outcome().is_ok());
        }
    }
}
