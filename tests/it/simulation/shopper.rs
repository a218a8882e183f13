//! Shoppers: they fill carts, change their minds, pay, press the button twice and give up.

use std::time::Duration;

use commands::carts::{self, CartOnOffer, Shopper};
use commands::{Caller, CommandError, RequestKey, Stop, Unit};
use domain::cart::CartOwner;
use domain::{CartId, Currency, CustomerId, OrderId, PaymentMethodId, Quantity, SkuId};
use sagas::checkout::{self, Charges, PayBy, PlaceOrder, ShipTo};
use sagas::key_store::{KeyStore, PersonalField};

use super::acknowledged::Placing;
use super::shop::{self, Shop};
use super::world::{World, lock};

pub(crate) struct Visit {
    pub(crate) world: World,
    pub(crate) shop: Shop,
    pub(crate) name: String,
    pub(crate) shopper: Shopper,
    pub(crate) method: Option<PaymentMethodId>,
    /// A guest's cart that goes into the customer's.
    pub(crate) guest_cart: CartId,
}

impl Visit {
    pub(crate) fn of_guest(world: World, shop: Shop, number: u64) -> Self {
        let guest_cart: CartId = world.id();
        let shopper = Shopper::guest(guest_cart);
        Self { world, shop, name: format!("guest-{number}"), shopper, method: None, guest_cart }
    }

    pub(crate) fn of_customer(
        world: World,
        shop: Shop,
        number: u64,
        (customer_id, method): (CustomerId, PaymentMethodId),
    ) -> Self {
        let (guest_cart, shopper) = (world.id(), Shopper::customer(customer_id));
        let name = format!("customer-{number}");
        Self { world, shop, name, shopper, method: Some(method), guest_cart }
    }

    pub(crate) async fn run(self) {
        for step in 0..self.world.chance.within(3, 9) {
            self.pause(9_000).await;
            match self.world.chance.below(20) {
                0..=7 => self.edit().await,
                8 => self.change_currency().await,
                9 => self.merge().await,
                10 => drop(self.look().await),
                _ => self.buy(step).await,
            }
        }
    }

    async fn pause(&self, longest_ms: u64) {
        let wait = Duration::from_millis(self.world.chance.below(longest_ms));
        self.world.executor.sleep(wait).await;
    }

    fn caller(&self) -> Caller {
        Caller::named(&self.name)
    }

    fn a_sku(&self) -> SkuId {
        self.world
            .chance
            .one_of(&self.shop.skus)
            .map(|(_, sku)| sku)
            .unwrap_or_else(|| self.world.id())
    }

    /// One change to the cart, remembered if it was acknowledged.
    async fn edit(&self) {
        let (shopper, sku_id) = (self.shopper, self.a_sku());
        let quantity =
            Quantity::new(self.world.chance.within(1, 3) as u32).unwrap_or(Quantity::ONE);
        let kind = self.world.chance.below(10);
        let from_guest = self.method.is_some() && self.world.chance.percent(25);
        let shopper = if from_guest { Shopper::guest(self.guest_cart) } else { shopper };
        let ended = self
            .run_on_cart(move |unit, policy| match kind {
                0..=6 => carts::add_item(unit, policy, shopper, sku_id, quantity, None),
                7 | 8 => carts::set_quantity(unit, policy, shopper, sku_id, quantity),
                _ => carts::remove_item(unit, policy, shopper, sku_id),
            })
            .await;
        if let Ok(edit) = ended {
            let mut acknowledged = lock(&self.world.acknowledged);
            let known = acknowledged.carts.entry(edit.cart_id).or_default();
            *known = (*known).max(edit.version);
            acknowledged.count("cart edits");
        }
    }

    async fn run_on_cart<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Unit<'_>, &carts::CartPolicy) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, CommandError> {
        let engine = self.world.engine().await;
        let policy = engine.policy().carts.clone();
        let done = engine.bus().run(&self.caller(), move |unit| work(unit, &policy)).await?;
        lock(&self.world.acknowledged).rests_on(done.position);
        Ok(done.value)
    }

    async fn look(&self) -> Option<CartOnOffer> {
        let shopper = self.shopper;
        self.run_on_cart(move |unit, policy| carts::on_offer(unit, policy, shopper)).await.ok()
    }

    async fn change_currency(&self) {
        let shopper = self.shopper;
        let currencies = [Currency::GBP, Currency::EUR, Currency::USD];
        let currency = self.world.chance.one_of(&currencies).unwrap_or(Currency::GBP);
        drop(
            self.run_on_cart(move |unit, policy| {
                carts::change_currency(unit, policy, shopper, currency)
            })
            .await,
        );
    }

    async fn merge(&self) {
        let CartOwner::Customer(customer_id) = self.shopper.owner else { return };
        let guest = self.guest_cart;
        for _ in 0..self.world.chance.within(1, 2) {
            drop(
                self.run_on_cart(move |unit, policy| {
                    carts::merge(unit, policy, guest, customer_id)
                })
                .await,
            );
        }
    }

    async fn buy(&self, step: u64) {
        let Some(cart) = self.look().await else { return };
        if cart.lines.is_empty() {
            return self.edit().await;
        }
        let key = self.world.chance.percent(80).then(|| format!("{}/{step}", self.name));
        let stale = self.world.chance.percent(8);
        let seen = match self.world.chance.below(3) {
            0 => None,
            _ if stale => Some(cart.version.saturating_sub(1)),
            _ => Some(cart.version),
        };
        let twins = self.world.chance.percent(15);
        let mut placed = None;
        for _ in 0..4 {
            let answer = if twins {
                let (one, other) = futures::join!(self.place(&key, seen), self.place(&key, seen));
                if matches!(one, Placing::Done { .. }) { one } else { other }
            } else {
                self.place(&key, seen).await
            };
            match answer {
                Placing::Done { order_id } => placed = Some(order_id),
                // Without a key a shopper who got no answer cannot ask again.
                Placing::Unknown if key.is_some() => {
                    self.pause(3_000).await;
                    continue;
                }
                Placing::Refused { .. } | Placing::Unknown => {}
            }
            let again = placed.is_some() && key.is_some() && self.world.chance.percent(15);
            if !again {
                break;
            }
        }
        if let Some(order_id) = placed {
            self.after(order_id).await;
        }
    }

    async fn place(&self, key: &Option<String>, seen_version: Option<u64>) -> Placing {
        let world = &self.world;
        let (order_id, payment_id): (OrderId, _) = (world.id(), world.id());
        let pay_by = match self.method {
            Some(method) => PayBy::Method(method),
            None => {
                let token = shop::token(world);
                let field = PersonalField::PaymentToken;
                match world.keys.seal(order_id.uuid(), field, token).await {
                    Ok(token) => PayBy::Token { provider: "sandbox".to_owned(), token },
                    Err(_) => return Placing::Unknown,
                }
            }
        };
        if world.chance.percent(3) {
            super::pest::forge_a_webhook(world, order_id).await;
        }
        let request =
            key.as_ref().map(|key| RequestKey::new(&self.name, key, &[b"POST", b"/orders"]));
        let order = PlaceOrder {
            order_id,
            payment_id,
            shopper: self.shopper,
            seen_version,
            request,
            ship_to: ShipTo::Nowhere,
            pay_by,
            guest_contact: None,
            agreed: None,
            charges: Charges { tax_minor: 0, shipping_minor: 0, discount_minor: 0 },
            reference: None,
        };
        let engine = world.engine().await;
        let ended = engine.place_order(&self.caller(), order).await;
        let mut acknowledged = lock(&world.acknowledged);
        let answer = match ended {
            Ok(done) => {
                acknowledged.rests_on(done.position);
                Placing::Done { order_id: done.value.order_id }
            }
            Err(CommandError::Refused(refused)) => Placing::Refused { code: refused.code },
            Err(_) => Placing::Unknown,
        };
        acknowledged.count(match &answer {
            Placing::Done { .. } => "orders placed",
            Placing::Refused { code } if code == "insufficient_stock" => "orders refused: no stock",
            Placing::Refused { .. } => "orders refused: other reasons",
            Placing::Unknown => "orders without an answer",
        });
        if let (Placing::Done { order_id }, Some(key)) = (&answer, key) {
            let key = format!("{}:{key}", self.name);
            acknowledged.answers.entry(key).or_default().insert(*order_id);
        }
        world.executor.note(|| format!("{} places {order_id}: {answer:?}", self.name));
        acknowledged.placings.insert(order_id, answer.clone());
        answer
    }

    /// Waits, or does not, and may think better of it.
    async fn after(&self, order_id: OrderId) {
        let engine = self.world.engine().await;
        if self.world.chance.percent(50) {
            let patience = Duration::from_millis(self.world.chance.below(20_000));
            drop(engine.settled(order_id, patience).await);
        }
        if self.world.chance.percent(25) {
            cancel(&self.world, &self.caller(), order_id).await;
        }
    }
}

/// Cancels an order, perhaps twice.
pub(crate) async fn cancel(world: &World, caller: &Caller, order_id: OrderId) {
    for _ in 0..world.chance.within(1, 2) {
        let engine = world.engine().await;
        let ended = engine
            .run(caller, move |unit| Ok(((), checkout::cancel(unit, order_id, "no more needed")?)))
            .await;
        if let Ok(done) = ended {
            let mut acknowledged = lock(&world.acknowledged);
            acknowledged.rests_on(done.position);
            acknowledged.cancelled.insert(order_id);
            acknowledged.count("cancellations");
        }
    }
}
