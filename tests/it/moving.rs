//! A shop moves from its files to PostgreSQL and to nodes there, and nothing is different.

use std::time::Instant;

use test_servers::postgres;

use crate::process::{DataDir, PATIENCE, Server, assert_clean, command, finish, run};
use crate::shop::{Shop, add, guests_order, pay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_to_postgresql_with_all_it_has() {
    let (data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 100).await;
    let mut last = None;
    for number in 0..20 {
        let mut guest = shop.storefront(&server).await;
        let session = add(&mut guest, &article, 1).await.header("tillroll-session");
        let mut guest = guest.with("tillroll-session", session);
        let token = if number % 4 == 3 { "tok_decline" } else { "tok_ok" };
        let answer = pay(&mut guest, &guests_order(token), &format!("guest-{number}")).await;
        if token == "tok_ok" {
            last = Some(answer.is(201));
        }
    }
    let last = last.unwrap();
    assert!(server.stop().success());

    let url = postgres::database().await;
    let from = data.path();
    let words = |words: &[&str]| finish(&mut command(&from, words));
    words(&["journal", "copy", from.to_str().unwrap(), &url]).exits(0);
    let stores = ["--journal", &url, "--read-models", &url];
    words(&[&["migrate"], &stores[..]].concat()).exits(0);
    words(&[&["keys", "copy"], &stores[..]].concat()).exits(0);
    // Row by row: the files that served until now, against rows folded from PostgreSQL.
    let files = words(&["verify", "--journal", &url]).exits(0);
    assert!(files.out.contains("clean: "), "{}", files.out);

    let server = Server::start_with(&from, &stores);
    let mut admin = shop.admin(&server).await;
    // A position from before the move means the same after it.
    let seen = [("tillroll-min-position", last.header("tillroll-position"))];
    let seen = [(seen[0].0, seen[0].1.as_str())];
    let path = format!("/orders/{}", last.id("order_id"));
    let until = Instant::now() + PATIENCE;
    let order = loop {
        let order = admin.get_with(&path, &seen).await;
        // The rows in PostgreSQL are folded from the first event on.
        if order.status != 503 || Instant::now() > until {
            break order.is(200);
        }
    };
    assert_eq!(order.body["status"], "confirmed");
    assert_eq!(order.body["contact"]["name"], "Ada Byron", "{}", order.text);
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    pay(&mut guest, &guests_order("tok_ok"), "after").await.is(201);
    // And the rows in PostgreSQL, against rows folded into files; also while the server is at it.
    let shared = words(&[&["verify"], &stores[..]].concat()).exits(0);
    assert!(shared.out.contains("clean: "), "{}", shared.out);
    assert!(server.stop().success());
    let rebuilt = words(&[&["rebuild", "--all", "--compare"], &stores[..]].concat()).exits(0);
    assert_eq!(rebuilt.out.matches("every row as it was").count(), 9, "{}", rebuilt.out);

    // And back: what was sold there is here.
    let back = DataDir::new();
    std::fs::create_dir_all(back.path()).unwrap();
    let there = back.path();
    run(&there, &["journal", "copy", &url, there.to_str().unwrap()]).exits(0);
    for file in ["keys.db", "master.key", "secrets.json", "api-keys.json"] {
        std::fs::copy(from.join(file), there.join(file)).unwrap();
    }
    run(&there, &["rebuild", "--all"]).exits(0);
    assert_clean(&there);
}
