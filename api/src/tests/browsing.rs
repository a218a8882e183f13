//! What shoppers look at is taken in, and kept by customer only where there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use commands::browsing::{BrowsingJournals, Period};
use domain::browsing::{BrowsingEvent, Place};
use journal::{Fault, Faults, Journal, JournalError, MemoryJournal, Storage, Unit, Verdict};
use schemas::StoredEvent;
use serde_json::{Value, json};
use uuid::Uuid;

use super::shop::{Ask, Shop};

/// One journal in memory for all periods, which can be away.
pub(super) struct Kept {
    storage: Arc<Storage>,
    journal: Arc<MemoryJournal>,
    away: Arc<Away>,
}

#[derive(Default)]
struct Away(AtomicBool);

impl Faults for Away {
    fn before(&self, _: &[Unit]) -> Fault {
        match self.0.load(Ordering::Relaxed) {
            true => Fault::Fail(JournalError::Unavailable("away".to_owned())),
            false => Fault::None,
        }
    }

    fn after(&self, _: &[Verdict]) -> Fault {
        Fault::None
    }
}

impl Default for Kept {
    fn default() -> Self {
        let (storage, away) = (Arc::new(Storage::new(Uuid::nil())), Arc::<Away>::default());
        let journal = MemoryJournal::over(Arc::clone(&storage))
            .with_faults(Arc::clone(&away) as Arc<dyn Faults>);
        Self { storage, journal: Arc::new(journal), away }
    }
}

impl BrowsingJournals for Kept {
    fn open(&self, _: Period) -> Result<Arc<dyn Journal>, JournalError> {
        Ok(Arc::clone(&self.journal) as Arc<dyn Journal>)
    }

    fn list(&self) -> Result<Vec<Period>, JournalError> {
        Ok(Vec::new())
    }

    fn remove(&self, _: Period) -> Result<(), JournalError> {
        Ok(())
    }
}

impl Kept {
    fn browsing(&self) -> Vec<BrowsingEvent> {
        let events = self.storage.events();
        let read = events.iter().map(|recorded| {
            let name = recorded.event_type.as_str();
            BrowsingEvent::decode(name, recorded.schema_version, &recorded.payload).unwrap()
        });
        read.collect()
    }

    /// Everything, once `enough` of it is there: it is written a moment later.
    async fn once(&self, enough: impl Fn(&[BrowsingEvent]) -> bool) -> Vec<BrowsingEvent> {
        for _ in 0..12_000 {
            let browsing = self.browsing();
            if enough(&browsing) {
                return browsing;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not written: {:?}", self.browsing());
    }
}

#[actix_web::test]
async fn views_are_the_customers_or_of_no_one() {
    let shop = Shop::open().await;
    let (product, _) = shop.stocked().await;
    let (customer, token, _) = shop.customer("tok_ok").await;
    // Answered once it is on the shelf.
    shop.ask("", &format!("GET /products/{product}/similar"), Value::Null).await.is(200);
    let view = format!("POST /products/{product}/views");
    let answer = shop.ask(&token, &view, Value::Null).await.is(202);
    assert_eq!((answer.text.as_str(), answer.header("tillroll-position").as_str()), ("", ""));
    let named = vec![("tillroll-customer", customer.to_string())];
    shop.ask_with("storefront", &view, json!({}), named).await.is(202);
    shop.ask("storefront", &view, json!({})).await.is(202);

    let times = |browsing: &[BrowsingEvent], of| -> u32 {
        let views = browsing.iter().filter_map(|event| match event {
            BrowsingEvent::Viewed { customer_id, products } if *customer_id == of => Some(products),
            _ => None,
        });
        views
            .flatten()
            .map(|views| {
                assert_eq!(views.product_id.to_string(), product);
                views.times
            })
            .sum()
    };
    let kept = shop
        .kept
        .once(|browsing| times(browsing, Some(customer)) == 2 && times(browsing, None) == 1);
    kept.await;

    let unknown = format!("POST /products/{}/views", Uuid::now_v7());
    shop.ask(&token, &unknown, Value::Null).await.is(404);
    let body = json!({"customer_id": customer});
    assert_eq!(
        shop.ask(&token, &view, body).await.is(422).body["errors"][0]["field"],
        "customer_id"
    );
    let named = vec![("tillroll-customer", "me".to_owned())];
    shop.ask_with("storefront", &view, Value::Null, named).await.is(400);
}

#[actix_web::test]
async fn impressions_and_clicks_are_counted_by_place() {
    let shop = Shop::open().await;
    let [one, two] = [shop.stocked().await.0, shop.stocked().await.0];
    let (unknown, two) = (Uuid::now_v7(), two.parse::<Uuid>().unwrap());
    // Answered once they are on the shelf.
    for product in [one.as_str(), &two.to_string()] {
        shop.ask("", &format!("GET /products/{product}/similar"), Value::Null).await.is(200);
    }
    let body = json!({"place": "frequently_bought_together", "product_ids": [one, unknown, two]});
    let answer = shop.ask("storefront", "POST /impressions", body).await.is(202);
    assert_eq!(answer.text, "");
    let body = json!({"place": "frequently_bought_together", "product_id": two});
    shop.ask("storefront", "POST /clicks", body).await.is(202);
    let body = json!({"place": "frequently_bought_together", "product_id": unknown});
    shop.ask("storefront", "POST /clicks", body).await.is(202);
    let count = |browsing: &[BrowsingEvent]| {
        let mut counts = (0, 0, 0);
        for event in browsing {
            let BrowsingEvent::Shown { place, products } = event else { panic!("{event:?}") };
            assert_eq!(*place, Place::FrequentlyBoughtTogether);
            for product in products {
                counts.0 += product.shown;
                counts.1 += product.clicked;
                counts.2 += u32::from(product.product_id.uuid() == two) * product.clicked;
            }
        }
        counts
    };
    shop.kept.once(|browsing| count(browsing) == (2, 1, 1)).await;
}

#[actix_web::test]
async fn a_wrong_hint_names_field_and_rule() {
    let shop = Shop::open().await;
    let ids = |count: usize| -> Vec<Uuid> { (0..count).map(|_| Uuid::now_v7()).collect() };
    for (route, body, field) in [
        ("POST /impressions", json!({"place": "home"}), "product_ids"),
        ("POST /impressions", json!({"place": "home", "product_ids": []}), "product_ids"),
        ("POST /impressions", json!({"place": "home", "product_ids": ids(101)}), "product_ids"),
        ("POST /impressions", json!({"place": "cellar", "product_ids": ids(1)}), "place"),
        ("POST /impressions", json!({"place": "home", "product_ids": ["x"]}), "product_ids[0]"),
        ("POST /clicks", json!({"place": "home"}), "product_id"),
        ("POST /clicks", json!({"product_id": Uuid::now_v7()}), "place"),
        ("POST /clicks", json!({"place": "home", "product_id": ids(1)[0], "x": 1}), "x"),
    ] {
        let answer = shop.ask("storefront", route, body.clone()).await.is(422);
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}: {}", answer.text);
    }
    let body = Some(format!("{{\"place\": \"home\"{}}}", " ".repeat(64 * 1024)));
    let bearer = Some(shop.bearer("storefront"));
    let (path, media) = ("/impressions", "application/json");
    shop.send(Ask { method: "POST", path, bearer, headers: Vec::new(), body, media }).await.is(413);
    let body = json!({"place": "home", "product_ids": ids(100)});
    shop.ask("storefront", "POST /impressions", body).await.is(202);
}

#[actix_web::test]
async fn an_erased_customer_is_forgotten_and_shoppers_never_wait() {
    let shop = Shop::open().await;
    let (product, _) = shop.stocked().await;
    let (customer, token, _) = shop.customer("tok_ok").await;
    shop.ask("", &format!("GET /products/{product}/similar"), Value::Null).await.is(200);
    shop.kept.away.0.store(true, Ordering::Relaxed);
    let view = format!("POST /products/{product}/views");
    shop.ask(&token, &view, Value::Null).await.is(202);
    let erase = format!("DELETE /customers/{customer}");
    // Not answered before it is on record; a repeat makes it good.
    let refused = shop.ask(&token, &erase, Value::Null).await.is(503);
    assert_eq!(refused.body["code"], "journal_unavailable", "{}", refused.text);
    shop.kept.away.0.store(false, Ordering::Relaxed);
    shop.ask(&token, &erase, Value::Null).await.is(200);
    let forgotten = BrowsingEvent::Forgotten { customer_id: customer };
    assert!(shop.kept.browsing().contains(&forgotten));
}
