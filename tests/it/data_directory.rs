//! A data directory that is in use, of another version, or not whole: one clear line, and nothing
//! in it is touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use crate::process::{DataDir, Done, Server, assert_clean, run};
use crate::shop::{Shop, add, guests_order, pay};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
/// Commands that read the journal.
const READERS: [&[&str]; 4] =
    [&SERVE, &["verify"], &["rebuild", "--all"], &["replay", "log", "-n", "1"]];

/// A closed shop with one order.
async fn closed_shop() -> DataDir {
    let (data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    assert!(server.stop().success());
    data
}

fn serve_fails(data: &Path) -> Done {
    run(data, &SERVE).exits(3)
}

#[test]
fn a_second_writer_is_turned_away_and_the_first_goes_on() {
    let data = DataDir::new();
    let server = Server::start(&data.path());
    serve_fails(&data.path()).complains_of(&["in use by another writer", "journal.db"]);
    run(&data.path(), &["demo", "--listen", "127.0.0.1:0"]).exits(3).complains_of(&["in use"]);
    let stock = data.beside("stock.csv");
    fs::write(&stock, "sku_ref,warehouse,on_hand\n").unwrap();
    let import = run(&data.path(), &["import", "stock", stock.to_str().unwrap()]).exits(3);
    import.complains_of(&["in use by another writer"]);
    run(&data.path(), &["keys", "rotate-master"])
        .exits(3)
        .complains_of(&["another process has the key store open"]);
    assert!(server.stop().success());
    assert_clean(&data.path());
}

#[tokio::test]
async fn a_journal_of_a_newer_format_is_left_to_a_newer_program() {
    let data = closed_shop().await;
    let path = data.path().join("journal.db");
    let file = Connection::open(&path).unwrap();
    assert_eq!(file.execute("UPDATE meta SET value = 99 WHERE name = 'format'", []).unwrap(), 1);
    file.close().unwrap();
    let before = fs::read(&path).unwrap();
    for words in READERS {
        let refused = run(&data.path(), words).exits(3);
        refused.complains_of(&["format 99", "use a newer tillroll"]);
    }
    assert!(before == fs::read(&path).unwrap(), "the journal was changed");
}

#[test]
fn a_file_that_is_no_journal_is_left_untouched() {
    let data = DataDir::new();
    let path = data.path().join("journal.db");
    fs::create_dir_all(data.path()).unwrap();
    let text = "Dear diary, ".repeat(1_000).into_bytes();
    let other = {
        let file = Connection::open(data.beside("other.db")).unwrap();
        file.execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')").unwrap();
        file.close().unwrap();
        fs::read(data.beside("other.db")).unwrap()
    };
    for content in [text, other] {
        fs::write(&path, &content).unwrap();
        for words in READERS {
            run(&data.path(), words).exits(3).complains_of(&["journal.db"]);
        }
        assert!(content == fs::read(&path).unwrap(), "the file was changed");
    }
}

#[test]
fn commands_that_only_read_make_no_directory() {
    let data = DataDir::new();
    for words in &READERS[1..] {
        run(&data.path(), words).exits(3).complains_of(&["journal.db"]);
        assert!(!data.path().exists(), "{words:?} made the directory");
    }
}

#[tokio::test]
async fn without_the_keys_to_its_personal_data_a_shop_is_not_opened() {
    let data = closed_shop().await;
    let (keys, master) = (data.path().join("keys.db"), data.path().join("master.key"));
    let (keys_kept, master_kept) = (data.beside("keys.db"), data.beside("master.key"));

    fs::rename(&master, &master_kept).unwrap();
    serve_fails(&data.path()).complains_of(&["no master key", "master.key", "restore it"]);
    assert!(!master.exists(), "a new master key hides the loss of the old one");
    let write = |text: &str| {
        fs::write(&master, text).unwrap();
        fs::set_permissions(&master, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("not a key\n");
    serve_fails(&data.path()).complains_of(&["master key", "base64"]);
    write("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n");
    serve_fails(&data.path()).complains_of(&["under master key"]);
    fs::rename(&master_kept, &master).unwrap();

    fs::rename(&keys, &keys_kept).unwrap();
    serve_fails(&data.path()).complains_of(&["keys.db", "restore it"]);
    assert!(!keys.exists(), "an empty key store hides the loss of the old one");
    fs::rename(&keys_kept, &keys).unwrap();

    let server = Server::start(&data.path());
    assert!(server.stop().success());
    assert_clean(&data.path());
}

#[tokio::test]
async fn what_is_only_derived_may_be_deleted() {
    let data = closed_shop().await;
    for name in ["snapshots.db", "agenda.db"] {
        fs::remove_file(data.path().join(name)).unwrap();
    }
    fs::remove_dir_all(data.path().join("read-models")).unwrap();
    let server = Server::start(&data.path());
    assert!(server.stop().success());
    assert_clean(&data.path());
}
