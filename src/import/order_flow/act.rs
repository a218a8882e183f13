//! What a step does. Every part of it is harmless when repeated.

use std::collections::BTreeMap;
use std::future::Future;

use commands::carts::{self, CartPolicy, Shopper};
use commands::{Caller, RequestKey, Stop, Unit};
use domain::cart::CartLimits;
use domain::customer::{Customer, CustomerCommand};
use domain::inventory::{Inventory, InventoryCommand};
use domain::order::{Order, OrderLimits, OrderStatus};
use domain::product_return::{ProductReturn, ReturnReason, ReturnStatus};
use domain::{CartId, CustomerId, OrderId, Quantity, SkuId};
use futures::FutureExt;
use futures::future::{BoxFuture, Either, ready};
use sagas::checkout::{Charges, PayBy, PlaceOrder, ShipTo, ShopPolicy};
use sagas::fulfilment::{self, Parcel};
use sagas::payment_call::PaymentCall;
use sagas::returns::{self, Arrival, ReturnRequest};
use sagas::{checkout, refunds};

use super::prepare::{Prepared, SealedFor};
use crate::import::ImportInto;
use crate::import::error::ImportError;
use crate::import::past::{
    Buyer, Outcome, PastCredit, PastLoss, PastOrder, PastReturn, Step, What,
};
use crate::import::payments;

/// Whose request keys these are.
const REQUESTS: &str = "import";

type Ends<'a> = BoxFuture<'a, Result<Outcome, ImportError>>;

/// Submits what must be decided in file order, now, and returns the rest.
pub(super) fn start(into: &ImportInto, prepared: Prepared) -> Result<Ends<'_>, ImportError> {
    let Prepared { step, caller, status, sealed, .. } = prepared;
    let Step { reference, what, .. } = step;
    match what {
        What::Order(order) => {
            let placing = match status {
                None => Either::Left(place(into, &caller, &reference, &order, sealed)?),
                Some(_) => Either::Right(ready(Ok(()))),
            };
            Ok(async move {
                placing.await?;
                finish(into, &caller, &reference, &order, status).await
            }
            .boxed())
        }
        What::Return(back) => take_back(into, caller, reference.to_string(), back),
        What::Credit(credit) => pay_back(into, caller, reference.to_string(), credit),
        What::Loss(loss) => write_off(into, &caller, reference.to_string(), loss),
    }
}

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
fn place<'a>(
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

/// Pays, ships and delivers what is not yet paid, shipped and delivered.
async fn finish(
    into: &ImportInto,
    caller: &Caller,
    reference: &str,
    order: &PastOrder,
    found: Option<OrderStatus>,
) -> Result<Outcome, ImportError> {
    let bus = into.engine.bus();
    let refused = || ImportError::refused(reference);
    let PastOrder { order_id, shipment_id, .. } = *order;
    if found == Some(OrderStatus::Pending) {
        let calls = bus.run(caller, move |unit| payments::left_over(unit, order_id)).await;
        payments::make(into, caller, reference, calls.map_err(refused())?.value).await?;
    }
    let ended = matches!(found, Some(OrderStatus::Delivered | OrderStatus::Returned));
    let mut delivered = None;
    if !ended {
        // Both are taken in at once; shipping what has left already is nothing.
        let parcel = Parcel::default();
        let shipped = bus.submit(caller, move |unit| {
            let status = unit.state::<Order>(&order_id)?.as_ref().map(|order| order.status);
            if matches!(status, Some(OrderStatus::Confirmed | OrderStatus::Processing)) {
                fulfilment::ship(unit, None, order_id, shipment_id, &parcel)?;
            }
            Ok(status)
        });
        let shipped = shipped.map_err(refused())?;
        delivered = Some(
            bus.submit(caller, move |unit| {
                fulfilment::deliver(unit, shipment_id)?;
                totals(unit, order_id)
            })
            .map_err(refused())?,
        );
        let status = shipped.await.map_err(refused())?.value;
        payments::is_paid(reference, status.unwrap_or(OrderStatus::Pending))?;
    }
    let (order_minor, order_lines) = match delivered {
        Some(delivered) => delivered.await.map_err(refused())?.value,
        None => bus.run(caller, move |unit| totals(unit, order_id)).await.map_err(refused())?.value,
    };
    Ok(Outcome { already_there: ended, order_minor, order_lines, refunded_minor: 0 })
}

/// The order's total in minor units, and its lines.
fn totals(unit: &mut Unit<'_>, order_id: OrderId) -> Result<(i64, u64), Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    Ok(order.map_or((0, 0), |order| (order.totals.total_minor, order.lines.len() as u64)))
}

fn take_back(
    into: &ImportInto,
    caller: Caller,
    reference: String,
    back: PastReturn,
) -> Result<Ends<'_>, ImportError> {
    let PastReturn { return_id, order_id, lines, refund_minor, .. } = back;
    let wanted = ReturnRequest {
        return_id,
        order_id,
        lines,
        reason: ReturnReason::Other,
        note: format!("cancelled as {reference}"),
    };
    let taken = into.engine.bus().submit(&caller, move |unit| {
        let known = unit.state::<ProductReturn>(&return_id)?.as_ref().map(|back| back.status);
        if known.is_none() {
            returns::request(unit, None, &wanted)?;
        }
        if known != Some(ReturnStatus::Received) {
            let refund_minor = Some(refund_minor);
            let arrival = Arrival { lines: None, warehouse_id: None, refund_minor };
            returns::receive(unit, return_id, &arrival)?;
        }
        Ok((known.is_some(), payments::left_over(unit, order_id)?))
    });
    let taken = taken.map_err(ImportError::refused(&reference))?;
    Ok(refund(into, caller, reference, taken, refund_minor))
}

fn pay_back(
    into: &ImportInto,
    caller: Caller,
    reference: String,
    credit: PastCredit,
) -> Result<Ends<'_>, ImportError> {
    let PastCredit { order_id, amount_minor, reason } = credit;
    let said = format!("{order_id} {amount_minor}");
    let key = RequestKey::new(REQUESTS, &reference, &[b"credit", said.as_bytes()]);
    let paid = into.engine.bus().submit(&caller, move |unit| {
        let amount = Some(amount_minor);
        let (once, _) = refunds::request_once(unit, Some(&key), order_id, amount, &reason)?;
        Ok((once.replayed, payments::left_over(unit, order_id)?))
    });
    let paid = paid.map_err(ImportError::refused(&reference))?;
    Ok(refund(into, caller, reference, paid, amount_minor))
}

/// Makes the calls of a refund that is on record.
fn refund<'a>(
    into: &'a ImportInto,
    caller: Caller,
    reference: String,
    asked: impl Future<
        Output = Result<commands::Done<(bool, Vec<PaymentCall>)>, commands::CommandError>,
    > + Send
    + 'a,
    refunded_minor: i64,
) -> Ends<'a> {
    async move {
        let (known, calls) = asked.await.map_err(ImportError::refused(&reference))?.value;
        let already_there = known && calls.is_empty();
        payments::make(into, &caller, &reference, calls).await?;
        Ok(Outcome { already_there, refunded_minor, ..Outcome::default() })
    }
    .boxed()
}

fn write_off(
    into: &ImportInto,
    caller: &Caller,
    reference: String,
    loss: PastLoss,
) -> Result<Ends<'static>, ImportError> {
    let PastLoss { sku_id, warehouse_id, quantity, reason } = loss;
    let said = format!("{sku_id} {quantity}");
    let key = RequestKey::new(REQUESTS, &reference, &[b"write_off", said.as_bytes()]);
    let command = InventoryCommand::WriteOff { warehouse_id, quantity, reason };
    let done = into.engine.bus().submit(caller, move |unit| {
        let once = unit.once(Some(&key), |unit| unit.execute::<Inventory>(&sku_id, &command))?;
        Ok(once.replayed)
    });
    let done = done.map_err(ImportError::refused(&reference))?;
    Ok(async move {
        let already_there = done.await.map_err(ImportError::refused(&reference))?.value;
        Ok(Outcome { already_there, ..Outcome::default() })
    }
    .boxed())
}
