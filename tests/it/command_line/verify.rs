//! `tillroll verify` over directories that were tampered with.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::Connection;

use crate::process::{DataDir, assert_clean, run};
use crate::shop::{Shop, add, guests_order, pay};

async fn closed_shop() -> DataDir {
    let (data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 100).await;
    for _ in 0..10 {
        let mut guest = shop.storefront(&server).await;
        let session = add(&mut guest, &article, 1).await.header("tillroll-session");
        let mut guest = guest.with("tillroll-session", session);
        pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    }
    assert!(server.stop().success());
    data
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x20], at).unwrap();
}

#[tokio::test]
async fn a_flipped_byte_in_the_journal_is_found_and_placed_unless_nobody_ever_reads_it() {
    let data = closed_shop().await;
    let path = data.path().join("journal.db");
    let log = || run(&data.path(), &["replay", "log"]);
    let told = log().exits(0).out;
    let whole = fs::read(&path).unwrap();
    let (mut found, mut unread) = (0, 0);
    // Past the head of the file, which is not the events' and is known by other means.
    for place in 1..=16 {
        flip(&path, whole.len() as u64 * place / 17 + 7);
        let verified = run(&data.path(), &["verify", "--quick"]);
        match verified.code {
            Some(0) => {
                assert_eq!(log().exits(0).out, told, "a change that nobody finds");
                unread += 1;
            }
            Some(1) => {
                assert!(verified.out.contains("BROKEN"), "{}", verified.out);
                assert!(verified.out.contains("position "), "{}", verified.out);
                found += 1;
            }
            Some(3) => {
                verified.complains_of(&["corrupt"]);
                found += 1;
            }
            other => panic!("{other:?}: {}{}", verified.out, verified.err),
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(found >= 4, "found {found}, {unread} in free space");
    assert_clean(&data.path());
}

#[tokio::test]
async fn a_row_changed_behind_the_engines_back_is_found() {
    let data = closed_shop().await;
    let models = data.path().join("read-models");
    let file = fs::read_dir(&models).unwrap().map(|entry| entry.unwrap().path());
    let stock = file.filter(|path| path.extension().is_some_and(|ext| ext == "db")).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("frequently"))
    });
    let file = Connection::open(stock.unwrap()).unwrap();
    let table: String = file
        .query_row(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%orders%' LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let changed = file.execute(&format!("UPDATE {table} SET orders = orders + 1"), []).unwrap();
    assert!(changed > 0);
    file.close().unwrap();
    let found = run(&data.path(), &["verify", "--json"]).exits(1).json();
    let laws = found["laws"].as_array().unwrap();
    let broken: Vec<&str> = laws
        .iter()
        .filter(|law| law["violation_count"] != 0)
        .map(|law| law["name"].as_str().unwrap())
        .collect();
    assert_eq!(broken, ["read_models"]);
    run(&data.path(), &["verify", "--quick"]).exits(0);
    run(&data.path(), &["rebuild", "frequently_bought_together", "--compare"]).exits(1);
    assert_clean(&data.path());
}

#[tokio::test]
async fn money_the_provider_does_not_know_of_is_found() {
    let data = closed_shop().await;
    let ledger = data.path().join("sandbox.db");
    let kept = fs::read(&ledger).unwrap();
    for name in ["sandbox.db", "sandbox.db-wal", "sandbox.db-shm"] {
        let _ = fs::remove_file(data.path().join(name));
    }
    let other = closed_shop().await;
    fs::copy(other.path().join("sandbox.db"), &ledger).unwrap();
    let found = run(&data.path(), &["verify"]).exits(1);
    assert!(found.out.contains("BROKEN  provider"), "{}", found.out);
    assert!(found.out.contains("payment-"), "{}", found.out);
    fs::write(&ledger, kept).unwrap();
    assert_clean(&data.path());
}
