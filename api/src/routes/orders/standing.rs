//! How an order stands after something was done to it.

use commands::{Stop, Unit, known};
use domain::OrderId;
use domain::order::{Order, OrderStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Asking;
use crate::reply::{Answer, Reply};
use crate::routes::acting::Acted;

/// How an order stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct OrderStanding {
    #[schema(value_type = Uuid)]
    pub(crate) order_id: OrderId,
    #[schema(value_type = crate::openapi::shapes::OrderStatus)]
    pub(crate) status: OrderStatus,
    /// As in the `ETag`.
    pub(crate) version: u64,
}

impl OrderStanding {
    pub(crate) fn read(unit: &mut Unit<'_>, order_id: OrderId) -> Result<Self, Stop> {
        let version = unit.version::<Order>(&order_id)?;
        let order = unit.state::<Order>(&order_id)?.as_deref();
        let status = known(order, "order", order_id)?.status;
        Ok(Self { order_id, status, version })
    }

    pub(crate) fn answer(who: &Asking, done: &Acted<Self>) -> Answer {
        Reply::ok()
            .etag(done.value.version)
            .position(who, done.position)
            .replayed(done.replayed)
            .json(&done.value)
    }
}
