//! From a past invoice to a placed and paid order.

use std::collections::BTreeMap;
use std::future::Future;

use commands::carts::{self, CartPolicy, Shopper};
use commands::{Caller, Stop, Unit};
use domain::cart::CartLimits;
use domain::customer::{Customer, CustomerCommand};
use domain::inventory::Inventory;
use domain::order::OrderLimits;
use domain::{CartId, CustomerId, Quantity, SkuId};
use sagas::checkout::{self, Charges, PayBy, PlaceOrder, ShipTo, ShopPolicy};

use super::prepare::SealedFor;
use crate::import::ImportInto;
use crate::import::error::ImportError;
use crate::import::past::{Buyer, PastOrder};
use crate::import::payments;

/// The shop's policy, with limits as wide as the past was.
fn policy(into: &ImportInto) -> ShopPolicy {
    let usual = into.engine.policy().clone();
    let lines_max = 100_000;
    let line_quantity_max = Quantity::MAX;
    ShopPolicy {
        carts: CartPolicy { limits: CartLimits { lines_max, line_quantity_max }, ..usual.carts },
        orders: OrderLimits { lines_max, line_quantity_max },
        ..usual
    }
}

/// Fills the cart and places the order: two commands, submitted together so that no other order
/// comes between them.
pub(super) fn place<'a>(
    into: &'a ImportInto,
    caller: &Caller,
    reference: &str,
    order: &PastOrder,
    sealed: SealedFor,
) -> Result<impl Future<Output = Result<(), ImportError>> + Send + use<'a>, ImportError> {
    let bus = into.engine.bus();
    let policy = policy(into);
    let mut units: BTreeMap<SkuId, u32> = BTreeMap::new();
    for line in &order.lines {
        let sum = units.entry(line.sku_id).or_default();
        *sum = sum.saturating_add(line.quantity.get());
    }
    let pays = order.lines.iter().any(|line| line.unit_minor > 0);
    let currency = order.currency;
    let (shopper, new_customer, pay_by, ship_to) = match (&order.buyer, sealed) {
        (Buyer::Guest { cart_id, .. }, SealedFor::Guest { token, address }) => {
            let provider = into.gateway.name().to_owned();
            let pay_by = if pays { PayBy::Token { provider, token } } else { PayBy::Nothing };
            let ship_to = address.map_or(ShipTo::Nowhere, ShipTo::Given);
            (Shopper::guest(*cart_id), None, pay_by, ship_to)
        }
        (Buyer::Guest { cart_id, .. }, _) => {
            (Shopper::guest(*cart_id), None, PayBy::Nothing, ShipTo::Nowhere)
        }
        (Buyer::Customer { customer_id, address_id, method_id, .. }, sealed) => {
            let commands = match sealed {
                SealedFor::Customer(commands) => Some((*customer_id, commands)),
                SealedFor::Known | SealedFor::Nobody | SealedFor::Guest { .. } => None,
            };
            let ship_to = match order.country {
                Some(_) => ShipTo::Address(*address_id),
                None => ShipTo::Nowhere,
            };
            let pay_by = if pays { PayBy::Method(*method_id) } else { PayBy::Nothing };
            (Shopper::customer(*customer_id), commands, pay_by, ship_to)
        }
    };
    let carts = policy.carts.clone();
    let filled = bus.submit(caller, move |unit| {
        if let Some((customer_id, commands)) = &new_customer {
            put_on_record(unit, *customer_id, commands)?;
        }
        fill_cart(unit, &carts, shopper, currency, &units)
    });
    let filled = filled.map_err(ImportError::refused(reference))?;
    let order = PlaceOrder {
        order_id: order.order_id,
        payment_id: order.payment_id,
        shopper,
        seen_version: None,
        request: None,
        ship_to,
        pay_by,
        guest_contact: None,
        agreed: Some(order.lines.clone()),
        charges: Charges::default(),
        reference: Some(order.reference.to_string()),
    };
    let placed = bus.submit(caller, move |unit| checkout::place(unit, &policy, &order));
    let placed = placed.map_err(ImportError::refused(reference))?;
    let (what, caller) = (reference.to_owned(), caller.clone());
    Ok(async move {
        filled.await.map_err(ImportError::refused(&what))?;
        let calls = placed.await.map_err(ImportError::refused(&what))?.value.calls;
        payments::make(into, &caller, &what, calls).await
    })
}

fn put_on_record(
    unit: &mut Unit<'_>,
    customer_id: CustomerId,
    commands: &[CustomerCommand],
) -> Result<(), Stop> {
    for command in commands {
        let known = unit.state::<Customer>(&customer_id)?.as_deref();
        // The next order of a new customer was made ready before this one was placed.
        let there = known.is_some_and(|known| match command {
            CustomerCommand::Register { .. } => true,
            CustomerCommand::AddPaymentMethod(method) => {
                known.payment_methods.contains_key(&method.payment_method_id)
            }
            CustomerCommand::AddAddress(address) => {
                known.addresses.contains_key(&address.address_id)
            }
            _ => false,
        });
        if !there {
            unit.execute::<Customer>(&customer_id, command)?;
        }
    }
    Ok(())
}

/// Makes the cart hold exactly these units, whatever a run that was stopped left in it.
fn fill_cart(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    shopper: Shopper,
    currency: domain::Currency,
    units: &BTreeMap<SkuId, u32>,
) -> Result<CartId, Stop> {
    let skus: Vec<SkuId> = units.keys().copied().collect();
    unit.prefetch::<Inventory>(&skus)?;
    let left: BTreeMap<SkuId, u32> = carts::open_cart(unit, shopper.cart_id)?
        .map(|cart| cart.lines.iter().map(|(sku, line)| (*sku, line.quantity.get())).collect())
        .unwrap_or_default();
    for sku_id in left.keys().filter(|sku_id| !units.contains_key(sku_id)) {
        carts::remove_item(unit, policy, shopper, *sku_id)?;
    }
    for (sku_id, wanted) in units {
        let Ok(quantity) = Quantity::new(*wanted) else { continue };
        match left.get(sku_id) {
            Some(have) if have == wanted => {}
            Some(_) => drop(carts::set_quantity(unit, policy, shopper, *sku_id, quantity)?),
            None => {
                drop(carts::add_item(unit, policy, shopper, *sku_id, quantity, Some(currency))?);
            }
        }
    }
    Ok(shopper.cart_id)
}
