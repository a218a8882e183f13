//! A disk that fills up: commands are refused, reads go on, and so does everything once there is
//! room again.
//!
//! The disk is a small file system in memory, which only the superuser can mount. Where that is not
//! possible the test says loudly that it checked nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::process::{DataDir, PATIENCE, Server, assert_clean, key};
use crate::shop::{Article, Shop, add, guests_order, pay};

const DISK: &str = "size=24m";

/// A mounted disk, unmounted when dropped.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let words = ["-t", "tmpfs", "-o", DISK, "tillroll-test"];
        let mounted = Command::new("mount").args(words).arg(&at).output();
        let why = match mounted {
            Ok(done) if done.status.success() => return Some(Self { at }),
            Ok(done) => String::from_utf8_lossy(&done.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        say(&format!("NOT CHECKED: a full disk; no small disk can be mounted here ({why})"));
        None
    }

    /// Leaves no room at all.
    fn fill(&self) -> PathBuf {
        let path = self.at.join("ballast");
        let mut ballast = fs::File::create(&path).unwrap();
        for size in [64 * 1_024, 4_096, 1] {
            while ballast.write_all(&vec![0x55; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a failed test leaves no mount behind either.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_commands_serves_reads_and_is_over_when_there_is_room() {
    let data = DataDir::new();
    let Some(disk) = SmallDisk::mount(data.beside("disk")) else { return };
    let path = disk.at.join("shop");
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let server = Server::start_logging(&path, &data.beside("serve.log"));
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let article = shop.article(&server, 1_999, 1_000).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    let placed = pay(&mut guest, &guests_order("tok_ok"), "before").await.is(201);
    let order = format!("/orders/{}", placed.id("order_id"));
    let mut admin = shop.admin(&server).await;

    let ballast = disk.fill();
    let receipt = format!("/inventory/{}/receipts", article.sku_id);
    let body = json!({"warehouse_id": shop.warehouse_id, "quantity": 1});
    let mut received = 1_000;
    // What was reserved before the disk was full is used up first.
    let refused = loop {
        let answer = admin.post(&receipt, body.clone()).await;
        if answer.status != 200 {
            break answer;
        }
        received += 1;
        assert!(received < 50_000, "a full disk takes everything");
    };
    let refused = refused.refused(503, "disk_full");
    assert!(!refused.header("retry-after").is_empty());
    add_is_refused(&mut guest, &article.sku_id).await;
    // Reads are answered, of the journal and of the read models, and the process is alive.
    assert_eq!(admin.get(&order).await.is(200).body["status"], "confirmed");
    admin.get("/products").await.is(200);
    admin.get(&format!("{order}/history")).await.is(200);
    admin.get(&format!("{order}?at=2999-01-01T00:00:00Z")).await.is(200);
    admin.get("/healthz").await.is(200);
    let ready = admin.get("/readyz").await.refused(503, "not_ready");
    assert!(ready.text.contains("the disk is full"), "{}", ready.text);

    fs::remove_file(ballast).unwrap();
    until_ready(&mut admin).await;
    admin.post(&receipt, body).await.is(200);
    received += 1;
    let stock = admin.get(&format!("/inventory/{}", article.sku_id)).await.is(200);
    assert_eq!(stock.body["available"], received - 1, "refused is refused: {}", stock.text);
    add(&mut guest, &article, 1).await;
    let placed = pay(&mut guest, &guests_order("tok_ok"), "after").await.is(201);
    let position = placed.header("tillroll-position");
    let seen = [("tillroll-min-position", position.as_str())];
    let order = format!("/orders/{}", placed.id("order_id"));
    assert_eq!(admin.get_with(&order, &seen).await.is(200).body["status"], "confirmed");
    assert!(server.stop().success());
    assert_clean(&path);
}

#[tokio::test]
async fn orders_that_met_a_full_disk_are_whole_or_not_there_and_their_repeats_go_through() {
    let data = DataDir::new();
    let Some(disk) = SmallDisk::mount(data.beside("disk")) else { return };
    let path = disk.at.join("shop");
    let (admin_key, storefront_key) = (key(&path, "admin"), key(&path, "storefront"));
    let server = Server::start_logging(&path, &data.beside("serve.log"));
    let shop = Shop::set_up(&server, admin_key, storefront_key).await;
    let article = shop.article(&server, 1_999, 1_000_000).await;
    let (shop, server, article) = (&shop, &server, &article);
    let bought = AtomicI64::new(0);
    let buyers = (0..6).map(|buyer| buy_until_refused(shop, server, article, buyer, &bought));
    // In the middle of everybody's work.
    let filling = async {
        while bought.load(Ordering::Relaxed) < 12 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        disk.fill()
    };
    let (refused, ballast) = tokio::join!(join_all(buyers), filling);
    fs::remove_file(ballast).unwrap();
    let mut admin = shop.admin(server).await;
    until_ready(&mut admin).await;

    let mut confirmed = bought.load(Ordering::Relaxed);
    for (session, key) in refused.into_iter().flatten() {
        let guest = shop.storefront(server).await;
        let mut guest = guest.with("tillroll-session", session);
        pay(&mut guest, &guests_order("tok_ok"), &key).await.is(201);
        confirmed += 1;
    }
    // The read models met the full disk too, each at its own moment, and are tried again later.
    let until = Instant::now() + PATIENCE;
    loop {
        let pending = admin.get("/orders?status=pending").await.is(200);
        let stock = admin.get(&format!("/inventory/{}", article.sku_id)).await.is(200);
        let settled = pending.body["orders"] == json!([]);
        if settled && stock.body["available"] == 1_000_000 - confirmed {
            break;
        }
        let seen = format!("pending {}, stock {}", pending.text, stock.text);
        assert!(Instant::now() < until, "{confirmed} orders confirmed, yet {seen}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_clean(&path);
}

/// Session and idempotency key of the order that got no answer, if there was one.
async fn buy_until_refused(
    shop: &Shop,
    server: &Server,
    article: &Article,
    buyer: u32,
    bought: &AtomicI64,
) -> Option<(String, String)> {
    let body = json!({"sku_id": article.sku_id, "quantity": 1});
    for number in 0.. {
        let mut guest = shop.storefront(server).await;
        let added = guest.post("/cart/items", body.clone()).await;
        if added.status != 201 {
            added.refused(503, "disk_full");
            return None;
        }
        let (session, key) = (added.header("tillroll-session"), format!("{buyer}-{number}"));
        let mut guest = guest.with("tillroll-session", session.clone());
        let paid = pay(&mut guest, &guests_order("tok_ok"), &key).await;
        match paid.status {
            201 => bought.fetch_add(1, Ordering::Relaxed),
            // Placed, but what the provider says of it cannot be written down for now.
            202 => return Some((session, key)),
            _ => {
                paid.refused(503, "disk_full");
                return Some((session, key));
            }
        };
    }
    None
}

async fn add_is_refused(guest: &mut crate::client::Client, sku_id: &str) {
    let body = json!({"sku_id": sku_id, "quantity": 1});
    guest.post("/cart/items", body).await.refused(503, "disk_full");
}

async fn until_ready(client: &mut crate::client::Client) {
    let until = Instant::now() + PATIENCE;
    loop {
        let ready = client.get("/readyz").await;
        if ready.status == 200 {
            return;
        }
        assert!(Instant::now() < until, "never ready again: {}", ready.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn a_shop_is_not_opened_half_on_a_disk_without_room() {
    let data = DataDir::new();
    let Some(disk) = SmallDisk::mount(data.beside("disk")) else { return };
    let ballast = disk.fill();
    let path = disk.at.join("shop");
    let refused = crate::process::run(&path, &["serve", "--listen", "127.0.0.1:0"]).exits(3);
    refused.complains_of(&["full"]);
    fs::remove_file(ballast).unwrap();
    let server = Server::start_logging(&path, &data.beside("serve.log"));
    assert!(server.stop().success());
    assert_clean(Path::new(&path));
}

#[allow(clippy::print_stderr, reason = "what a test left out must be seen")]
fn say(text: &str) {
    eprintln!("{text}");
}
