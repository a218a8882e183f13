//! Shoppers who go on whatever happens, each request to whichever node answers, and a ledger of what
//! they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Broken, Client};
use crate::shop::{Article, guests_order};

/// A node that has not answered by then is given up on.
const PATIENCE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(50);

/// What the shoppers were told.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Order by idempotency key.
    pub(crate) acknowledged: BTreeMap<String, String>,
    /// When the last order was acknowledged, and the longest anybody waited for the next.
    last: Option<Instant>,
    pub(crate) longest: Duration,
}

impl Ledger {
    fn acknowledge(&mut self, key: &str, order_id: String) {
        if let Some(last) = self.last.replace(Instant::now()) {
            self.longest = self.longest.max(last.elapsed());
        }
        let known = self.acknowledged.insert(key.to_owned(), order_id.clone());
        assert!(known.is_none_or(|known| known == order_id), "{key} got two orders");
    }

    /// Forgets how long was waited so far.
    pub(crate) fn start_the_clock(&mut self) {
        (self.last, self.longest) = (Some(Instant::now()), Duration::ZERO);
    }
}

/// Shoppers under way.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    shoppers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// `addresses`: where the nodes are now, which the test may change.
    pub(crate) fn start(
        shoppers: usize,
        addresses: &Arc<Mutex<Vec<String>>>,
        storefront_key: &str,
        article: &Article,
    ) -> Self {
        let (ledger, stop) = (Arc::<Mutex<Ledger>>::default(), Arc::new(AtomicBool::new(false)));
        let shoppers = (0..shoppers)
            .map(|number| {
                let shopper = Shopper {
                    number,
                    addresses: Arc::clone(addresses),
                    bearer: format!("Bearer {storefront_key}"),
                    article: article.clone(),
                    turn: number,
                };
                tokio::spawn(shopper.shop(Arc::clone(&ledger), Arc::clone(&stop)))
            })
            .collect();
        Self { ledger, stop, shoppers }
    }

    /// Lets everybody finish what they have begun.
    pub(crate) async fn stop(self) -> Ledger {
        self.stop.store(true, SeqCst);
        for shopper in self.shoppers {
            shopper.await.unwrap();
        }
        Arc::into_inner(self.ledger).unwrap().into_inner().unwrap()
    }
}

struct Shopper {
    number: usize,
    addresses: Arc<Mutex<Vec<String>>>,
    bearer: String,
    article: Article,
    turn: usize,
}

impl Shopper {
    async fn shop(mut self, ledger: Arc<Mutex<Ledger>>, stop: Arc<AtomicBool>) {
        let mut count = 0;
        while !stop.load(SeqCst) {
            let key = format!("{}-{count}", self.number);
            let line = json!({"sku_id": self.article.sku_id, "quantity": 1});
            let cart_key = [("idempotency-key", key.as_str())];
            let added = self.until_answered("/cart/items", &cart_key, &line).await;
            let session = added.header("tillroll-session");
            let headers = [("tillroll-session", session.as_str()), ("idempotency-key", &key)];
            // Some payments are slow, so that what happens comes between their steps.
            let token = if key.ends_with(['3', '7']) { "tok_slow_30" } else { "tok_ok" };
            let placed = self.until_answered("/orders", &headers, &guests_order(token)).await;
            ledger.lock().unwrap().acknowledge(&key, placed.id("order_id"));
            count += 1;
        }
    }

    /// Asks one node after another, with the same key, until one has done it.
    async fn until_answered(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        loop {
            match tokio::time::timeout(PATIENCE, self.ask(path, headers, body)).await {
                Ok(Ok(answer)) if matches!(answer.status, 201 | 202) => return answer,
                Ok(Ok(answer)) => assert_eq!(answer.status, 503, "{path}: {}", answer.text),
                Ok(Err(Broken)) | Err(_) => {}
            }
            self.turn += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Answer, Broken> {
        let address = {
            let addresses = self.addresses.lock().unwrap();
            addresses[self.turn % addresses.len()].clone()
        };
        let client = Client::try_nobody(&address).await?;
        let mut client = client.with("authorization", self.bearer.as_str());
        client.try_ask(Method::POST, path, headers, &body.to_string()).await
    }
}
