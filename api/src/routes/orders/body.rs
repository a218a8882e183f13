//! An order as its readers get it. A seller sees their own lines and where to ship
//! them, and neither totals nor payment.

use std::collections::BTreeMap;

use domain::order::{OrderEndReason, OrderStatus, OrderTotals};
use domain::{
    CartId, Currency, CustomerId, LineNumber, OrderId, PaymentMethodId, ReturnId, SellerId,
    ShipmentId, Timestamp,
};
use projections::orders::{LineView, OrderView, PaymentView, ReturnView, ShipmentView};
use sagas::key_store::PersonalField;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Asking;
use crate::personal::{self, AddressBody, Contact};
use crate::problem::Problem;

/// Takes out what is other sellers' in an order, its parcels and its returns.
pub(crate) fn keep_lines_of(view: &mut OrderView, seller: SellerId) {
    view.lines.retain(|line| line.seller_id == seller);
    let own = |line: LineNumber| view.lines.iter().any(|of| of.line == line);
    view.shipments.retain(|_, shipment| {
        shipment.lines.retain(|units| own(units.line));
        !shipment.lines.is_empty()
    });
    view.returns.retain(|_, returned| {
        returned.lines.retain(|units| own(units.line));
        returned.received.retain(|units| own(units.line));
        !returned.lines.is_empty()
    });
}

/// One order. Amounts are minor units of `currency`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderBody {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    /// As in the `ETag`.
    version: u64,
    #[schema(value_type = crate::openapi::shapes::OrderStatus)]
    status: OrderStatus,
    #[schema(value_type = Option<Uuid>)]
    customer_id: Option<CustomerId>,
    #[schema(value_type = Uuid)]
    cart_id: CartId,
    #[schema(value_type = String)]
    currency: Currency,
    #[schema(value_type = Vec<crate::openapi::shapes::OrderLine>)]
    lines: Vec<LineView>,
    /// Null for sellers.
    #[schema(value_type = Option<crate::openapi::shapes::OrderTotals>)]
    totals: Option<OrderTotals>,
    /// Null for sellers, and where nothing was to be paid.
    #[schema(value_type = Option<crate::openapi::shapes::Payment>)]
    payment: Option<PaymentView>,
    #[schema(value_type = Option<Uuid>)]
    payment_method_id: Option<PaymentMethodId>,
    shipping_address: Option<AddressBody>,
    /// A guest's; gone once it was erased.
    contact: Option<Contact>,
    /// By shipment id.
    #[schema(value_type = BTreeMap<String, crate::openapi::shapes::Shipment>)]
    shipments: BTreeMap<ShipmentId, ShipmentView>,
    /// By return id.
    #[schema(value_type = BTreeMap<String, crate::openapi::shapes::Return>)]
    returns: BTreeMap<ReturnId, ReturnView>,
    /// The order's number in another system.
    reference: Option<String>,
    #[schema(value_type = Option<crate::openapi::shapes::OrderEndReason>)]
    end_reason: Option<OrderEndReason>,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl OrderBody {
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Opens what is personal, for a reader who may see this order.
    pub(crate) async fn open(who: &Asking, mut view: OrderView) -> Result<Self, Problem> {
        let keys = who.services().engine.keys().as_ref();
        let shipping_address = match &view.shipping_address {
            Some(address) => Some(personal::open_address(keys, address).await?),
            None => None,
        };
        let seller = who.seller();
        let contact = match view.guest_contact.as_ref().filter(|_| seller.is_none()) {
            Some(sealed) => personal::open_json(keys, PersonalField::Contact, sealed).await?,
            None => None,
        };
        if let Some(seller) = seller {
            keep_lines_of(&mut view, seller);
        }
        let whole = seller.is_none();
        Ok(Self {
            order_id: view.order_id,
            version: view.version,
            status: view.status,
            customer_id: view.customer_id,
            cart_id: view.cart_id,
            currency: view.currency,
            lines: view.lines,
            totals: whole.then_some(view.totals),
            payment: view.payment.filter(|_| whole),
            payment_method_id: view.payment_method_id.filter(|_| whole),
            shipping_address,
            contact,
            shipments: view.shipments,
            returns: view.returns,
            reference: view.reference,
            end_reason: view.end_reason,
            placed_at: view.placed_at,
            updated_at: view.updated_at,
        })
    }
}
