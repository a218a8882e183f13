//! `POST /shipments/{shipment_id}/deliver`.

use domain::ShipmentId;
use domain::shipment::Shipment;
use sagas::fulfilment;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::Answer;
use crate::routes::acting::{Reach, change, seen_order};
use crate::routes::orders::standing::OrderStanding;
use crate::wire::{Body, Ids, Nothing};

/// Marks a parcel as arrived; the last one makes the order delivered. Harmless when repeated.
#[utoipa::path(post, path = "/shipments/{shipment_id}/deliver", tag = "orders",
    request_body = Nothing,
    responses((status = 200, description = "How the order stands", body = OrderStanding)))]
pub(crate) async fn deliver_shipment(
    who: Who<{ SELLER | ADMIN }>,
    Ids((shipment_id,)): Ids<(ShipmentId,)>,
    body: Body<Nothing>,
) -> Answer {
    let (reach, seen) = (Reach::of(&who)?, who.if_match()?);
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        let shipment = unit.state::<Shipment>(&shipment_id)?.as_ref();
        let shipment = commands::known(shipment, "shipment", shipment_id)?.clone();
        let order_id = shipment.order_id;
        let lines = shipment.lines.iter().map(|units| units.line);
        let order = reach.order_of(unit, order_id, "shipment", shipment_id)?;
        reach.goods(order, "shipment", shipment_id, lines)?;
        seen_order(unit, order_id, seen)?;
        fulfilment::deliver(unit, shipment_id)?;
        OrderStanding::read(unit, order_id)
    })
    .await?;
    OrderStanding::answer(&who, &done)
}
