//! `POST /orders`.

use actix_web::http::header::{HeaderName, LOCATION};
use commands::CommandError;
use commands::carts::Shopper;
use domain::cart::CartOwner;
use domain::customer::Address;
use domain::order::{Order, OrderEndReason, OrderStatus};
use domain::{AddressId, Money, OrderId, PaymentMethodId};
use journal::Position;
use sagas::checkout::{Charges, PayBy, PlaceOrder, ShipTo};
use sagas::key_store::PersonalField;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::roles::SHOPPER;
use crate::auth::{Asking, Who};
use crate::personal::{self, Contact, Place};
use crate::position::{POSITION, position_token};
use crate::problem::{FieldError, Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::cart::body::MoneyBody;
use crate::routes::cart::shopper::some_shopper;
use crate::wire::{Body, request};

request! {
    /// How the cart is shipped and paid for: a customer by their own address and payment method,
    /// a guest by everything else.
    PlaceOrderBody {
        /// Customers: one of their addresses.
        shipping_address_id: Option<AddressId> = Option<Uuid>,
        /// Customers: one of their payment methods; may be left out if nothing is to be paid.
        payment_method_id: Option<PaymentMethodId> = Option<Uuid>,
        /// Guests.
        email: Option<String> = Option<String>,
        /// Guests.
        name: Option<String> = Option<String>,
        /// Guests.
        shipping_address: Option<GuestAddress> = Option<GuestAddress>,
        /// Guests; may be left out if nothing is to be paid.
        payment: Option<GuestPayment> = Option<GuestPayment>,
    }
}

/// Where a guest's parcels go.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuestAddress {
    /// ISO 3166-1 alpha-2.
    country: String,
    recipient: String,
    lines: Vec<String>,
    city: String,
    region: Option<String>,
    postcode: Option<String>,
    phone: Option<String>,
}

/// A payment provider's token, never a card's number.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuestPayment {
    provider: String,
    token: String,
}

/// How the order stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OrderReceipt {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    #[schema(value_type = crate::openapi::shapes::OrderStatus)]
    status: OrderStatus,
    /// As in the `ETag`.
    version: u64,
    total: MoneyBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::openapi::shapes::OrderEndReason>)]
    end_reason: Option<OrderEndReason>,
    /// Guests: reads this one order, in `Tillroll-Order-Token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_token: Option<String>,
}

/// Places an order of what is in the cart, and waits for its payment.
///
/// `If-Match` with the cart's `ETag` insists on the cart as it was seen. `Prefer: respond-async`
/// answers 202 at once. A repeat with the same `Idempotency-Key` gets the same order.
#[utoipa::path(post, path = "/orders", tag = "orders", request_body = PlaceOrderBody, responses(
    (status = 201, description = "Confirmed", body = OrderReceipt),
    (status = 202, description = "Placed; the payment is not certain yet", body = OrderReceipt)))]
pub(crate) async fn place_order(who: Who<SHOPPER>, body: Body<PlaceOrderBody>) -> Answer {
    let services = who.services();
    let bus = services.engine.bus();
    let shopper = some_shopper(&who)?;
    let request = who.request_key(&body.bytes)?;
    let seen_version = who.if_match()?;
    let order_id: OrderId = bus.new_id();
    let terms = match shopper.owner {
        CartOwner::Customer(_) => customers_terms(body.value)?,
        CartOwner::Guest => guests_terms(&who, order_id, body.value).await?,
    };
    let order = PlaceOrder {
        order_id,
        payment_id: bus.new_id(),
        shopper,
        seen_version,
        request,
        ship_to: terms.ship_to,
        pay_by: terms.pay_by,
        guest_contact: terms.contact,
        agreed: None,
        charges: Charges::default(),
        reference: None,
    };
    let placed = services.engine.place_order(&who.caller(), order).await?;
    let (order_id, replayed) = (placed.value.order_id, placed.value.replayed);
    let mut position = placed.position;
    if !who.responds_async() {
        let patience = services.limits.settle_patience;
        if let Some(settled) = services.engine.settled(order_id, patience).await? {
            position = position.max(settled.position);
        }
    }
    let receipt = receipt(&who, shopper, order_id).await?;
    answer(&who, &receipt, position, replayed)
}

fn answer(who: &Asking, receipt: &OrderReceipt, position: Position, replayed: bool) -> Answer {
    let location = format!("/orders/{}", receipt.order_id);
    let reply = match receipt.status {
        OrderStatus::Failed => return Err(failed(who, receipt, position, &location)),
        OrderStatus::Pending => Reply::accepted().location(&location).retry_after(1),
        _ => Reply::created(&location),
    };
    reply.etag(receipt.version).position(who, position).replayed(replayed).json(receipt)
}

fn failed(who: &Asking, receipt: &OrderReceipt, position: Position, location: &str) -> Problem {
    let (kind, detail) = match &receipt.end_reason {
        Some(OrderEndReason::PaymentDeclined { decline_code }) => {
            (catalogue::PAYMENT_DECLINED, format!("the payment was declined: {decline_code}"))
        }
        Some(OrderEndReason::CaptureFailed { failure_code }) => {
            (catalogue::PAYMENT_DECLINED, format!("the payment was not taken: {failure_code}"))
        }
        Some(OrderEndReason::PaymentExpired) => {
            (catalogue::PAYMENT_DECLINED, "the payment did not become certain in time".to_owned())
        }
        Some(_) | None => (catalogue::CONFLICT, "the order failed".to_owned()),
    };
    let mut problem = Problem::new(kind, detail)
        .with("order_id", receipt.order_id.to_string())
        .with("order_status", receipt.status.to_string());
    if let Some(reason) = &receipt.end_reason {
        problem = problem.with("reason", serde_json::to_value(reason).unwrap_or_default());
    }
    if let Some(token) = &receipt.order_token {
        problem = problem.with("order_token", token.as_str());
    }
    let token = position_token(who.services().journal.id(), position);
    problem.text_header(LOCATION, location).text_header(HeaderName::from_static(POSITION), &token)
}

async fn receipt(
    who: &Asking,
    shopper: Shopper,
    order_id: OrderId,
) -> Result<OrderReceipt, CommandError> {
    let services = who.services();
    let caller = who.caller();
    let read = services.engine.bus().run(&caller, move |unit| {
        let version = unit.version::<Order>(&order_id)?;
        let order = unit.state::<Order>(&order_id)?.as_deref();
        let order = commands::known(order, "order", order_id)?;
        let total = Money::new(order.totals.total_minor, order.currency);
        Ok((version, order.status, total, order.end_reason.clone()))
    });
    let (version, status, total, end_reason) = read.await?.value;
    let guest = shopper.owner == CartOwner::Guest;
    let order_token = guest.then(|| services.tokens.order(order_id));
    Ok(OrderReceipt { order_id, status, version, total: total.into(), end_reason, order_token })
}

struct Terms {
    ship_to: ShipTo,
    pay_by: PayBy,
    contact: Option<domain::Sealed>,
}

fn refuse_if_given(field: &str, given: bool, errors: &mut Vec<FieldError>) {
    if given {
        errors.push(FieldError::new(field, "unknown", "is not for this kind of shopper"));
    }
}

fn customers_terms(body: PlaceOrderBody) -> Result<Terms, Problem> {
    let mut errors = Vec::new();
    refuse_if_given("email", body.email.is_some(), &mut errors);
    refuse_if_given("name", body.name.is_some(), &mut errors);
    refuse_if_given("shipping_address", body.shipping_address.is_some(), &mut errors);
    refuse_if_given("payment", body.payment.is_some(), &mut errors);
    if body.shipping_address_id.is_none() {
        errors.push(FieldError::new("shipping_address_id", "required", "is required"));
    }
    match body.shipping_address_id {
        Some(address) if errors.is_empty() => Ok(Terms {
            ship_to: ShipTo::Address(address),
            pay_by: body.payment_method_id.map_or(PayBy::Nothing, PayBy::Method),
            contact: None,
        }),
        Some(_) | None => Err(Problem::invalid(errors)),
    }
}

/// A guest's personal data is sealed under the order's own id.
async fn guests_terms(
    who: &Asking,
    order_id: OrderId,
    body: PlaceOrderBody,
) -> Result<Terms, Problem> {
    let mut errors = Vec::new();
    refuse_if_given("shipping_address_id", body.shipping_address_id.is_some(), &mut errors);
    refuse_if_given("payment_method_id", body.payment_method_id.is_some(), &mut errors);
    for (field, missing) in [
        ("email", body.email.is_none()),
        ("name", body.name.is_none()),
        ("shipping_address", body.shipping_address.is_none()),
    ] {
        if missing {
            errors.push(FieldError::new(field, "required", "is required"));
        }
    }
    let contact = Contact { name: body.name, email: body.email, phone: None };
    contact.check(&mut errors);
    let place = body.shipping_address.map(|given| {
        let GuestAddress { country, recipient, lines, city, region, postcode, phone } = given;
        personal::check_country("shipping_address.country", &country, &mut errors);
        let place = Place { recipient, lines, city, region, postcode, phone };
        place.check("shipping_address", &mut errors);
        (country, place)
    });
    let services = who.services();
    if let Some(payment) = &body.payment {
        check_provider(who, "payment.provider", &payment.provider, &mut errors);
        personal::check_token("payment.token", &payment.token, &mut errors);
    }
    personal::checked(errors)?;
    let keys = services.engine.keys().as_ref();
    let person = order_id.uuid();
    let ship_to = match place {
        Some((country, place)) => {
            let details = personal::seal_json(keys, person, PersonalField::Address, &place).await?;
            let address_id = services.engine.bus().new_id();
            ShipTo::Given(Address { address_id, country, details })
        }
        None => ShipTo::Nowhere,
    };
    let pay_by = match body.payment {
        Some(GuestPayment { provider, token }) => {
            let token = keys.seal(person, PersonalField::PaymentToken, &token).await?;
            PayBy::Token { provider, token }
        }
        None => PayBy::Nothing,
    };
    let contact = personal::seal_json(keys, person, PersonalField::Contact, &contact).await?;
    Ok(Terms { ship_to, pay_by, contact: Some(contact) })
}

/// Refuses a payment provider that cannot be called.
pub(crate) fn check_provider(
    who: &Asking,
    field: &str,
    provider: &str,
    errors: &mut Vec<FieldError>,
) {
    let mut known = who.services().engine.providers();
    if !known.any(|name| name == provider) {
        errors.push(FieldError::new(field, "invalid", "must be a payment provider in use here"));
    }
}
