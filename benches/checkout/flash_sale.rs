//! One SKU, many buyers: exactly what there is gets sold, the rest is refused at once.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use serde_json::json;

use crate::connection::Connection;
use crate::seed::{Shop, add_sku};

/// Connections the buyers share; each carries one request at a time.
const CONNECTIONS: usize = 128;

pub(crate) async fn run(address: &str, shop: &Shop, buyers: usize) {
    let units = buyers / 2;
    let mut link = Connection::open(address).await;
    let sku_id = add_sku(&mut link, shop, &shop.product_ids[0], units as u32).await;
    let sessions = carts(address, shop, &sku_id, buyers).await;
    let Rush { sold, refused, seconds, last_sale_s } = rush(address, shop, &sessions).await;
    println!(
        "flash sale: {buyers} buyers, {units} units: {sold} reserved (respond-async), {refused} \
         refused, in {seconds:.2} s; {:.0} successful reservations/s, {:.0} answers/s",
        sold as f64 / last_sale_s,
        buyers as f64 / seconds,
    );
    assert_eq!(sold, units, "sold must be exactly what there was");
    assert_eq!(refused, buyers - units);
}

struct Rush {
    sold: usize,
    refused: usize,
    seconds: f64,
    last_sale_s: f64,
}

pub(crate) fn guest_order(prefix: &str, number: usize) -> serde_json::Value {
    json!({
        "email": format!("{prefix}{number}@example.com"), "name": format!("Buyer {number}"),
        "shipping_address": {
            "recipient": format!("Buyer {number}"), "lines": ["1 High Street"], "city": "Leeds",
            "postcode": "LS1 1AA", "country": "GB",
        },
        "payment": {"provider": "sandbox", "token": "tok_ok"},
    })
}

/// A guest cart with one unit for each buyer; returns their session tokens.
pub(crate) async fn carts(address: &str, shop: &Shop, sku: &str, buyers: usize) -> Vec<String> {
    let sessions = Rc::new(RefCell::new(Vec::with_capacity(buyers)));
    let each = buyers.div_ceil(CONNECTIONS);
    let fill = (0..CONNECTIONS).map(|_| {
        let sessions = Rc::clone(&sessions);
        async move {
            let mut link = Connection::open(address).await;
            for _ in 0..each {
                if sessions.borrow().len() >= buyers {
                    return;
                }
                let by = [("authorization", shop.storefront.as_str())];
                let body = json!({"sku_id": sku, "quantity": 1});
                let added = link.post("/cart/items", &by, body).await;
                assert!(added.status.is_success(), "{}", String::from_utf8_lossy(&added.body));
                sessions.borrow_mut().push(added.session.unwrap());
            }
        }
    });
    futures::future::join_all(fill).await;
    let mut sessions = sessions.take();
    sessions.truncate(buyers);
    sessions
}

async fn rush(address: &str, shop: &Shop, sessions: &[String]) -> Rush {
    let done = Rc::new(RefCell::new(Rush { sold: 0, refused: 0, seconds: 0.0, last_sale_s: 0.0 }));
    let next = Rc::new(RefCell::new(0_usize));
    let mut links = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        links.push(Connection::open(address).await);
    }
    let started = Instant::now();
    let buy = links.into_iter().map(|mut link| {
        let (done, next) = (Rc::clone(&done), Rc::clone(&next));
        async move {
            loop {
                let number = {
                    let mut next = next.borrow_mut();
                    *next += 1;
                    *next - 1
                };
                let Some(session) = sessions.get(number) else { return };
                let key = format!("flash-{session}");
                let headers = [
                    ("authorization", shop.storefront.as_str()),
                    ("tillroll-session", session.as_str()),
                    ("idempotency-key", key.as_str()),
                    ("prefer", "respond-async"),
                ];
                let answer = link.post("/orders", &headers, guest_order("flash", number)).await;
                let mut done = done.borrow_mut();
                match answer.status.as_u16() {
                    201 | 202 => {
                        done.sold += 1;
                        done.last_sale_s = started.elapsed().as_secs_f64();
                    }
                    409 => done.refused += 1,
                    other => panic!("{other}: {}", String::from_utf8_lossy(&answer.body)),
                }
            }
        }
    });
    futures::future::join_all(buy).await;
    let mut done = done.replace(Rush { sold: 0, refused: 0, seconds: 0.0, last_sale_s: 0.0 });
    done.seconds = started.elapsed().as_secs_f64();
    done
}
