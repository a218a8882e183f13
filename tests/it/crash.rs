//! The server is killed again and again under load. An outside ledger knows what was acknowledged:
//! all of that is there, once, and what was asked for again got the same answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use hyper::Method;
use journal::SqliteJournal;
use sagas::payment_gateway::LedgerReader;
use serde_json::{Value, json};

use crate::client::{Answer, Broken, Client};
use crate::process::{DataDir, PATIENCE, Server, assert_clean, key};
use crate::shop::{Article, Shop, guests_order};

const LIVES: u64 = 8;
const CLIENTS: usize = 8;
const MINOR: i64 = 1_250;

/// What the clients were told, kept outside the engine.
#[derive(Default)]
struct Ledger {
    /// Orders by idempotency key.
    acknowledged: BTreeMap<String, Ordered>,
    /// Keys that were sent and got no answer.
    unanswered: BTreeMap<String, String>,
    repeated: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ordered {
    session: String,
    order_id: String,
    /// The total, and the token that reads the order.
    total: Value,
    order_token: String,
}

impl Ordered {
    fn of(session: &str, answer: &Answer) -> Self {
        Self {
            session: session.to_owned(),
            order_id: answer.id("order_id"),
            total: answer.body["total"].clone(),
            order_token: answer.id("order_token"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_order_is_lost_or_doubled_however_often_the_server_is_killed() {
    let data = DataDir::new();
    let (admin_key, storefront_key) = (key(&data.path(), "admin"), key(&data.path(), "storefront"));
    let server = Server::start(&data.path());
    let shop = Arc::new(Shop::set_up(&server, admin_key, storefront_key).await);
    let article = shop.article(&server, MINOR, 1_000_000).await;
    let ledger = Arc::new(Mutex::new(Ledger::default()));

    let mut server = Some(server);
    for life in 0..LIVES {
        let running = server.take().unwrap_or_else(|| Server::start(&data.path()));
        ask_again(&running, &shop, &ledger).await;
        let clients = (0..CLIENTS).map(|number| {
            let (shop, article, ledger) = (Arc::clone(&shop), article.clone(), Arc::clone(&ledger));
            let address = running.address.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while order(&address, &shop, &article, &ledger, &format!("{life}-{number}-{count}"))
                    .await
                    .is_ok()
                {
                    count += 1;
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        // Lives of different lengths end at different moments of the work.
        tokio::time::sleep(Duration::from_millis(200 + life * 53)).await;
        running.kill();
        for client in clients {
            client.await.unwrap();
        }
    }

    let server = Server::start(&data.path());
    ask_again(&server, &shop, &ledger).await;
    let ledger = Arc::into_inner(ledger).unwrap().into_inner().unwrap();
    let orders = all_settled(&server, &shop).await;
    say(&format!(
        "{LIVES} lives: {} orders acknowledged, {} asked for again, {} in the shop",
        ledger.acknowledged.len(),
        ledger.repeated,
        orders.len(),
    ));
    assert!(ledger.acknowledged.len() > LIVES as usize, "too few orders to show anything");
    assert!(ledger.unanswered.is_empty(), "{:?}", ledger.unanswered);
    // Each order asked for is there once, and there is none besides.
    let asked: BTreeSet<&str> =
        ledger.acknowledged.values().map(|ordered| ordered.order_id.as_str()).collect();
    assert_eq!(asked.len(), ledger.acknowledged.len(), "two keys, one order");
    assert_eq!(asked, orders.keys().map(String::as_str).collect());
    for (order_id, status) in &orders {
        assert_eq!(status, "confirmed", "{order_id}");
    }
    let sold = u64::try_from(orders.len()).unwrap();
    let mut admin = shop.admin(&server).await;
    let stock = admin.get(&format!("/inventory/{}", article.sku_id)).await.is(200);
    assert_eq!(stock.body["available"], 1_000_000 - sold, "{}", stock.text);
    assert!(server.stop().success());
    assert_eq!(sandbox_books(&data).await, orders.len());
    assert_clean(&data.path());
}

/// One guest's order, from the first article in the cart to the answer.
async fn order(
    address: &str,
    shop: &Shop,
    article: &Article,
    ledger: &Mutex<Ledger>,
    key: &str,
) -> Result<(), Broken> {
    let client = Client::try_nobody(address).await?;
    let bearer = format!("Bearer {}", shop.storefront_key);
    let mut guest = client.with("authorization", bearer);
    let body = json!({"sku_id": article.sku_id, "quantity": 1}).to_string();
    let added = guest.try_ask(Method::POST, "/cart/items", &[], &body).await?.is(201);
    let session = added.header("tillroll-session");
    ledger.lock().unwrap().unanswered.insert(key.to_owned(), session.clone());
    let answer = place(&mut guest, &session, key).await?;
    let mut ledger = ledger.lock().unwrap();
    ledger.unanswered.remove(key);
    ledger.acknowledged.insert(key.to_owned(), Ordered::of(&session, &answer));
    Ok(())
}

/// Places the order, which is confirmed, or known to be under way.
async fn place(guest: &mut Client, session: &str, key: &str) -> Result<Answer, Broken> {
    let headers = [("tillroll-session", session), ("idempotency-key", key)];
    // Some payments are slow, so that kills come between their steps.
    let token = if key.ends_with(['3', '7']) { "tok_slow_30" } else { "tok_ok" };
    let body = guests_order(token).to_string();
    let answer = guest.try_ask(Method::POST, "/orders", &headers, &body).await?;
    assert!(matches!(answer.status, 201 | 202), "{}: {}", answer.status, answer.text);
    Ok(answer)
}

/// Repeats every request that was sent so far: those with an answer get the same one, those
/// without get one now.
async fn ask_again(server: &Server, shop: &Shop, ledger: &Mutex<Ledger>) {
    let (known, unknown) = {
        let ledger = ledger.lock().unwrap();
        (ledger.acknowledged.clone(), ledger.unanswered.clone())
    };
    let known =
        known.into_iter().map(|(key, ordered)| (key, ordered.session.clone(), Some(ordered)));
    let unknown = unknown.into_iter().map(|(key, session)| (key, session, None));
    let all: Vec<_> = known.chain(unknown).collect();
    let share = all.len().div_ceil(CLIENTS).max(1);
    join_all(all.chunks(share).map(|mine| async move {
        let mut guest = shop.storefront(server).await;
        for (key, session, before) in mine {
            let answer = place(&mut guest, session, key).await.unwrap();
            let now = Ordered::of(session, &answer);
            if let Some(before) = before {
                assert_eq!(&now, before, "{key} got two answers");
                assert!(answer.replayed(), "{key} was done again");
            }
            let mut ledger = ledger.lock().unwrap();
            ledger.repeated += 1;
            ledger.unanswered.remove(key);
            ledger.acknowledged.insert(key.clone(), now);
        }
    }))
    .await;
}

/// All orders and their status, once none is pending any more.
async fn all_settled(server: &Server, shop: &Shop) -> BTreeMap<String, String> {
    let until = Instant::now() + PATIENCE;
    let mut admin = shop.admin(server).await;
    loop {
        let mut orders = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let page = admin.get(&format!("/orders?limit=200{cursor}")).await.is(200);
            for order in page.body["orders"].as_array().unwrap() {
                let text = |name: &str| order[name].as_str().unwrap().to_owned();
                let twice = orders.insert(text("order_id"), text("status"));
                assert!(twice.is_none(), "listed twice: {order}");
            }
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        if orders.values().all(|status| status != "pending") {
            return orders;
        }
        assert!(Instant::now() < until, "orders are left pending");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Payments in the provider's own books, each of which took one order's money once.
async fn sandbox_books(data: &DataDir) -> usize {
    let path = data.path().join("sandbox.db");
    let ledger = SqliteJournal::open_read_only(&path, journal::Options::default()).unwrap();
    let reader = LedgerReader::new(Arc::new(ledger));
    assert_eq!(reader.contradictions().await.unwrap(), Vec::<String>::new());
    let totals = reader.totals().await.unwrap();
    for paid in totals.values() {
        assert_eq!((paid.captured_minor, paid.refunded_minor), (MINOR, 0), "{paid:?}");
    }
    let orders: BTreeSet<_> = totals.values().map(|paid| paid.order_id).collect();
    assert_eq!(orders.len(), totals.len(), "an order was paid for twice");
    totals.len()
}

#[allow(clippy::print_stderr, reason = "how much was proved must be seen")]
fn say(text: &str) {
    eprintln!("{text}");
}
