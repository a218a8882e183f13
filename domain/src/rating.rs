//! Rating: what one buyer of a product thinks of it. One stream for each buyer and product,
//! so that a popular product's own stream does not grow with its buyers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decider::{AggregateId, IdKey};
use crate::{CustomerId, OrderId, ProductId};

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
    Given {
        product_id: ProductId,
        customer_id: CustomerId,
        order_id: OrderId,
        stars: u8,
    },
    /// The same buyer thinks otherwise now.
    Changed {
        product_id: ProductId,
        customer_id: CustomerId,
        previous_stars: u8,
        stars: u8,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum RatingCommand {
    /// The caller has checked that `order_id` is this customer's and holds the product.
    Rate {
        product_id: ProductId,
        customer_id: CustomerId,
        order_id: OrderId,
        stars: u8,
    },
}

/// Stars given, if any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RatingState {
    pub stars: Option<u8>,
}

/// The aggregate.
#[derive(Debug)]
pub struct Rating;
