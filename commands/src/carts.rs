//! Changes to carts: each looks up what the shopper pays now, then lets the cart decide.

use chrono::Duration;
use domain::cart::{Cart, CartCommand, CartItem, CartLimits, CartOwner, OpenCart};
use domain::customer::Customer;
use domain::inventory::{Inventory, InventoryCommand, InventoryState};
use domain::pricing::{EffectivePrice, Tier, WholesalePolicy, effective_price};
use domain::product::{Product, ProductStatus};
use domain::{CartId, Currency, CustomerId, ProductId, Quantity, RejectionKind, SkuId, Timestamp};

use crate::refusal::{Refused, Stop};
use crate::unit::{Unit, known};

/// What the shop decides about carts.
#[derive(Debug, Clone)]
pub struct CartPolicy {
    /// How long a cart lives after its last write.
    pub customer_ttl: Duration,
    pub guest_ttl: Duration,
    pub limits: CartLimits,
    pub wholesale: WholesalePolicy,
    /// Currency of a cart nobody chose one for.
    pub currency: Currency,
}

impl Default for CartPolicy {
    fn default() -> Self {
        Self {
            customer_ttl: Duration::days(30),
            guest_ttl: Duration::days(7),
            limits: CartLimits::default(),
            wholesale: WholesalePolicy::default(),
            currency: Currency::GBP,
        }
    }
}

impl CartPolicy {
    fn expires_at(&self, owner: CartOwner, now: Timestamp) -> Timestamp {
        let ttl = match owner {
            CartOwner::Customer(_) => self.customer_ttl,
            CartOwner::Guest => self.guest_ttl,
        };
        now + ttl
    }
}

/// Whose cart it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shopper {
    pub cart_id: CartId,
    pub owner: CartOwner,
}

impl Shopper {
    #[must_use]
    pub fn customer(customer_id: CustomerId) -> Self {
        Self { cart_id: CartId::of_customer(customer_id), owner: CartOwner::Customer(customer_id) }
    }

    #[must_use]
    pub fn guest(cart_id: CartId) -> Self {
        Self { cart_id, owner: CartOwner::Guest }
    }
}

/// A line as the shopper sees it now.
#[derive(Debug, Clone, PartialEq)]
pub struct LineOnOffer {
    pub item: CartItem,
    pub name: String,
    /// Units the shopper could have now; negative counts as none.
    pub available: u32,
}

/// A cart as the shopper sees it now.
#[derive(Debug, Clone, PartialEq)]
pub struct CartOnOffer {
    pub cart_id: CartId,
    /// Version of the cart's stream; 0 for a cart that was never used.
    pub version: u64,
    pub currency: Currency,
    pub lines: Vec<LineOnOffer>,
    pub pending_order: Option<domain::OrderId>,
    pub expires_at: Option<Timestamp>,
}

/// A SKU that can be sold, and what it costs this shopper now.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    pub product_id: ProductId,
    pub seller_id: domain::SellerId,
    pub name: String,
    pub price: EffectivePrice,
}

/// Resolves what the shopper pays for a SKU now.
pub fn offer(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    owner: CartOwner,
    sku_id: SkuId,
    currency: Currency,
) -> Result<Offer, Stop> {
    let tier = tier_of(unit, owner)?;
    let now = unit.now();
    let product_id = unit.state::<Inventory>(&sku_id)?.product_id;
    let product_id = *known(product_id.as_ref(), "sku", sku_id)?;
    let product = unit.state::<Product>(&product_id)?.as_ref();
    let product = known(product, "product", product_id)?;
    let sku = known(product.skus.get(&sku_id), "sku", sku_id)?;
    if product.status != ProductStatus::Active || sku.withdrawn {
        let message = format!("sku {sku_id} is not for sale");
        return Err(Refused::new(RejectionKind::Conflict, "not_for_sale", message)
            .with("sku_id", sku_id.to_string())
            .into());
    }
    let price =
        effective_price(&sku.prices, &product.base_prices, tier, currency, now, policy.wholesale)
            .ok_or_else(|| no_price(sku_id, currency))?;
    Ok(Offer {
        product_id,
        seller_id: product.seller_id,
        name: product.details.name.clone(),
        price,
    })
}

fn no_price(sku_id: SkuId, currency: Currency) -> Refused {
    Refused::new(
        RejectionKind::Conflict,
        "no_price_in_currency",
        format!("sku {sku_id} has no price in {currency}"),
    )
    .with("sku_id", sku_id.to_string())
    .with("currency", currency.code())
}

fn tier_of(unit: &mut Unit<'_>, owner: CartOwner) -> Result<Tier, Stop> {
    match owner {
        CartOwner::Guest => Ok(Tier::Retail),
        CartOwner::Customer(id) => {
            Ok(unit.state::<Customer>(&id)?.as_ref().map_or(Tier::Retail, |c| c.tier))
        }
    }
}

/// What there is to know of an open cart without looking at its lines.
struct CartHead {
    currency: Currency,
    /// Units of the SKU asked about that are in it.
    units: u32,
}

/// The open cart's head, after ending the cart if its time is up.
fn open_head(
    unit: &mut Unit<'_>,
    cart_id: CartId,
    sku_id: SkuId,
) -> Result<Option<CartHead>, Stop> {
    end_if_over(unit, cart_id)?;
    Ok(unit.state::<Cart>(&cart_id)?.open.as_ref().map(|cart| CartHead {
        currency: cart.currency,
        units: cart.lines.get(&sku_id).map_or(0, |line| line.quantity.get()),
    }))
}

/// The open cart with its lines, after ending it if its time is up.
pub fn open_cart(unit: &mut Unit<'_>, cart_id: CartId) -> Result<Option<OpenCart>, Stop> {
    end_if_over(unit, cart_id)?;
    Ok(unit.state::<Cart>(&cart_id)?.open.as_deref().cloned())
}

fn end_if_over(unit: &mut Unit<'_>, cart_id: CartId) -> Result<(), Stop> {
    let now = unit.now();
    let cart = unit.state::<Cart>(&cart_id)?.open.as_ref();
    if cart.is_some_and(|cart| cart.expires_at <= now && cart.pending.is_none()) {
        expire(unit, cart_id)?;
    }
    Ok(())
}

/// Ends a cart whose time is up, and the soft holds of its lines. Harmless when it is not.
pub fn expire(unit: &mut Unit<'_>, cart_id: CartId) -> Result<(), Stop> {
    let now = unit.now();
    let cart = unit.state::<Cart>(&cart_id)?.open.as_ref();
    let skus: Vec<SkuId> = cart.iter().flat_map(|cart| cart.lines.keys().copied()).collect();
    if unit.execute::<Cart>(&cart_id, &CartCommand::Expire { now })? == 0 {
        return Ok(());
    }
    for sku_id in skus {
        soft_hold(unit, cart_id, sku_id, 0, now)?;
    }
    Ok(())
}

/// Makes the cart's soft hold of a SKU `units`, as far as the SKU's policy has soft holds.
fn soft_hold(
    unit: &mut Unit<'_>,
    cart_id: CartId,
    sku_id: SkuId,
    units: u32,
    cart_expires_at: Timestamp,
) -> Result<(), Stop> {
    if unit.state::<Inventory>(&sku_id)?.policy.soft_hold.is_none() {
        return Ok(());
    }
    let now = unit.now();
    let command = InventoryCommand::SetSoftHold { cart_id, units, now, cart_expires_at };
    unit.execute::<Inventory>(&sku_id, &command)?;
    Ok(())
}

/// What one edit left behind; its cost does not depend on how much else is in the cart.
#[derive(Debug, Clone, PartialEq)]
pub struct CartEdit {
    pub cart_id: CartId,
    /// Version of the cart's stream after the edit.
    pub version: u64,
    pub currency: Currency,
    /// The line as it is now; `None` if it is gone.
    pub line: Option<LineOnOffer>,
    pub expires_at: Timestamp,
}

/// Adds units of a SKU; the cart opens if need be.
pub fn add_item(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    shopper: Shopper,
    sku_id: SkuId,
    quantity: Quantity,
    currency: Option<Currency>,
) -> Result<CartEdit, Stop> {
    let Shopper { cart_id, owner } = shopper;
    let head = open_head(unit, cart_id, sku_id)?;
    let currency = currency.or(head.as_ref().map(|cart| cart.currency)).unwrap_or(policy.currency);
    let offer = offer(unit, policy, owner, sku_id, currency)?;
    let expires_at = policy.expires_at(owner, unit.now());
    let command = CartCommand::AddItem {
        cart_id,
        owner,
        currency,
        sku_id,
        product_id: offer.product_id,
        quantity,
        unit_minor: offer.price.minor,
        price_rule: offer.price.rule,
        limits: policy.limits,
        expires_at,
    };
    unit.execute::<Cart>(&cart_id, &command)?;
    let units = head.map_or(0, |cart| cart.units).saturating_add(quantity.get());
    edited(unit, shopper, currency, expires_at, Some((sku_id, units, offer)))
}

/// Sets the units of a SKU that is in the cart.
pub fn set_quantity(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    shopper: Shopper,
    sku_id: SkuId,
    quantity: Quantity,
) -> Result<CartEdit, Stop> {
    let Shopper { cart_id, owner } = shopper;
    let head = open_head(unit, cart_id, sku_id)?;
    let currency = known(head.as_ref(), "cart", cart_id)?.currency;
    let offer = offer(unit, policy, owner, sku_id, currency)?;
    let expires_at = policy.expires_at(owner, unit.now());
    let command = CartCommand::SetQuantity {
        sku_id,
        quantity,
        unit_minor: offer.price.minor,
        price_rule: offer.price.rule,
        limits: policy.limits,
        expires_at,
    };
    unit.execute::<Cart>(&cart_id, &command)?;
    edited(unit, shopper, currency, expires_at, Some((sku_id, quantity.get(), offer)))
}

/// Removes a line; harmless if there is none.
pub fn remove_item(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    shopper: Shopper,
    sku_id: SkuId,
) -> Result<CartEdit, Stop> {
    let Shopper { cart_id, owner } = shopper;
    let head = open_head(unit, cart_id, sku_id)?;
    let expires_at = policy.expires_at(owner, unit.now());
    let Some(head) = head else {
        return edited(unit, shopper, policy.currency, expires_at, None);
    };
    let command = CartCommand::RemoveItem { sku_id, expires_at };
    if unit.execute::<Cart>(&cart_id, &command)? > 0 {
        soft_hold(unit, cart_id, sku_id, 0, expires_at)?;
    }
    edited(unit, shopper, head.currency, expires_at, None)
}

fn edited(
    unit: &mut Unit<'_>,
    shopper: Shopper,
    currency: Currency,
    expires_at: Timestamp,
    line: Option<(SkuId, u32, Offer)>,
) -> Result<CartEdit, Stop> {
    let Shopper { cart_id, .. } = shopper;
    let now = unit.now();
    let line = match line {
        Some((sku_id, units, offer)) => {
            soft_hold(unit, cart_id, sku_id, units, expires_at)?;
            let inventory = unit.state::<Inventory>(&sku_id)?;
            let item = CartItem {
                sku_id,
                product_id: offer.product_id,
                quantity: Quantity::new(units).unwrap_or(Quantity::ONE),
                unit_minor: offer.price.minor,
                price_rule: offer.price.rule,
            };
            let available = available(inventory, now, cart_id);
            Some(LineOnOffer { item, name: offer.name, available })
        }
        None => None,
    };
    let version = unit.version::<Cart>(&cart_id)?;
    Ok(CartEdit { cart_id, version, currency, line, expires_at })
}

/// Prices the whole cart in another currency; refused if a line has no price in it.
pub fn change_currency(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    shopper: Shopper,
    currency: Currency,
) -> Result<CartOnOffer, Stop> {
    let Shopper { cart_id, owner } = shopper;
    let open = open_cart(unit, cart_id)?;
    let cart = known(open.as_ref(), "cart", cart_id)?;
    let items = priced(unit, policy, owner, cart, currency)?;
    let expires_at = policy.expires_at(owner, unit.now());
    let command = CartCommand::ChangeCurrency { currency, items, expires_at };
    unit.execute::<Cart>(&cart_id, &command)?;
    on_offer(unit, policy, shopper)
}

/// Takes a guest's cart over into the customer's, and ends it. Harmless when repeated.
pub fn merge(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    guest: CartId,
    customer_id: CustomerId,
) -> Result<CartOnOffer, Stop> {
    let shopper = Shopper::customer(customer_id);
    let Shopper { cart_id, owner } = shopper;
    if let Some(from) = open_cart(unit, guest)? {
        let into = open_cart(unit, cart_id)?;
        let currency = into.as_ref().map_or(from.currency, |cart| cart.currency);
        let items = priced(unit, policy, owner, &from, currency)?;
        let expires_at = policy.expires_at(owner, unit.now());
        let skus: Vec<SkuId> = items.iter().map(|item| item.sku_id).collect();
        let limits = policy.limits;
        let command =
            CartCommand::Merge { cart_id, owner, currency, from: guest, items, limits, expires_at };
        unit.execute::<Cart>(&cart_id, &command)?;
        unit.execute::<Cart>(&guest, &CartCommand::EndMerged { cart_id })?;
        for sku_id in skus {
            soft_hold(unit, guest, sku_id, 0, expires_at)?;
            let cart = unit.state::<Cart>(&cart_id)?.open.as_ref();
            let line = cart.and_then(|cart| cart.lines.get(&sku_id));
            let units = line.map_or(0, |line| line.quantity.get());
            soft_hold(unit, cart_id, sku_id, units, expires_at)?;
        }
    }
    on_offer(unit, policy, shopper)
}

/// The cart as it stands, every line at the price of now. A price that changed is recorded as
/// shown; looking does not make the cart live longer.
pub fn on_offer(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    shopper: Shopper,
) -> Result<CartOnOffer, Stop> {
    let Shopper { cart_id, owner } = shopper;
    let now = unit.now();
    let Some(cart) = open_cart(unit, cart_id)? else {
        let version = unit.version::<Cart>(&cart_id)?;
        return Ok(CartOnOffer {
            cart_id,
            version,
            currency: policy.currency,
            lines: Vec::new(),
            pending_order: None,
            expires_at: None,
        });
    };
    let mut lines = Vec::with_capacity(cart.lines.len());
    for (sku_id, line) in &cart.lines {
        let mut item = CartItem {
            sku_id: *sku_id,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_minor: line.unit_minor,
            price_rule: line.price_rule,
        };
        // A line that can no longer be bought is shown as it was, with nothing available.
        let (name, available) = match offer(unit, policy, owner, *sku_id, cart.currency) {
            Ok(offer) => {
                item.unit_minor = offer.price.minor;
                item.price_rule = offer.price.rule;
                let inventory = unit.state::<Inventory>(sku_id)?;
                (offer.name, available(inventory, now, cart_id))
            }
            Err(Stop::Refused(_)) => (String::new(), 0),
            Err(stop) => return Err(stop),
        };
        lines.push(LineOnOffer { item, name, available });
    }
    let items = lines.iter().map(|line| line.item).collect();
    let command = CartCommand::Reprice { items, expires_at: cart.expires_at };
    unit.execute::<Cart>(&cart_id, &command)?;
    Ok(CartOnOffer {
        cart_id,
        version: unit.version::<Cart>(&cart_id)?,
        currency: cart.currency,
        lines,
        pending_order: cart.pending.as_ref().map(|pending| pending.order_id),
        expires_at: Some(cart.expires_at),
    })
}

/// The cart's lines at the prices of now; refused if one cannot be bought in `currency`.
pub fn priced(
    unit: &mut Unit<'_>,
    policy: &CartPolicy,
    owner: CartOwner,
    cart: &OpenCart,
    currency: Currency,
) -> Result<Vec<CartItem>, Stop> {
    let skus: Vec<SkuId> = cart.lines.keys().copied().collect();
    unit.prefetch::<Inventory>(&skus)?;
    cart.lines
        .iter()
        .map(|(sku_id, line)| {
            let offer = offer(unit, policy, owner, *sku_id, currency)?;
            Ok(CartItem {
                sku_id: *sku_id,
                product_id: line.product_id,
                quantity: line.quantity,
                unit_minor: offer.price.minor,
                price_rule: offer.price.rule,
            })
        })
        .collect()
}

/// Units this cart could have now; none rather than a negative number.
fn available(inventory: &InventoryState, now: Timestamp, cart_id: CartId) -> u32 {
    let units = inventory.available_total_for(now, Some(cart_id)).max(0);
    u32::try_from(units).unwrap_or(u32::MAX)
}
