//! What goes wrong in the peers measured beside this engine, tried here: each must not happen.

use serde_json::json;

use crate::connection::{Answer, Connection};
use crate::flash_sale::{carts, guest_order};
use crate::seed::{Shop, add_sku};

pub(crate) async fn run(address: &str, shop: &Shop) {
    burst(address, shop, 200, 200).await;
    burst(address, shop, 200, 8).await;
    doubled_call(address, shop, 25).await;
    crossed_carts(address, shop, 48).await;
}

async fn place(address: &str, shop: &Shop, session: &str, key: &str) -> Answer {
    let mut link = Connection::open(address).await;
    let headers = [
        ("authorization", shop.storefront.as_str()),
        ("tillroll-session", session),
        ("idempotency-key", key),
    ];
    link.post("/orders", &headers, guest_order("peer", 1)).await
}

async fn burst(address: &str, shop: &Shop, buyers: usize, at_once: usize) {
    let mut link = Connection::open(address).await;
    let sku_id = add_sku(&mut link, shop, &shop.product_ids[1], 50).await;
    let sessions = carts(address, shop, &sku_id, buyers).await;
    let (mut sold, mut refused) = (0, 0);
    for some in sessions.chunks(at_once) {
        let answers = futures::future::join_all(
            some.iter().map(|session| place(address, shop, session, session)),
        )
        .await;
        for answer in answers {
            match answer.status.as_u16() {
                201 => sold += 1,
                409 => refused += 1,
                other => panic!("{other}: {}", String::from_utf8_lossy(&answer.body)),
            }
        }
    }
    println!(
        "burst: stock 50, {buyers} buyers, {at_once} at a time: {sold} sold, {refused} refused"
    );
    assert_eq!((sold, refused), (50, buyers - 50));
}

async fn doubled_call(address: &str, shop: &Shop, times: usize) {
    let mut link = Connection::open(address).await;
    let sku_id = add_sku(&mut link, shop, &shop.product_ids[2], 1_000).await;
    let sessions = carts(address, shop, &sku_id, times).await;
    let mut same = 0;
    for session in &sessions {
        let twins = futures::future::join(
            place(address, shop, session, session),
            place(address, shop, session, session),
        );
        let (one, other) = twins.await;
        let again = place(address, shop, session, session).await;
        let orders = [one.id("order_id"), other.id("order_id"), again.id("order_id")];
        assert!(one.replayed != other.replayed && again.replayed);
        same += usize::from(orders.iter().all(|order| *order == orders[0]));
    }
    println!(
        "the same order call twice at once, then repeated: {same} of {times} one order and one answer"
    );
    assert_eq!(same, times);
}

async fn crossed_carts(address: &str, shop: &Shop, buyers: usize) {
    let mut link = Connection::open(address).await;
    let one = add_sku(&mut link, shop, &shop.product_ids[3], 1_000).await;
    let other = add_sku(&mut link, shop, &shop.product_ids[4], 1_000).await;
    let mut sessions = carts(address, shop, &one, buyers / 2).await;
    let backwards = carts(address, shop, &other, buyers - buyers / 2).await;
    let second = [vec![&other; sessions.len()], vec![&one; backwards.len()]].concat();
    sessions.extend(backwards);
    for (session, sku_id) in sessions.iter().zip(second) {
        let by =
            [("authorization", shop.storefront.as_str()), ("tillroll-session", session.as_str())];
        let body = json!({"sku_id": sku_id, "quantity": 1});
        assert!(link.post("/cart/items", &by, body).await.status.is_success());
    }
    let answers = futures::future::join_all(
        sessions.iter().map(|session| place(address, shop, session, session)),
    )
    .await;
    let placed = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    println!(
        "carts with the same two SKUs in opposite order, at once: {placed} of {buyers} placed"
    );
    assert_eq!(placed, buyers);
}
