//! What an operator finds out.

use serde_json::{Value, json};

use super::shop::{Ask, Shop, now};

#[actix_web::test]
async fn a_webhook_that_waits_for_its_order_is_listed() {
    let shop = Shop::open().await;
    let none = shop.ask("support", "GET /admin/webhooks/parked", Value::Null).await.is(200);
    assert_eq!(none.body["webhooks"], json!([]));
    let order = uuid::Uuid::now_v7();
    let body =
        json!({"type": "payment.captured", "data": {"order_id": order, "key": "k"}}).to_string();
    let signed = shop.secrets.sign("msg_9", now(), body.as_bytes());
    let headers =
        signed.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let (method, path, media) = ("POST", "/webhooks/payment", "application/json");
    shop.send(Ask { method, path, bearer: None, headers, body: Some(body), media }).await.is(200);
    // The agenda reads the journal when it comes round to it.
    let listed = loop {
        let list = shop.ask("support", "GET /admin/webhooks/parked", Value::Null).await.is(200);
        match list.body["webhooks"].as_array().unwrap().first() {
            Some(webhook) => break webhook.clone(),
            None => actix_web::rt::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    };
    assert_eq!(
        (&listed["provider"], &listed["message_id"], &listed["event_type"]),
        (&json!("sandbox"), &json!("msg_9"), &json!("payment.captured"))
    );
    assert_eq!(listed["order_id"], order.to_string());
    assert!(listed["reason"].as_str().unwrap().contains("not on record"), "{listed}");
    let metrics = shop.ask("admin", "GET /metrics", Value::Null).await.is(200).text;
    assert!(metrics.contains("\ntillroll_webhooks_parked 1\n"), "{metrics}");
    shop.ask("storefront", "GET /admin/webhooks/parked", Value::Null).await.is(403);
}
