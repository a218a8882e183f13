//! `POST /orders/{order_id}/shipments`.

use commands::{Refused, Stop};
use domain::order::LineUnits;
use domain::{LineNumber, OrderId, Quantity, RejectionKind, SellerId, ShipmentId};
use sagas::fulfilment::{self, Parcel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::standing::OrderStanding;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change, seen_order};
use crate::routes::bounded;
use crate::wire::{Body, Ids, request};

/// Units of one line.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineUnitsBody {
    /// Number of the line within its order, from 1.
    #[schema(minimum = 1)]
    line: LineNumber,
    #[schema(value_type = u32, minimum = 1)]
    quantity: Quantity,
}

impl From<LineUnitsBody> for LineUnits {
    fn from(body: LineUnitsBody) -> Self {
        Self { line: body.line, quantity: body.quantity }
    }
}

request! {
    /// A parcel.
    ShipOrder {
        /// Everything that has not left yet, if left out; a seller's own lines only.
        lines: Option<Vec<LineUnitsBody>> = Option<Vec<LineUnitsBody>>,
        carrier: Option<String> = Option<String>,
        tracking_number: Option<String> = Option<String>,
    }
}

/// The new shipment, and how the order stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ShipmentBody {
    #[schema(value_type = Uuid)]
    shipment_id: ShipmentId,
    order: OrderStanding,
}

/// Ships units of an order; the last one makes it shipped.
#[utoipa::path(post, path = "/orders/{order_id}/shipments", tag = "orders", request_body = ShipOrder,
    responses((status = 201, description = "The shipment", body = ShipmentBody)))]
pub(crate) async fn ship_order(
    who: Who<{ SELLER | ADMIN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
    body: Body<ShipOrder>,
) -> Answer {
    let ShipOrder { lines, carrier, tracking_number } = body.value;
    bounded("carrier", carrier.as_deref().unwrap_or_default(), 100)?;
    bounded("tracking_number", tracking_number.as_deref().unwrap_or_default(), 200)?;
    let all = lines.is_none();
    let lines = lines.map(|lines| lines.into_iter().map(LineUnits::from).collect());
    let (reach, seen, seller) = (Reach::of(&who)?, who.if_match()?, who.seller());
    let shipment_id = who.services().engine.bus().new_id();
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        let order = reach.order(unit, order_id)?;
        let lines = match seller {
            Some(seller) => Some(own_lines(order, seller, lines.as_ref())?),
            None => lines.clone(),
        };
        if lines.as_ref().is_some_and(|lines| lines.is_empty()) && all {
            let message = "every unit has left already";
            return Err(Refused::new(RejectionKind::Conflict, "nothing_to_ship", message).into());
        }
        seen_order(unit, order_id, seen)?;
        let (carrier, tracking_number) = (carrier.clone(), tracking_number.clone());
        let parcel = Parcel { lines, carrier, tracking_number };
        let shipped = fulfilment::ship(unit, None, order_id, shipment_id, &parcel)?;
        Ok(ShipmentBody { shipment_id: shipped.value, order: OrderStanding::read(unit, order_id)? })
    })
    .await?;
    Reply::created(&format!("/orders/{order_id}"))
        .etag(done.value.order.version)
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}

/// What a seller ships: their own lines, all that are left unless some are named.
fn own_lines(
    order: &domain::order::OrderOnRecord,
    seller: SellerId,
    named: Option<&Vec<LineUnits>>,
) -> Result<Vec<LineUnits>, Stop> {
    let own = |line: LineNumber| order.lines.get(&line).is_some_and(|l| l.seller_id == seller);
    match named {
        None => Ok(order.unshipped().into_iter().filter(|units| own(units.line)).collect()),
        Some(lines) => match lines.iter().find(|units| !own(units.line)) {
            None => Ok(lines.clone()),
            Some(foreign) => {
                let message = format!("the order has no line {} of this seller", foreign.line);
                Err(Refused::new(RejectionKind::Invalid, "unknown_line", message)
                    .with("field", "lines")
                    .into())
            }
        },
    }
}
