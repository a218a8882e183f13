//! `tillroll rebuild` beside a server under load, killed in the middle and gone on with.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::process::{assert_clean, command, run};
use crate::shop::{Shop, add, guests_order, pay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_models_are_rebuilt_beside_a_server_under_load_even_by_a_rebuild_that_is_killed() {
    let (_data, server, shop) = Shop::open().await;
    let data = server.data.clone();
    let article = shop.article(&server, 1_999, 1_000_000).await;
    let (shop, address) = (Arc::new(shop), server.address.clone());
    let (stop, bought) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut shoppers = Vec::new();
    for _ in 0..4 {
        let (shop, article, address) = (Arc::clone(&shop), article.clone(), address.clone());
        let (stop, bought) = (Arc::clone(&stop), Arc::clone(&bought));
        shoppers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let mut guest =
                    crate::client::Client::bearing(&address, &shop.storefront_key).await;
                let session = add(&mut guest, &article, 1).await.header("tillroll-session");
                let mut guest = guest.with("tillroll-session", session);
                pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
                bought.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    while bought.load(Ordering::Relaxed) < 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Killed earlier and later in its work; one that was done already shows nothing.
    let mut killed = 0;
    for milliseconds in [30, 60, 120, 240] {
        let mut rebuild = command(&data, &["rebuild", "--all", "--compare"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        killed += usize::from(rebuild.try_wait().unwrap().is_none());
        rebuild.kill().unwrap();
        rebuild.wait().unwrap();
    }
    assert!(killed > 0, "every rebuild was done before it could be killed");
    let before = bought.load(Ordering::Relaxed);
    let words = ["rebuild", "--all", "--compare", "--json"];
    let done = tokio::task::spawn_blocking({
        let data = data.clone();
        move || run(&data, &words)
    });
    let models = done.await.unwrap().exits(0).json_lines();
    assert_eq!(models.len(), 9, "{models:?}");
    for model in &models {
        assert_eq!((&model["differences"], &model["serves"]), (&0.into(), &true.into()), "{model}");
    }
    assert!(bought.load(Ordering::Relaxed) > before, "the server stood still meanwhile");
    stop.store(true, Ordering::Relaxed);
    for shopper in shoppers {
        shopper.await.unwrap();
    }
    assert!(server.stop().success());
    let retried = run(&data, &["rebuild", "--all", "--parked"]).exits(0);
    assert!(retried.out.contains("0 events are set aside"), "{}", retried.out);
    run(&data, &["rebuild", "orders"]).exits(0);
    assert_clean(&data);
    run(&data, &["rebuild", "orderz"]).exits(3).complains_of(&["orderz", "--list"]);
    let listed = run(&data, &["rebuild", "--list"]).exits(0);
    assert_eq!(listed.out.lines().count(), 11, "{}", listed.out);
}
