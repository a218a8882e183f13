//! A small shop on journals in memory, for tests: the engine's own commands, a sandbox provider
//! that is asked step by step, a clock and ids that are the same in every run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use commands::carts::{Shopper, add_item};
use commands::{Bus, BusOptions, Caller, Clock, NoSnapshots, RequestKey, Stop, SystemIds, Unit};
use domain::customer::{Address, Customer, CustomerCommand, PaymentMethod};
use domain::inventory::{Inventory, InventoryCommand};
use domain::order::{By, Order, OrderCommand};
use domain::pricing::{PriceBook, Tier};
use domain::product::{Product, ProductCommand, ProductDetails, SkuDetails};
use domain::seller::{Seller, SellerCommand, SellerDetails};
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use domain::{
    AddressId, Currency, CustomerId, OrderId, PaymentMethodId, ProductId, Quantity, ReturnId,
    SellerId, ShipmentId, SkuId, WarehouseId,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use journal::{MemoryJournal, Recorded, Storage};
use sagas::checkout::{self, Charges, PayBy, PlaceOrder, ShipTo, ShopPolicy};
use sagas::key_store::{KeyStore, MemoryKeyStore, PersonalField, SeededEntropy};
use sagas::payment_call::PaymentCall;
use sagas::payment_gateway::{
    AuthorizeRequest, CaptureRequest, GatewayReply, PaymentGateway, RefundRequest, SandboxOptions,
    SandboxProvider, TokioTimer, VoidRequest,
};
use sagas::returns::{Arrival, ReturnRequest};
use uuid::Uuid;

/// Seconds since 2026-03-01T09:00:00Z.
#[derive(Default)]
struct ShopClock(AtomicI64);

impl Clock for ShopClock {
    fn now(&self) -> DateTime<Utc> {
        at(self.0.load(Ordering::Relaxed))
    }
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_355_600 + seconds, 0).unwrap()
}

pub(crate) struct Shop {
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) keys: MemoryKeyStore,
    pub(crate) sandbox: SandboxProvider,
    storage: Arc<Storage>,
    ledger: Arc<Storage>,
    bus: Bus,
    desk: BoxFuture<'static, ()>,
    clock: Arc<ShopClock>,
    pub(crate) skus: [SkuId; 2],
    pub(crate) customer_id: CustomerId,
    address_id: AddressId,
    warehouse_id: WarehouseId,
}

fn id<I: From<Uuid>>(number: u128) -> I {
    I::from(Uuid::from_u128(number))
}

fn units(number: u32) -> Quantity {
    Quantity::new(number).unwrap()
}

impl Shop {
    /// Two SKUs (a kettle at 19.99 and mugs at 4.50), ten of each, and one customer.
    pub(crate) fn open() -> Self {
        let clock = Arc::new(ShopClock::default());
        let time = Arc::clone(&clock);
        let now: journal::Clock = Arc::new(move || time.now());
        let storage = Arc::new(Storage::new(Uuid::nil()));
        let journal =
            Arc::new(MemoryJournal::over(Arc::clone(&storage)).with_clock(Arc::clone(&now)));
        let ledger = Arc::new(Storage::new(Uuid::from_u128(1)));
        let books = Arc::new(MemoryJournal::over(Arc::clone(&ledger)));
        let options = SandboxOptions::default();
        let sandbox = SandboxProvider::new(books, now, Arc::new(TokioTimer), options).unwrap();
        let (bus, desk) = Bus::new(
            Arc::clone(&journal) as Arc<dyn journal::Journal>,
            Arc::new(NoSnapshots),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(SystemIds::seeded(7)),
            BusOptions::default(),
        );
        let keys = MemoryKeyStore::new(Arc::new(SeededEntropy::new(5)));
        let mut shop = Self {
            journal,
            keys,
            sandbox,
            storage,
            ledger,
            bus,
            desk,
            clock,
            skus: [id(11), id(12)],
            customer_id: id(21),
            address_id: id(22),
            warehouse_id: id(31),
        };
        shop.stock_up();
        shop
    }

    fn stock_up(&mut self) {
        let (skus, warehouse_id) = (self.skus, self.warehouse_id);
        let (customer_id, address_id) = (self.customer_id, self.address_id);
        let mut sealed = Vec::new();
        for (field, text) in [
            (PersonalField::Contact, r#"{"name":"Ada"}"#),
            (PersonalField::Address, r#"{"street":"1 Mill Lane"}"#),
        ] {
            sealed.push(now(self.keys.seal(customer_id.uuid(), field, text)).unwrap());
        }
        self.run("system", move |unit| {
            let seller_id: SellerId = id(41);
            let details = SellerDetails {
                name: "Tin & Clay".to_owned(),
                contact: sealed[0].clone(),
                webhook: None,
            };
            unit.execute::<Seller>(&seller_id, &SellerCommand::Register { seller_id, details })?;
            let details = WarehouseDetails { name: "North".to_owned(), rank: 1 };
            let open = WarehouseCommand::Open { warehouse_id, details };
            unit.execute::<Warehouse>(&warehouse_id, &open)?;
            for (number, sku_id) in skus.into_iter().enumerate() {
                let product_id: ProductId = id(51 + number as u128);
                let details = ProductDetails {
                    name: ["Kettle", "Mug"][number].to_owned(),
                    description: String::new(),
                    category_id: None,
                    brand: None,
                    tags: [].into(),
                };
                let base_prices = BTreeMap::from([(Currency::GBP, [1_999, 450][number])]);
                let create = ProductCommand::Create { product_id, seller_id, details, base_prices };
                unit.execute::<Product>(&product_id, &create)?;
                let details = SkuDetails { attributes: [].into(), weight_g: None, barcode: None };
                let prices = PriceBook::default();
                commands::catalogue::add_sku(unit, product_id, sku_id, &details, &prices)?;
                let quantity = units(10);
                let receive = InventoryCommand::Receive { warehouse_id, quantity, reference: None };
                unit.execute::<Inventory>(&sku_id, &receive)?;
            }
            let contact = sealed[0].clone();
            let register = CustomerCommand::Register { customer_id, tier: Tier::Retail, contact };
            unit.execute::<Customer>(&customer_id, &register)?;
            let details = sealed[1].clone();
            let address = Address { address_id, country: "GB".to_owned(), details };
            unit.execute::<Customer>(&customer_id, &CustomerCommand::AddAddress(address))?;
            Ok(())
        });
    }

    /// Runs one command, a minute after the one before.
    pub(crate) fn run<T: Send + 'static>(
        &mut self,
        actor: &str,
        work: impl FnMut(&mut Unit<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> T {
        self.clock.0.fetch_add(60, Ordering::Relaxed);
        let answer = self.bus.submit(&Caller::named(actor), work).unwrap();
        let mut answer = Box::pin(answer);
        // The desk and the answer take turns; nothing here waits for anything else.
        loop {
            assert!(self.desk.as_mut().now_or_never().is_none(), "the desk does not end");
            if let Some(done) = answer.as_mut().now_or_never() {
                return done.unwrap().value;
            }
        }
    }

    /// Puts units of the two SKUs into the cart and orders them.
    pub(crate) fn order(&mut self, number: u128, token: &str, wanted: [u32; 2]) -> OrderId {
        let calls = self.place(number, token, wanted);
        self.answer(calls);
        id(number)
    }

    pub(crate) fn place(
        &mut self,
        number: u128,
        token: &str,
        wanted: [u32; 2],
    ) -> Vec<PaymentCall> {
        let (skus, customer_id, address_id) = (self.skus, self.customer_id, self.address_id);
        let actor = format!("customer:{customer_id}");
        let method_id: PaymentMethodId = id(number + 5_000);
        let sealed = self.keys.seal(customer_id.uuid(), PersonalField::PaymentToken, token);
        let sealed = now(sealed).unwrap();
        self.run(&actor, move |unit| {
            let method = PaymentMethod {
                payment_method_id: method_id,
                provider: "sandbox".to_owned(),
                token: sealed.clone(),
                label: None,
            };
            unit.execute::<Customer>(&customer_id, &CustomerCommand::AddPaymentMethod(method))?;
            Ok(())
        });
        self.run(&actor, move |unit| {
            for (sku_id, wanted) in skus.into_iter().zip(wanted) {
                if let Ok(quantity) = Quantity::new(wanted) {
                    let policy = ShopPolicy::default().carts;
                    let shopper = Shopper::customer(customer_id);
                    add_item(unit, &policy, shopper, sku_id, quantity, None)?;
                }
            }
            Ok(())
        });
        let order = PlaceOrder {
            order_id: id(number),
            payment_id: id(number + 1_000),
            shopper: Shopper::customer(customer_id),
            seen_version: None,
            request: Some(RequestKey::new("shop", &format!("key-{number}"), &[b"order"])),
            ship_to: ShipTo::Address(address_id),
            pay_by: PayBy::Method(method_id),
            guest_contact: None,
            agreed: None,
            charges: Charges { tax_minor: 0, shipping_minor: 350, discount_minor: 0 },
            reference: None,
        };
        let policy = ShopPolicy::default();
        self.run(&actor, move |unit| Ok(checkout::place(unit, &policy, &order)?.calls))
    }

    /// Asks the provider and records its answers until it owes none.
    pub(crate) fn answer(&mut self, mut calls: Vec<PaymentCall>) {
        while let Some(call) = calls.pop() {
            let outcome = now(ask(&self.sandbox, &self.keys, &call)).outcome().unwrap();
            let (order_id, operation, key) = (call.order_id, call.operation, call.key.clone());
            calls.extend(self.run("system", move |unit| {
                checkout::record_outcome(unit, order_id, operation, &key, &outcome)
            }));
        }
    }

    pub(crate) fn ship(&mut self, order_id: OrderId, number: u128) {
        self.run("seller:41", move |unit| {
            let parcel = sagas::fulfilment::Parcel {
                lines: None,
                carrier: Some("ups".to_owned()),
                tracking_number: Some("1Z999".to_owned()),
            };
            let by = By { actor: unit.actor(), now: unit.now() };
            unit.execute::<Order>(&order_id, &OrderCommand::StartProcessing(by))?;
            sagas::fulfilment::ship(unit, None, order_id, id(number), &parcel)
        });
    }

    pub(crate) fn deliver(&mut self, number: u128) {
        let shipment_id: ShipmentId = id(number);
        self.run("carrier:ups", move |unit| sagas::fulfilment::deliver(unit, shipment_id));
    }

    /// Asks for a return of units of line 1.
    pub(crate) fn ask_back(&mut self, order_id: OrderId, number: u128, quantity: u32) {
        let return_id: ReturnId = id(number);
        self.run("customer:21", move |unit| {
            let wanted = ReturnRequest {
                return_id: Some(return_id),
                order_id,
                lines: vec![domain::order::LineUnits { line: 1, quantity: units(quantity) }],
                reason: domain::product_return::ReturnReason::ChangedMind,
                note: "too loud".to_owned(),
            };
            sagas::returns::request(unit, None, &wanted)
        });
    }

    /// Takes units of line 1 back.
    pub(crate) fn take_back(&mut self, order_id: OrderId, number: u128, quantity: u32) {
        self.ask_back(order_id, number, quantity);
        let return_id: ReturnId = id(number);
        let calls = self.run("seller:41", move |unit| {
            let arrival = Arrival { lines: None, warehouse_id: None, refund_minor: None };
            sagas::returns::receive(unit, return_id, &arrival)
        });
        self.answer(calls);
    }

    pub(crate) fn cancel(&mut self, order_id: OrderId) {
        let calls = self.run("support:9", move |unit| checkout::cancel(unit, order_id, "changed"));
        self.answer(calls);
    }

    pub(crate) fn events(&self) -> Vec<Recorded> {
        self.storage.events()
    }

    pub(crate) fn ledger_events(&self) -> Vec<Recorded> {
        self.ledger.events()
    }

    /// One order shipped and partly returned, one cancelled, one declined, one whose capture
    /// failed, and one that is under way.
    pub(crate) fn good_history() -> Self {
        let mut shop = Self::open();
        let order = shop.order(101, "tok_ok", [2, 1]);
        shop.ship(order, 201);
        shop.deliver(201);
        shop.take_back(order, 301, 1);
        let order = shop.order(102, "tok_ok", [1, 0]);
        shop.cancel(order);
        shop.order(103, "tok_decline", [0, 2]);
        shop.order(104, "tok_capture_fails", [1, 1]);
        shop.place(105, "tok_ok", [1, 1]);
        shop
    }
}

/// The output of a future that waits for nothing.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

async fn ask(sandbox: &SandboxProvider, keys: &MemoryKeyStore, call: &PaymentCall) -> GatewayReply {
    use domain::payment::Operation;
    let PaymentCall { key, provider_reference, amount, order_id, payment_id, .. } = call.clone();
    match call.operation {
        Operation::Authorize => {
            let token = keys.open(PersonalField::PaymentToken, &call.token).await.unwrap();
            let request = AuthorizeRequest { key, order_id, payment_id, amount, token };
            sandbox.authorize(request).await
        }
        Operation::Capture => {
            sandbox.capture(CaptureRequest { key, provider_reference, amount }).await
        }
        Operation::Void => sandbox.void(VoidRequest { key, provider_reference }).await,
        Operation::Refund => {
            sandbox.refund(RefundRequest { key, provider_reference, amount }).await
        }
    }
    .unwrap()
}
