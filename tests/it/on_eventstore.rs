//! A shop whose journal is in EventStoreDB, which a double stands in for unless
//! `TILLROLL_TEST_ESDB_URL` names a server.

use test_servers::eventstore::Double;
use uuid::Uuid;

use crate::process::{DataDir, Server, command, finish, key};
use crate::shop::{Shop, add, guests_order, pay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_on_eventstoredb_sells_stops_and_goes_on() {
    let stream = format!("shop-{}", Uuid::now_v7());
    let (_double, url) = match std::env::var("TILLROLL_TEST_ESDB_URL") {
        Ok(given) => {
            let next = if given.contains('?') { '&' } else { '?' };
            (None, format!("{given}{next}stream={stream}"))
        }
        Err(_) => {
            let double = Double::start();
            let url = double.url(&stream);
            (Some(double), url)
        }
    };
    let data = DataDir::new();
    let path = data.path();
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let stores = ["--journal", url.as_str()];
    let words = |words: &[&str]| finish(&mut command(&path, &[words, &stores[..]].concat()));

    let server = Server::start_with(&path, &stores);
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let article = shop.article(&server, 1_999, 10).await;
    let order = guests_order("tok_ok");
    let mut placed = Vec::new();
    for number in 0..4 {
        let mut guest = shop.storefront(&server).await;
        let session = add(&mut guest, &article, 1).await.header("tillroll-session");
        let mut guest = guest.with("tillroll-session", session);
        let answer = pay(&mut guest, &order, &format!("{number}")).await.is(201);
        assert_eq!(answer.body["status"], "confirmed", "{}", answer.text);
        placed.push(answer.id("order_id"));
    }
    // Beside the running node, which has the mirror.
    let story = words(&["replay", "order", &placed[0]]).exits(0);
    assert!(story.out.contains("order confirmed"), "{}", story.out);
    server.kill();

    // What the node kept can go: all of it is in the log.
    std::fs::remove_file(path.join("journal-mirror.db")).unwrap();
    let server = Server::start_with(&path, &stores);
    let mut admin = shop.admin(&server).await;
    for order_id in &placed {
        let seen = admin.get(&format!("/orders/{order_id}")).await;
        assert!(matches!(seen.status, 200 | 503), "{}", seen.text);
    }
    assert!(server.stop().success());
    let verified = words(&["verify"]).exits(0);
    assert!(verified.out.contains("clean: "), "{}", verified.out);

    // From there into files, with every position.
    let moved = DataDir::new();
    std::fs::create_dir_all(moved.path()).unwrap();
    let there = moved.path();
    words(&["journal", "copy", &url, there.to_str().unwrap()]).exits(0);
    for file in ["keys.db", "master.key", "secrets.json", "api-keys.json"] {
        std::fs::copy(path.join(file), there.join(file)).unwrap();
    }
    crate::process::assert_clean(&there);
}
