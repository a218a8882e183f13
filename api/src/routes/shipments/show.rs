//! `GET /shipments/{shipment_id}`.

use domain::shipment::Shipment;
use domain::{OrderId, ShipmentId};
use projections::orders::ShipmentView;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::orders::show::{READER, visible_order_of};
use crate::wire::Ids;

/// One parcel of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShipmentShown {
    #[schema(value_type = Uuid)]
    shipment_id: ShipmentId,
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    #[schema(value_type = crate::openapi::shapes::Shipment)]
    shipment: ShipmentView,
}

/// One parcel, for whoever may see its order.
#[utoipa::path(get, path = "/shipments/{shipment_id}", tag = "orders",
    responses((status = 200, description = "The parcel", body = ShipmentShown)))]
pub(crate) async fn show_shipment(
    who: Who<READER>,
    Ids((shipment_id,)): Ids<(ShipmentId,)>,
) -> Answer {
    who.wait_for(&["orders"]).await?;
    let not_found = || Problem::not_found("shipment");
    let bus = who.services().engine.bus();
    let order_of =
        |state: &<Shipment as domain::Decider>::State| state.as_ref().map(|of| of.order_id);
    let order_id =
        bus.read::<Shipment, _>(shipment_id, order_of).await?.value.ok_or_else(not_found)?;
    let mut view = visible_order_of(&who, "shipment", order_id).await?;
    let found = view.shipments.remove(&shipment_id).ok_or_else(not_found)?;
    let body = ShipmentShown { shipment_id, order_id, shipment: found };
    Reply::ok().json(&body)
}
