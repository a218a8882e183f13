//! What the recommender is told, by a real shop.
#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::time::Duration;

use commands::{Caller, SystemClock};
use domain::{CustomerId, OrderId, ProductId};
use projections::Projector;
use projections::catalogue::{self, Catalogue};
use sagas::checkout;
use search::{Because, EmbedderChoice, Recommender};

use super::*;
use crate::compose::{Node, NodeOptions};
use crate::demo::{self, Shop};

const PATIENCE: Duration = Duration::from_secs(10);

/// A shop whose recommender is told by nobody but the test.
struct Told {
    node: Node,
    shop: Shop,
    background: Background,
    _data: tempfile::TempDir,
}

impl Told {
    async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let node = Node::open(&NodeOptions::new(data.path())).unwrap();
        let shop = demo::set_up_with(&node.engine, 3, true).await.unwrap();
        let vectors = ProductVectors::open(
            &data.path().join("vectors"),
            EmbedderChoice::Trained { orders: None },
        );
        let vectors = Arc::new(vectors.unwrap());
        let purchases = Arc::new(PurchasesOf(node.reads.clone()));
        let recommender = Recommender::new(
            search::RecommendSettings::default(),
            Arc::clone(&purchases) as _,
            Arc::clone(&vectors) as _,
        );
        let recommender = Arc::new(recommender.unwrap());
        let remaking =
            Remaking::new(data.path().to_owned(), Arc::clone(&vectors), Arc::clone(&recommender));
        let background = Background {
            vectors,
            recommender,
            remaking,
            purchases,
            clock: Arc::new(SystemClock),
            told: super::Told::default(),
        };
        let told = Self { node, shop, background, _data: data };
        told.is_read().await;
        told
    }

    fn customer(&self, number: usize) -> CustomerId {
        self.shop.customers[number].customer_id
    }

    /// Until the read models have everything.
    async fn is_read(&self) {
        let head = self.node.journal.head();
        self.node.reads.wait_for(head, PATIENCE).await.unwrap();
    }

    async fn buys(&self, customer: usize, product: usize) -> OrderId {
        let buyer = self.shop.customers[customer];
        let bought = demo::buy(&self.node.engine, &self.shop, &buyer, &[product]).await;
        self.is_read().await;
        bought.unwrap().0
    }

    async fn cancels(&self, order: OrderId) {
        let cancel = move |unit: &mut commands::Unit<'_>| {
            Ok(((), checkout::cancel(unit, order, "changed my mind")?))
        };
        self.node.engine.run(&Caller::named("support:1"), cancel).await.unwrap();
        self.is_read().await;
    }

    fn works(&self) {
        while self.background.recommender.work(self.background.clock.now()).unwrap() {}
    }

    /// What the customer's page shows because they bought it.
    fn bought_again(&self, customer: usize) -> Vec<ProductId> {
        let now = self.background.clock.now();
        let home =
            self.background.recommender.home(Some(self.customer(customer)), 10, now, &|product| {
                self.shop.products.contains(&product)
            });
        let own = home.unwrap().into_iter();
        let own = own.filter(|shown| matches!(shown.because, Because::BoughtAgain));
        own.map(|shown| shown.product_id).collect()
    }
}

/// A page that is ready is made anew when any of its customer's purchases changed, and no other is.
#[tokio::test]
async fn customers_whose_purchases_changed_are_told_of() {
    let mut told = Told::open().await;
    let documents = told.node.reads.read(Catalogue::NAME, |connection| {
        catalogue::changes(connection, Position(0), 0, catalogue::CHANGES_MAX)
    });
    let documents = documents.unwrap().documents;
    let changes = search::Changes { documents, ..search::Changes::default() };
    told.background.recommender.apply(&changes);

    told.buys(0, 3).await;
    let ended = told.buys(1, 7).await;
    told.background.tell_orders().unwrap();
    told.works();
    assert_eq!(told.bought_again(0), [told.shop.products[3]]);
    assert_eq!(told.bought_again(1), [told.shop.products[7]]);

    told.cancels(ended).await;
    told.works();
    assert_eq!(told.bought_again(1), [told.shop.products[7]], "its page was ready before");
    told.background.tell_orders().unwrap();
    assert_eq!(told.background.recommender.progress().customers, (2, 1), "one is to be made anew");
    told.works();
    assert_eq!(told.bought_again(1), []);
    assert_eq!(told.bought_again(0), [told.shop.products[3]]);

    // Nothing happened, so nobody is told of again.
    told.background.tell_orders().unwrap();
    assert_eq!(told.background.recommender.progress().customers.1, 0);
    // What came of an order of theirs after that is told of.
    told.buys(1, 8).await;
    told.background.tell_orders().unwrap();
    told.works();
    assert_eq!(told.bought_again(1), [told.shop.products[8]]);
    told.node.close().await.unwrap();
}
