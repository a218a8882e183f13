//! `tillroll journal copy`: a shop moves into PostgreSQL and out again.

use test_servers::postgres;

use crate::process::{DataDir, run};
use crate::shop::{Shop, add};

#[tokio::test]
async fn a_shop_goes_into_postgresql_and_out_again_with_the_sandbox_and_stays_whole() {
    let (data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 5).await;
    let customer = shop.customer(&server, "tok_ok").await;
    let mut shopper = shop.shopper(&server, &customer).await;
    add(&mut shopper, &article, 2).await;
    shopper.post("/orders", customer.order.clone()).await.is(201);
    let shop_dir = server.data.clone();
    // Beside a running engine all that is there so far is copied.
    let url = postgres::database().await;
    let from = shop_dir.display().to_string();
    let first = run(&shop_dir, &["journal", "copy", &from, &url, "--json"]).exits(0);
    let first = first.json_lines();
    assert!(server.stop().success());
    let copied = run(&shop_dir, &["journal", "copy", &from, &url, "--json"]).exits(0).json_lines();
    assert_eq!(copied[0]["copied"], "journal");
    assert_eq!(copied[1]["copied"], "sandbox");
    assert_eq!(copied[0]["found"], first[0]["events"], "it goes on where the first run ended");
    assert_eq!(copied[0]["since"], 0);

    let moved = data.beside("moved");
    std::fs::create_dir(&moved).unwrap();
    let to = moved.display().to_string();
    let told = run(&moved, &["journal", "copy", &url, &to]).exits(0);
    let digest = copied[0]["sha256"].as_str().unwrap();
    assert!(told.out.contains(digest) && told.out.contains("sandbox"), "{}", told.out);
    let log = |data: &std::path::Path, more: &[&str]| {
        run(data, &[&["replay", "log"], more].concat()).exits(0).out
    };
    let before = log(&shop_dir, &[]);
    assert_eq!(log(&moved, &[]), before);
    assert_eq!(log(&moved, &["--journal", &url]), before);
    run(&moved, &["verify"]).exits(0);
    let names: Vec<_> = std::fs::read_dir(&moved)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert_eq!(names, Vec::<String>::new(), "what was on the way is in its place");
}

#[tokio::test]
async fn what_cannot_be_copied_says_why_and_shows_no_password() {
    let (_data, server, _shop) = Shop::open().await;
    let data = server.data.clone();
    assert!(server.stop().success());
    let from = data.display().to_string();
    run(&data, &["journal", "copy", &from, &from]).exits(3).complains_of(&["target is the source"]);
    let other = DataDir::new();
    std::fs::create_dir(other.path()).unwrap();
    let elsewhere = other.path().display().to_string();
    run(&data, &["journal", "copy", &elsewhere, &from]).exits(3).complains_of(&["no journal at"]);
    let refused = run(&data, &["journal", "copy", &from, "postgres://me:s3cret@127.0.0.1:1/x"]);
    assert!(!refused.err.contains("s3cret"), "{}", refused.err);
    refused.exits(3).complains_of(&["nobody listens at 127.0.0.1:1/x"]);
    let (_other, another, _) = Shop::open().await;
    let to = another.data.display().to_string();
    assert!(another.stop().success());
    run(&data, &["journal", "copy", &from, &to]).exits(3).complains_of(&["another journal"]);
}
