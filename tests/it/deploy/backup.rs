//! A backup made beside an engine that sells, as the operator's guide has it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::process::{DataDir, PATIENCE, Server, assert_clean, run};
use crate::shop::{Article, Shop, add, guests_order, pay};

/// What the guide runs `sqlite3` for.
fn copy(from: &Path, to: &Path) {
    let connection = Connection::open(from).unwrap();
    connection.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

/// One order; answers its id.
async fn sell(shop: &Shop, server: &Server, article: &Article, name: &str) -> String {
    let mut guest = shop.storefront(server).await;
    let session = add(&mut guest, article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    pay(&mut guest, &guests_order("tok_ok"), name).await.is(201).id("order_id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_beside_a_running_engine_is_whole() {
    let (data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10_000).await;
    let mut sold = Vec::new();
    for number in 0..20 {
        sold.push(sell(&shop, &server, &article, &format!("before-{number}")).await);
    }
    let backup = data.beside("backup");
    fs::create_dir(&backup).unwrap();
    let (from, to) = (data.path(), backup.clone());
    let copying = tokio::task::spawn_blocking(move || {
        // In this order: books and keys may be newer than the journal, never older.
        for file in ["journal.db", "sandbox.db", "keys.db"] {
            copy(&from.join(file), &to.join(file));
        }
    });
    let mut after = 0;
    while after < 20 || !copying.is_finished() {
        sell(&shop, &server, &article, &format!("after-{after}")).await;
        after += 1;
    }
    copying.await.unwrap();
    let checked = run(&backup, &["verify", "--quick"]).exits(0);
    assert!(checked.out.contains("clean: "), "{}", checked.out);

    // Restored beside what has seen more, which notices by itself.
    for file in ["master.key", "secrets.json", "api-keys.json"] {
        fs::copy(data.path().join(file), backup.join(file)).unwrap();
    }
    assert!(server.stop().success());
    for file in ["snapshots.db", "agenda.db"] {
        fs::copy(data.path().join(file), backup.join(file)).unwrap();
    }
    fs::rename(data.path().join("read-models"), backup.join("read-models")).unwrap();
    let restored = Server::start(&backup);
    let mut admin = shop.admin(&restored).await;
    for order in &sold {
        let until = Instant::now() + PATIENCE;
        let seen = loop {
            let seen = admin.get(&format!("/orders/{order}")).await;
            // Read models that had seen more are built anew first.
            if seen.status != 404 || Instant::now() > until {
                break seen.is(200);
            }
        };
        assert_eq!(seen.body["status"], "confirmed", "{}", seen.text);
        assert_eq!(seen.body["contact"]["name"], "Ada Byron", "{}", seen.text);
    }
    sell(&shop, &restored, &article, "restored").await;
    assert!(restored.stop().success());
    assert_clean(&backup);
    drop::<DataDir>(data);
}
