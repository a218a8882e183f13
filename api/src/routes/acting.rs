//! What the handlers that change something share: once for each request key, on the version the
//! client saw, and only what is the caller's own.

use commands::{Once, Refused, RequestKey, Runs, Stop, Unit, known};
use domain::order::{Order, OrderOnRecord};
use domain::product::Product;
use domain::{CustomerId, LineNumber, OrderId, ProductId, RejectionKind, SellerId, SkuId};
use journal::Position;
use sagas::payment_call::PaymentCall;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::auth::Asking;
use crate::problem::Problem;

/// What came of a unit.
pub(crate) struct Acted<T> {
    pub(crate) value: T,
    /// The answer of an earlier request with the same key.
    pub(crate) replayed: bool,
    pub(crate) position: Position,
}

/// Runs `work` unless this very request was answered before, and starts the calls it leads to.
pub(crate) async fn act<T: Serialize + DeserializeOwned + Send + 'static>(
    who: &Asking,
    key: Option<RequestKey>,
    mut work: impl FnMut(&mut Unit<'_>) -> Result<(T, Vec<PaymentCall>), Stop> + Send + 'static,
) -> Result<Acted<T>, Problem> {
    let caller = who.caller();
    let run = who.services().engine.run(&caller, move |unit| {
        let mut calls = Vec::new();
        let once = unit.once(key.as_ref(), |unit| {
            let (value, started) = work(unit)?;
            calls = started;
            Ok(value)
        })?;
        Ok((once, calls))
    });
    let done = run.await?;
    let Once { value, replayed } = done.value;
    Ok(Acted { value, replayed, position: done.position })
}

/// As [`act`], for work that leads to no calls.
pub(crate) async fn change<T: Serialize + DeserializeOwned + Send + 'static>(
    who: &Asking,
    key: Option<RequestKey>,
    mut work: impl FnMut(&mut Unit<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<Acted<T>, Problem> {
    act(who, key, move |unit| Ok((work(unit)?, Vec::new()))).await
}

/// Whose things a caller may touch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    Everybodys,
    Customer(CustomerId),
    Seller(SellerId),
    Order(OrderId),
    Nobodys,
}

impl Reach {
    pub(crate) fn of(who: &Asking) -> Result<Self, Problem> {
        if who.is_staff() {
            return Ok(Self::Everybodys);
        }
        if let Some(customer) = who.shops_for()? {
            return Ok(Self::Customer(customer));
        }
        // A storefront may pass on what a guest was given with the order.
        if let Some(order) = who.passed_on_order()? {
            return Ok(Self::Order(order));
        }
        Ok(match (who.seller(), &who.identity) {
            (Some(seller), _) => Self::Seller(seller),
            (None, crate::auth::Identity::OrderToken(order)) => Self::Order(*order),
            (None, _) => Self::Nobodys,
        })
    }

    fn includes(self, order: &OrderOnRecord) -> bool {
        match self {
            Self::Everybodys => true,
            Self::Customer(customer) => order.customer_id == Some(customer),
            Self::Seller(seller) => order.lines.values().any(|line| line.seller_id == seller),
            Self::Order(id) => order.order_id == id,
            Self::Nobodys => false,
        }
    }

    /// The order, if it is within reach; else there is no such order.
    pub(crate) fn order<'u>(
        self,
        unit: &'u mut Unit<'_>,
        order_id: OrderId,
    ) -> Result<&'u OrderOnRecord, Stop> {
        let order = unit.state::<Order>(&order_id)?.as_deref();
        known(order.filter(|order| self.includes(order)), "order", order_id)
    }

    /// As [`Self::order`], for something of an order: what is not there is then that.
    pub(crate) fn order_of<'u>(
        self,
        unit: &'u mut Unit<'_>,
        order_id: OrderId,
        what: &str,
        id: impl std::fmt::Display,
    ) -> Result<&'u OrderOnRecord, Stop> {
        let order = unit.state::<Order>(&order_id)?.as_deref();
        known(order.filter(|order| self.includes(order)), what, id)
    }

    /// Refuses goods that are not all within reach: unknown if none of them is. A parcel, or a
    /// return, with other sellers' lines in it is for an admin.
    pub(crate) fn goods(
        self,
        order: &OrderOnRecord,
        what: &str,
        id: impl std::fmt::Display,
        lines: impl IntoIterator<Item = LineNumber>,
    ) -> Result<(), Stop> {
        let Self::Seller(seller) = self else { return Ok(()) };
        let own = |line| order.lines.get(&line).is_some_and(|of| of.seller_id == seller);
        let (own, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| own(*line));
        if own.is_empty() {
            return Err(Refused::not_found(what, id).into());
        }
        match others.first() {
            None => Ok(()),
            Some(line) => {
                let message = format!("line {line} is another seller's: an admin has to do this");
                Err(Refused::new(RejectionKind::Conflict, "lines_of_others", message)
                    .with("line", *line)
                    .into())
            }
        }
    }

    /// Refuses a product that is not within reach, as one that does not exist.
    pub(crate) fn product(self, unit: &mut Unit<'_>, product_id: ProductId) -> Result<(), Stop> {
        let product = unit.state::<Product>(&product_id)?.as_deref();
        let own = product.filter(|product| match self {
            Self::Everybodys => true,
            Self::Seller(seller) => product.seller_id == seller,
            Self::Customer(_) | Self::Order(_) | Self::Nobodys => false,
        });
        known(own, "product", product_id)?;
        Ok(())
    }

    /// Refuses a SKU whose product is not within reach, as one that does not exist.
    pub(crate) fn sku(self, unit: &mut Unit<'_>, sku_id: SkuId) -> Result<ProductId, Stop> {
        let product = unit.state::<domain::inventory::Inventory>(&sku_id)?.product_id;
        let product_id = *known(product.as_ref(), "sku", sku_id)?;
        match self.product(unit, product_id) {
            Err(Stop::Refused(_)) => Err(Refused::not_found("sku", sku_id).into()),
            other => other.map(|()| product_id),
        }
    }
}

/// Refuses when what `id` names has moved on since the client saw it.
pub(crate) fn seen_version<A: Runs>(
    unit: &mut Unit<'_>,
    id: &A::Id,
    seen: Option<u64>,
) -> Result<(), Stop> {
    let current = unit.version::<A>(id)?;
    match seen {
        Some(seen) if seen != current => {
            let message = "it has changed since it was read";
            let refused = Refused::new(RejectionKind::Stale, "stale", message);
            Err(refused.with("current_version", current).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses when the order has moved on since the client saw it.
pub(crate) fn seen_order(
    unit: &mut Unit<'_>,
    order_id: OrderId,
    seen: Option<u64>,
) -> Result<(), Stop> {
    let current = unit.version::<Order>(&order_id)?;
    match seen {
        Some(seen) if seen != current => {
            let message = "the order has changed since it was read";
            Err(Refused::new(RejectionKind::Stale, "order_changed", message)
                .with("current_version", current)
                .into())
        }
        Some(_) | None => Ok(()),
    }
}
