//! A generated shop with traffic on it: something to look at in the first five minutes.

mod found;
mod goods;
mod traffic;

use std::sync::Arc;

use commands::{Bus, Caller, CommandError, Unit, catalogue};
use domain::category::{Category, CategoryCommand, TreeId};
use domain::customer::{Address, Customer, CustomerCommand, PaymentMethod};
use domain::inventory::{Inventory, InventoryCommand};
use domain::pricing::{PriceBook, Tier};
use domain::product::{ProductDetails, SkuDetails};
use domain::seller::{Seller, SellerCommand, SellerDetails};
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use domain::{
    AddressId, CategoryId, Currency, CustomerId, PaymentMethodId, ProductId, Quantity, SellerId,
    SkuId, WarehouseId,
};
use journal::JournalError;
use sagas::engine::Engine;
use sagas::key_store::{KeyStoreError, PersonalField};

pub use found::find;
pub use traffic::{FirstOrder, buy, first_order, keep_shopping};

/// The shop as generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    pub skus: Vec<SkuId>,
    pub products: Vec<ProductId>,
    pub customers: Vec<DemoCustomer>,
}

/// Somebody who buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoCustomer {
    pub customer_id: CustomerId,
    pub address_id: AddressId,
    pub payment_method_id: PaymentMethodId,
}

/// Why the shop could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    #[error("a generated value breaks a rule: {0}")]
    Generated(String),
}

const CUSTOMERS: usize = 24;
/// Who sets the shop up.
const DEMO: &str = "system:demo";

/// Sets up a seller, two warehouses, categories, some dozens of products and a few customers; some
/// articles are scarce and one card in twelve is declined.
pub async fn set_up(engine: &Engine) -> Result<Shop, DemoError> {
    set_up_with(engine, CUSTOMERS, false).await
}

/// Like [`set_up`], with so many customers; `smooth` leaves out what goes wrong in a real shop.
pub async fn set_up_with(
    engine: &Engine,
    customers: usize,
    smooth: bool,
) -> Result<Shop, DemoError> {
    let bus = engine.bus();
    let by = Caller::named(DEMO);
    let seller_id: SellerId = bus.new_id();
    let contact = engine
        .keys()
        .seal(seller_id.uuid(), PersonalField::Contact, r#"{"email":"hello@till.example"}"#)
        .await?;
    let details = SellerDetails { name: "Till & Roll".to_owned(), contact, webhook: None };
    bus.execute::<Seller>(&by, seller_id, SellerCommand::Register { seller_id, details }).await?;
    let warehouses = [open_warehouse(bus, &by, "North", 1), open_warehouse(bus, &by, "South", 2)];
    let [north, south] = warehouses;
    let warehouses = [north.await?, south.await?];

    let mut shop = Shop { skus: Vec::new(), products: Vec::new(), customers: Vec::new() };
    for (number, shelf) in goods::SHELVES.iter().enumerate() {
        let category_id: CategoryId = bus.new_id();
        let (name, slug) = (shelf.name.to_owned(), shelf.slug.to_owned());
        let command = CategoryCommand::Add { category_id, parent_id: None, name, slug };
        bus.execute::<Category>(&by, TreeId, command).await?;
        for article in goods::articles(number) {
            let (product_id, sku_id): (ProductId, SkuId) = (bus.new_id(), bus.new_id());
            let details = ProductDetails {
                name: article.name,
                description: article.description,
                category_id: Some(category_id),
                brand: Some(article.brand),
                tags: article.tags,
            };
            let prices = [(Currency::GBP, article.minor), (Currency::EUR, article.minor * 6 / 5)];
            let base_prices = prices.into_iter().collect();
            let attributes = article.attributes;
            let units = if smooth { [1_000_000, 1_000_000] } else { article.units };
            let work = move |unit: &mut Unit<'_>| {
                catalogue::create_product(unit, product_id, seller_id, &details, &base_prices)?;
                let details = SkuDetails {
                    attributes: attributes.clone(),
                    weight_g: Some(250),
                    barcode: None,
                };
                catalogue::add_sku(unit, product_id, sku_id, &details, &PriceBook::default())?;
                for (warehouse_id, units) in warehouses.iter().zip(units) {
                    if let Ok(quantity) = Quantity::new(units) {
                        let warehouse_id = *warehouse_id;
                        let command =
                            InventoryCommand::Receive { warehouse_id, quantity, reference: None };
                        unit.execute::<Inventory>(&sku_id, &command)?;
                    }
                }
                Ok(())
            };
            bus.run(&by, work).await?;
            shop.products.push(product_id);
            shop.skus.push(sku_id);
        }
    }
    for number in 0..customers {
        shop.customers.push(register(engine, &by, number, smooth).await?);
    }
    Ok(shop)
}

async fn open_warehouse(
    bus: &Bus,
    by: &Caller,
    name: &str,
    rank: u32,
) -> Result<WarehouseId, DemoError> {
    let warehouse_id: WarehouseId = bus.new_id();
    let details = WarehouseDetails { name: name.to_owned(), rank };
    let command = WarehouseCommand::Open { warehouse_id, details };
    bus.execute::<Warehouse>(by, warehouse_id, command).await?;
    Ok(warehouse_id)
}

async fn register(
    engine: &Engine,
    by: &Caller,
    number: usize,
    smooth: bool,
) -> Result<DemoCustomer, DemoError> {
    let bus = engine.bus();
    let keys = Arc::clone(engine.keys());
    let customer_id: CustomerId = bus.new_id();
    let (address_id, payment_method_id) = (bus.new_id(), bus.new_id());
    let person = customer_id.uuid();
    let name = goods::person(number);
    let contact = format!(r#"{{"name":"{name}","email":"shopper{number}@example.com"}}"#);
    let contact = keys.seal(person, PersonalField::Contact, &contact).await?;
    let details = format!(
        r#"{{"recipient":"{name}","lines":["{} High Street"],"city":"Leeds","postcode":"LS1 1AA"}}"#,
        number + 1
    );
    let details = keys.seal(person, PersonalField::Address, &details).await?;
    let token = if number % 12 == 11 && !smooth { "tok_decline" } else { "tok_ok" };
    let token = keys.seal(person, PersonalField::PaymentToken, token).await?;
    let label = keys.seal(person, PersonalField::PaymentLabel, "Visa ending 4242").await?;
    let tier = if number % 8 == 7 { Tier::Wholesale } else { Tier::Retail };
    let address = Address { address_id, country: "GB".to_owned(), details };
    let provider = crate::compose::SANDBOX.to_owned();
    let method = PaymentMethod { payment_method_id, provider, token, label: Some(label) };
    bus.run(by, move |unit| {
        let commands = [
            CustomerCommand::Register { customer_id, tier, contact: contact.clone() },
            CustomerCommand::AddAddress(address.clone()),
            CustomerCommand::AddPaymentMethod(method.clone()),
        ];
        for command in &commands {
            unit.execute::<Customer>(&customer_id, command)?;
        }
        Ok(())
    })
    .await?;
    Ok(DemoCustomer { customer_id, address_id, payment_method_id })
}
