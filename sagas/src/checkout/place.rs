//! The first step: the cart's lines become a pending order with its stock held and the intent to
//! authorize on record, all in one unit.

use std::collections::BTreeMap;

use chrono::Duration;
use commands::carts::{CartPolicy, Shopper, offer, open_cart};
use commands::{Once, Refused, RequestKey, Stop, Unit, known};
use domain::cart::{Cart, CartCommand, CartOwner, OpenCart};
use domain::checkout::{Checkout, CheckoutCommand};
use domain::customer::{Address, Customer, CustomerOnRecord};
use domain::order::{By, Order, OrderCommand, OrderLimits, OrderLine, OrderTotals, PlacedOrder};
use domain::payment::{Payment, PaymentCommand};
use domain::pricing::PriceRule;
use domain::{
    AddressId, Currency, MoneyError, OrderId, PaymentId, PaymentMethodId, Quantity, RejectionKind,
    Sealed, SkuId,
};
use serde::{Deserialize, Serialize};

use crate::payment_call::{PaymentCall, calls_of};

/// What the shop decides about checkouts.
#[derive(Debug, Clone)]
pub struct ShopPolicy {
    pub carts: CartPolicy,
    pub orders: OrderLimits,
    /// How long stock is held while the money is not certain.
    pub hold: Duration,
    /// Whether confirmed orders start processing by themselves.
    pub starts_processing: bool,
}

impl Default for ShopPolicy {
    fn default() -> Self {
        Self {
            carts: CartPolicy::default(),
            orders: OrderLimits::default(),
            hold: Duration::minutes(15),
            starts_processing: false,
        }
    }
}

/// How the order is paid for.
#[derive(Debug, Clone, PartialEq)]
pub enum PayBy {
    /// One of the customer's own methods.
    Method(PaymentMethodId),
    /// A guest's token, sealed under the order's key.
    Token { provider: String, token: Sealed },
    /// Nothing chosen; only for orders that cost nothing.
    Nothing,
}

/// A line at a price agreed outside the price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgreedLine {
    pub sku_id: SkuId,
    pub quantity: Quantity,
    pub unit_minor: i64,
}

/// Amounts beside the lines, in minor units of the order's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charges {
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub discount_minor: i64,
}

/// An order to be placed from a cart.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub shopper: Shopper,
    /// The cart version the shopper saw, if the caller insists on it.
    pub seen_version: Option<u64>,
    pub request: Option<RequestKey>,
    pub ship_to: ShipTo,
    pub pay_by: PayBy,
    pub guest_contact: Option<Sealed>,
    /// Replaces the cart's lines and prices; the units of each SKU must be the cart's.
    pub agreed: Option<Vec<AgreedLine>>,
    pub charges: Charges,
    pub reference: Option<String>,
}

/// Where the goods go.
#[derive(Debug, Clone, PartialEq)]
pub enum ShipTo {
    /// One of the customer's own addresses.
    Address(AddressId),
    Given(Address),
    Nowhere,
}

/// The order as placed, and the call to start now.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub order_id: OrderId,
    pub replayed: bool,
    pub calls: Vec<PaymentCall>,
}

#[derive(Serialize, Deserialize)]
struct PlacedBefore {
    order_id: OrderId,
}

/// Places the order; a repeat of the same request gets the first one's order.
pub fn place(unit: &mut Unit<'_>, policy: &ShopPolicy, order: &PlaceOrder) -> Result<Placed, Stop> {
    let mut calls = Vec::new();
    let once = unit.once(order.request.as_ref(), |unit| {
        calls = place_new(unit, policy, order)?;
        Ok(PlacedBefore { order_id: order.order_id })
    })?;
    let Once { value, replayed } = once;
    Ok(Placed { order_id: value.order_id, replayed, calls })
}

fn place_new(
    unit: &mut Unit<'_>,
    policy: &ShopPolicy,
    order: &PlaceOrder,
) -> Result<Vec<PaymentCall>, Stop> {
    let PlaceOrder { order_id, payment_id, shopper, .. } = *order;
    let Shopper { cart_id, owner } = shopper;
    let version = unit.version::<Cart>(&cart_id)?;
    let cart = open_cart(unit, cart_id)?.ok_or_else(|| empty_cart(cart_id))?;
    if let Some(pending) = &cart.pending {
        return Err(pending_checkout(pending.order_id).into());
    }
    if cart.lines.is_empty() {
        return Err(empty_cart(cart_id).into());
    }
    if order.seen_version.is_some_and(|seen| seen != version) {
        let message = "the cart has changed since it was read";
        return Err(Refused::new(RejectionKind::Stale, "cart_changed", message)
            .with("current_version", version)
            .into());
    }
    let customer = match owner {
        CartOwner::Guest => None,
        CartOwner::Customer(id) => {
            let customer = unit.state::<Customer>(&id)?.as_deref().filter(|c| !c.erased).cloned();
            Some(known(customer.as_ref(), "customer", id)?.clone())
        }
    };
    let shipping_address = ship_to(&order.ship_to, customer.as_ref())?;
    let lines = match &order.agreed {
        Some(agreed) => agreed_lines(unit, policy, owner, &cart, agreed)?,
        None => lines_at_shown_prices(unit, policy, owner, &cart)?,
    };
    let totals = totals(&lines, order.charges, cart.currency)?;

    let mut wanted: BTreeMap<SkuId, u32> = BTreeMap::new();
    for line in &lines {
        let units = wanted.entry(line.sku_id).or_default();
        *units = units.saturating_add(line.quantity.get());
    }
    commands::stock_desk::hold_all(unit, order_id, &wanted, Some(cart_id))?;
    unit.execute::<Cart>(&cart_id, &CartCommand::StartCheckout { order_id })?;

    let pays = totals.total_minor > 0;
    let now = unit.now();
    let actor = unit.actor();
    let placed = PlacedOrder {
        order_id,
        cart_id,
        customer_id: customer.as_ref().map(|c| c.customer_id),
        currency: cart.currency,
        lines,
        totals,
        shipping_address,
        guest_contact: order.guest_contact.clone(),
        payment_method_id: match &order.pay_by {
            PayBy::Method(id) if pays => Some(*id),
            PayBy::Method(_) | PayBy::Token { .. } | PayBy::Nothing => None,
        },
        payment_id: pays.then_some(payment_id),
        reference: order.reference.clone(),
        placed_at: now,
        actor: actor.clone(),
    };
    unit.begin::<Order>(&order_id);
    let command = OrderCommand::Place { order: Box::new(placed), limits: policy.orders };
    unit.execute::<Order>(&order_id, &command)?;
    if !pays {
        unit.execute::<Order>(&order_id, &OrderCommand::Confirm(By { actor, now }))?;
        unit.execute::<Cart>(&cart_id, &CartCommand::CompleteCheckout { order_id })?;
        if policy.starts_processing {
            crate::fulfilment::start_processing(unit, order_id)?;
        }
        return Ok(Vec::new());
    }

    let (provider, payment_method_id, token) = pay_by(&order.pay_by, customer.as_ref())?;
    unit.begin::<Payment>(&payment_id);
    let command = PaymentCommand::Initiate {
        payment_id,
        order_id,
        provider,
        amount_minor: totals.total_minor,
        currency: cart.currency,
        payment_method_id,
        token,
    };
    unit.execute::<Payment>(&payment_id, &command)?;
    unit.begin::<Checkout>(&order_id);
    let command = CheckoutCommand::Start {
        order_id,
        cart_id,
        payment_id,
        skus: wanted.into_keys().collect(),
        hold_expires_at: now + policy.hold,
    };
    unit.execute::<Checkout>(&order_id, &command)?;
    calls_of(unit, payment_id)
}

fn empty_cart(cart_id: domain::CartId) -> Refused {
    Refused::new(RejectionKind::Conflict, "cart_empty", format!("cart {cart_id} is empty"))
}

fn pending_checkout(order_id: OrderId) -> Refused {
    let message = format!("the cart is being checked out as order {order_id}");
    Refused::new(RejectionKind::Conflict, "checkout_in_progress", message)
        .with("order_id", order_id.to_string())
}

/// The cart's lines at the prices of now; refused if those are not the prices last shown.
fn lines_at_shown_prices(
    unit: &mut Unit<'_>,
    policy: &ShopPolicy,
    owner: CartOwner,
    cart: &OpenCart,
) -> Result<Vec<OrderLine>, Stop> {
    let mut lines = Vec::with_capacity(cart.lines.len());
    let mut changed = Vec::new();
    for (sku_id, line) in &cart.lines {
        let offer = offer(unit, &policy.carts, owner, *sku_id, cart.currency)?;
        if offer.price.minor != line.unit_minor {
            changed.push(serde_json::json!({
                "sku_id": sku_id, "shown_minor": line.unit_minor, "now_minor": offer.price.minor,
            }));
        }
        lines.push(OrderLine {
            line: number(lines.len()),
            sku_id: *sku_id,
            product_id: offer.product_id,
            seller_id: offer.seller_id,
            name: offer.name,
            quantity: line.quantity,
            unit_minor: offer.price.minor,
            price_rule: offer.price.rule,
        });
    }
    if changed.is_empty() {
        return Ok(lines);
    }
    let message = format!("{} prices changed since they were last shown", changed.len());
    Err(Refused::new(RejectionKind::Conflict, "price_changed", message)
        .with("currency", cart.currency.code())
        .with("changed", changed)
        .into())
}

fn agreed_lines(
    unit: &mut Unit<'_>,
    policy: &ShopPolicy,
    owner: CartOwner,
    cart: &OpenCart,
    agreed: &[AgreedLine],
) -> Result<Vec<OrderLine>, Stop> {
    let mut units: BTreeMap<SkuId, u64> = BTreeMap::new();
    let mut lines = Vec::with_capacity(agreed.len());
    for line in agreed {
        *units.entry(line.sku_id).or_default() += u64::from(line.quantity.get());
        let offer = offer(unit, &policy.carts, owner, line.sku_id, cart.currency)?;
        lines.push(OrderLine {
            line: number(lines.len()),
            sku_id: line.sku_id,
            product_id: offer.product_id,
            seller_id: offer.seller_id,
            name: offer.name,
            quantity: line.quantity,
            unit_minor: line.unit_minor,
            price_rule: PriceRule::Agreed,
        });
    }
    let in_cart = cart.lines.iter().map(|(sku, line)| (*sku, u64::from(line.quantity.get())));
    if units.iter().map(|(sku, units)| (*sku, *units)).eq(in_cart) {
        return Ok(lines);
    }
    let message = "the agreed lines are not the cart's lines";
    Err(Refused::new(RejectionKind::Invalid, "agreed_lines_differ", message)
        .with("field", "lines")
        .into())
}

fn number(lines_before: usize) -> u32 {
    u32::try_from(lines_before).unwrap_or(u32::MAX).saturating_add(1)
}

fn totals(lines: &[OrderLine], charges: Charges, currency: Currency) -> Result<OrderTotals, Stop> {
    let out_of_range = || {
        let message = MoneyError::OutOfRange.to_string();
        Refused::new(RejectionKind::Invalid, "amount_out_of_range", message)
            .with("currency", currency.code())
    };
    let mut lines_minor: i64 = 0;
    for line in lines {
        let amount = line.unit_minor.checked_mul(i64::from(line.quantity.get()));
        lines_minor = amount.and_then(|a| lines_minor.checked_add(a)).ok_or_else(out_of_range)?;
    }
    let Charges { tax_minor, shipping_minor, discount_minor } = charges;
    let total_minor = lines_minor
        .checked_add(tax_minor)
        .and_then(|sum| sum.checked_add(shipping_minor))
        .and_then(|sum| sum.checked_sub(discount_minor))
        .ok_or_else(out_of_range)?;
    Ok(OrderTotals { lines_minor, tax_minor, shipping_minor, discount_minor, total_minor })
}

fn ship_to(ship_to: &ShipTo, customer: Option<&CustomerOnRecord>) -> Result<Option<Address>, Stop> {
    match ship_to {
        ShipTo::Nowhere => Ok(None),
        ShipTo::Given(address) => Ok(Some(address.clone())),
        ShipTo::Address(id) => {
            let address = customer.and_then(|c| c.addresses.get(id));
            Ok(Some(known(address, "address", id)?.clone()))
        }
    }
}

fn pay_by(
    pay_by: &PayBy,
    customer: Option<&CustomerOnRecord>,
) -> Result<(String, Option<PaymentMethodId>, Sealed), Stop> {
    match pay_by {
        PayBy::Token { provider, token } => Ok((provider.clone(), None, token.clone())),
        PayBy::Method(id) => {
            let method = customer.and_then(|c| c.payment_methods.get(id));
            let method = known(method, "payment_method", id)?;
            Ok((method.provider.clone(), Some(*id), method.token.clone()))
        }
        PayBy::Nothing => {
            let message = "an order that costs something needs a payment method";
            Err(Refused::new(RejectionKind::Invalid, "payment_method_required", message)
                .with("field", "payment_method_id")
                .into())
        }
    }
}
