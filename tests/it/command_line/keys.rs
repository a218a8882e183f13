//! `tillroll keys`, and who gets in with one.

use serde_json::json;

use crate::client::Client;
use crate::process::{DataDir, Server, assert_clean, key, run};
use crate::shop::Shop;

#[tokio::test]
async fn a_key_is_in_force_from_its_making_to_its_revocation_beside_a_running_server() {
    let data = DataDir::new();
    let server = Server::start(&data.path());
    let made = run(&data.path(), &["keys", "create", "--role", "admin", "--json"]).exits(0).json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let mut admin = Client::bearing(&server.address, secret).await;
    until_answered(&mut admin, 200).await;

    let listed = run(&data.path(), &["keys", "list", "--json"]).exits(0);
    assert!(!listed.out.contains(secret), "a secret is shown once");
    let listed = listed.json_lines();
    assert_eq!((listed[0]["id"].as_str(), listed[0]["role"].as_str()), (Some(id), Some("admin")));
    let told = run(&data.path(), &["keys", "list"]).exits(0);
    assert!(told.out.contains("in force"), "{}", told.out);

    run(&data.path(), &["keys", "revoke", id]).exits(0);
    until_answered(&mut admin, 401).await;
    let told = run(&data.path(), &["keys", "list"]).exits(0);
    assert!(told.out.contains("revoked"), "{}", told.out);
    run(&data.path(), &["keys", "revoke", "nobody"]).exits(3).complains_of(&["nobody"]);
    assert!(server.stop().success());
}

#[tokio::test]
async fn a_key_opens_only_what_its_role_may_do() {
    let (_data, server, _shop) = Shop::open().await;
    let seller = ["keys", "create", "--role", "seller"];
    run(&server.data, &seller).exits(3).complains_of(&["seller"]);
    let support = key(&server.data, "support");
    let mut support = Client::bearing(&server.address, &support).await;
    until_answered(&mut support, 200).await;
    let body = json!({"name": "South", "rank": 2});
    support.post("/warehouses", body).await.refused(403, "forbidden");
    let expired =
        ["keys", "create", "--role", "admin", "--expires", "2020-01-01T00:00:00Z", "--json"];
    let expired = run(&server.data, &expired);
    if expired.code == Some(0) {
        let secret = expired.json()["key"].as_str().unwrap().to_owned();
        Client::bearing(&server.address, &secret).await.get("/orders").await.is(401);
    }
    assert!(server.stop().success());
}

/// A running server looks at the key file now and then.
async fn until_answered(client: &mut Client, status: u16) {
    let until = std::time::Instant::now() + crate::process::PATIENCE;
    loop {
        let answer = client.get("/orders").await;
        if answer.status == status {
            return;
        }
        assert!(std::time::Instant::now() < until, "still {}", answer.status);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_new_master_key_opens_what_was_sealed_under_the_old_one() {
    let (_data, server, shop) = Shop::open().await;
    let data = server.data.clone();
    let customer = shop.customer(&server, "tok_ok").await;
    assert!(server.stop().success());
    let before = std::fs::read(data.join("master.key")).unwrap();
    run(&data, &["keys", "rotate-master"]).exits(0);
    assert_ne!(std::fs::read(data.join("master.key")).unwrap(), before);

    let server = Server::start(&data);
    let mut admin = shop.admin(&server).await;
    let read = admin.get(&format!("/customers/{}", customer.id)).await.is(200);
    assert_eq!(read.body["contact"]["email"], "ada@example.com");
    assert!(server.stop().success());
    assert_clean(&data);
}
