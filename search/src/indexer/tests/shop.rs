//! A journal of products and the catalogue that is made from it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::TimeZone;
use domain::inventory::InventoryEvent;
use domain::pricing::{PriceBook, Prices, SalePrice};
use domain::product::{ProductDetails, ProductEvent, ProductStatus, SkuDetails};
use domain::{Currency, ProductId, Quantity, SkuId, Timestamp};
use journal::{Category, Group, Journal, MemoryJournal, NewEvent, Position, StreamId, Unit};
use projections::{
    Directory, Options, ReadModels, RebuildOptions, Registration, Runner, models, rebuild,
};
use schemas::AnyEvent;
use uuid::Uuid;

pub(super) const GBP: Currency = Currency::GBP;

pub(crate) struct Shop {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) reads: ReadModels,
    directory: Directory,
    runner: Runner,
    versions: HashMap<Uuid, u64>,
    events: u128,
}

pub(super) fn product_id(number: u128) -> ProductId {
    ProductId::from(Uuid::from_u128(0xa000 + number))
}

pub(super) fn instant(seconds: i64) -> Timestamp {
    chrono::Utc.timestamp_opt(1_700_000_000 + seconds, 0).unwrap()
}

fn catalogue() -> Vec<Registration> {
    let mut all = models::all();
    all.retain(|model| model.name() == "catalogue");
    all
}

fn named(name: &str) -> ProductDetails {
    ProductDetails {
        name: name.to_owned(),
        description: String::new(),
        category_id: None,
        brand: None,
        tags: std::collections::BTreeSet::new(),
    }
}

impl Shop {
    pub(crate) fn new() -> Self {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let directory = Directory::in_memory();
        let opened =
            Runner::open(Arc::clone(&journal), &directory, &catalogue(), Options::default());
        let runner = opened.unwrap();
        let reads = runner.read_models();
        Self { journal, reads, directory, runner, versions: HashMap::new(), events: 0 }
    }

    pub(crate) fn head(&self) -> Position {
        self.journal.head()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.reads.serving("catalogue").unwrap()
    }

    /// Appends, and has the catalogue see it.
    async fn tell(&mut self, stream: Uuid, events: Vec<AnyEvent>) {
        let version = self.versions.entry(stream).or_default();
        let mut new = Vec::new();
        for event in &events {
            self.events += 1;
            new.push(NewEvent {
                id: Uuid::from_u128(self.events),
                event_type: Category::from_static(event.event_type()),
                schema_version: event.schema_version(),
                payload: Arc::from(event.encode()),
                occurred: instant(0),
            });
        }
        let category = Category::from_static(events[0].category());
        let stream = StreamId::of_uuid(category, stream);
        let group = Group { stream, expected: *version, events: new };
        *version += events.len() as u64;
        let unit = Unit::new(vec![group], Arc::from("{}"));
        self.journal.append(vec![unit]).await.unwrap();
        while self.runner.run_once(64).await.unwrap().events > 0 {}
    }

    /// A product for sale, called by its number.
    pub(crate) async fn product(&mut self, number: u128) {
        let created = ProductEvent::Created {
            product_id: product_id(number),
            seller_id: Uuid::from_u128(1).into(),
            details: named(&number.to_string()),
            base_prices: Prices::from([(GBP, 900)]),
        };
        let sku = ProductEvent::SkuAdded {
            sku_id: SkuId::from(Uuid::from_u128(0xb000 + number)),
            details: SkuDetails::default(),
            prices: PriceBook::default(),
        };
        let active = ProductEvent::StatusChanged {
            from: ProductStatus::Inactive,
            to: ProductStatus::Active,
        };
        let events = [created, sku, active].map(AnyEvent::from).into();
        self.tell(product_id(number).uuid(), events).await;
    }

    pub(crate) async fn rename(&mut self, number: u128, name: &str) {
        let event = ProductEvent::DetailsChanged(named(name));
        self.tell(product_id(number).uuid(), vec![event.into()]).await;
    }

    pub(crate) async fn sale(&mut self, number: u128, ends_at: Timestamp) {
        let sale = [(GBP, SalePrice { minor: 500, ends_at: Some(ends_at) })].into();
        let event = ProductEvent::SkuRepriced {
            sku_id: SkuId::from(Uuid::from_u128(0xb000 + number)),
            prices: PriceBook { sale, ..PriceBook::default() },
        };
        self.tell(product_id(number).uuid(), vec![event.into()]).await;
    }

    /// Something that changes no product.
    pub(crate) async fn something_else(&mut self) {
        let event = InventoryEvent::Received {
            warehouse_id: Uuid::from_u128(2).into(),
            quantity: Quantity::new(1).unwrap(),
            reference: None,
        };
        self.tell(Uuid::from_u128(0xc000), vec![event.into()]).await;
    }

    /// The catalogue, built anew beside the one that serves, takes its place.
    pub(crate) async fn rebuild(&mut self) {
        let before = self.generation();
        let mut tell = |_: &projections::RebuildProgress| ControlFlow::Continue(());
        let options = RebuildOptions {
            wait_for_swap: std::time::Duration::ZERO,
            ..RebuildOptions::default()
        };
        let models = catalogue();
        let done = rebuild(&self.journal, &self.directory, &models, options, &mut tell);
        done.await.unwrap();
        self.runner.keep_house().await.unwrap();
        while self.runner.run_once(64).await.unwrap().events > 0 {}
        assert_ne!(self.generation(), before, "another generation serves");
    }
}
