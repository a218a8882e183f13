//! What the shop is before the first shopper comes: warehouses, products, stock and customers.

use std::collections::BTreeMap;

use commands::{Caller, Unit, catalogue};
use domain::customer::{Customer, CustomerCommand, PaymentMethod};
use domain::inventory::{Inventory, InventoryCommand, SoftHoldPolicy, StockPolicy};
use domain::pricing::{PriceBook, SalePrice, Tier};
use domain::product::{ProductDetails, SkuDetails};
use domain::seller::{Seller, SellerCommand, SellerDetails};
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use domain::{
    Currency, CustomerId, PaymentMethodId, ProductId, Quantity, SellerId, SkuId, WarehouseId,
};
use sagas::key_store::{KeyStore, PersonalField};

use super::world::World;

#[derive(Debug, Clone, Default)]
pub(crate) struct Shop {
    pub(crate) warehouses: Vec<WarehouseId>,
    pub(crate) skus: Vec<(ProductId, SkuId)>,
    pub(crate) customers: Vec<(CustomerId, PaymentMethodId)>,
}

/// Tokens by which a payment is told how to go.
const TOKENS: &[&str] = &[
    "tok_ok",
    "tok_ok",
    "tok_ok",
    "tok_visa",
    "tok_decline",
    "tok_capture_fails",
    "tok_void_fails",
    "tok_refund_fails",
    "tok_timeout_2",
    "tok_lost_request_2",
    "tok_slow_20000",
    "tok_webhook_after",
    "tok_webhook_first",
    "tok_webhook_twice",
    "tok_webhook_out_of_order",
    "tok_pending_9000",
];

pub(crate) fn token(world: &World) -> &'static str {
    if world.faults.on() { world.chance.one_of(TOKENS).unwrap_or("tok_ok") } else { "tok_ok" }
}

/// Builds the shop; there are no faults yet.
pub(crate) async fn open(world: World, customers: u64) -> Shop {
    let setting = world.setting.clone();
    let mut shop = Shop::default();
    let seller_id: SellerId = world.id();
    for number in 0..setting.warehouses {
        let warehouse_id: WarehouseId = world.id();
        shop.warehouses.push(warehouse_id);
        let details = WarehouseDetails {
            name: format!("warehouse {number}"),
            rank: u32::try_from(number).unwrap_or(0) % 2,
        };
        done(&world, move |unit| {
            let command = WarehouseCommand::Open { warehouse_id, details: details.clone() };
            unit.execute::<Warehouse>(&warehouse_id, &command)?;
            Ok(())
        })
        .await;
    }
    let contact = world.keys.seal(seller_id.uuid(), PersonalField::Contact, "{}").await;
    let contact = contact.expect("keys in memory seal");
    done(&world, move |unit| {
        let details =
            SellerDetails { name: "seller".to_owned(), contact: contact.clone(), webhook: None };
        unit.execute::<Seller>(&seller_id, &SellerCommand::Register { seller_id, details })?;
        Ok(())
    })
    .await;
    for number in 0..setting.skus {
        let (product_id, sku_id) = (world.id::<ProductId>(), world.id::<SkuId>());
        shop.skus.push((product_id, sku_id));
        let prices = prices(&world, number);
        let policy = StockPolicy {
            soft_hold: world.chance.percent(40).then_some(SoftHoldPolicy {
                ttl_seconds: 600,
                cart_max: 3,
                total_max: 6,
            }),
            backorder: world.chance.percent(8),
        };
        let mut stock = Vec::new();
        for warehouse_id in &shop.warehouses {
            let units = world.chance.within(0, setting.units_each);
            if let Ok(quantity) = Quantity::new(u32::try_from(units).unwrap_or(1)) {
                stock.push((*warehouse_id, quantity));
            }
        }
        done(&world, move |unit| {
            let details = ProductDetails {
                name: format!("product {number}"),
                description: String::new(),
                category_id: None,
                brand: None,
                tags: std::collections::BTreeSet::new(),
            };
            let base = BTreeMap::from([(Currency::GBP, 1_099), (Currency::EUR, 1_299)]);
            catalogue::create_product(unit, product_id, seller_id, &details, &base)?;
            catalogue::add_sku(unit, product_id, sku_id, &SkuDetails::default(), &prices)?;
            unit.execute::<Inventory>(&sku_id, &InventoryCommand::ChangePolicy { policy })?;
            for (warehouse_id, quantity) in &stock {
                let (warehouse_id, quantity) = (*warehouse_id, *quantity);
                let reference = Some("first delivery".to_owned());
                let command = InventoryCommand::Receive { warehouse_id, quantity, reference };
                unit.execute::<Inventory>(&sku_id, &command)?;
            }
            Ok(())
        })
        .await;
    }
    for _ in 0..customers {
        shop.customers.push(customer(&world).await);
    }
    shop
}

pub(crate) fn prices(world: &World, number: u64) -> PriceBook {
    let mut book = PriceBook::default();
    let minor = |low, high| i64::try_from(world.chance.within(low, high)).unwrap_or(1);
    if number.is_multiple_of(2) {
        book.own.insert(Currency::GBP, minor(1, 5_000));
    }
    if world.chance.percent(50) {
        book.own.insert(Currency::USD, minor(100, 900));
    }
    if world.chance.percent(40) {
        let ends = world.executor.now() + chrono::Duration::minutes(minor(1, 90));
        let sale = SalePrice { minor: minor(0, 800), ends_at: Some(ends) };
        book.sale.insert(Currency::GBP, sale);
    }
    if world.chance.percent(40) {
        book.wholesale.insert(Currency::GBP, minor(1, 700));
    }
    book
}

async fn customer(world: &World) -> (CustomerId, PaymentMethodId) {
    let customer_id: CustomerId = world.id();
    let payment_method_id: PaymentMethodId = world.id();
    let person = customer_id.uuid();
    let token = world.chance.one_of(TOKENS).unwrap_or("tok_ok");
    let contact = world.keys.seal(person, PersonalField::Contact, "{}").await;
    let contact = contact.expect("keys in memory seal");
    let token = world.keys.seal(person, PersonalField::PaymentToken, token).await;
    let token = token.expect("keys in memory seal");
    let tier = if world.chance.percent(30) { Tier::Wholesale } else { Tier::Retail };
    done(world, move |unit| {
        let command = CustomerCommand::Register { customer_id, tier, contact: contact.clone() };
        unit.execute::<Customer>(&customer_id, &command)?;
        let method = PaymentMethod {
            payment_method_id,
            provider: "sandbox".to_owned(),
            token: token.clone(),
            label: None,
        };
        unit.execute::<Customer>(&customer_id, &CustomerCommand::AddPaymentMethod(method))?;
        Ok(())
    })
    .await;
    (customer_id, payment_method_id)
}

async fn done(
    world: &World,
    work: impl FnMut(&mut Unit<'_>) -> Result<(), commands::Stop> + Send + 'static,
) {
    let engine = world.engine().await;
    let ended = engine.bus().run(&Caller::named("admin"), work).await;
    ended.expect("without faults the shop opens");
}
