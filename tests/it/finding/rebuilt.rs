//! Vectors and suggestions made anew by an operator: through the server, and without one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{Toys, soon};
use crate::client::Client;
use crate::process::{Server, command, run};
use crate::shop::{Article, Shop};

const SOON: Duration = Duration::from_secs(30);
const REBUILD: [&str; 3] = ["rebuild", "recommendations", "--json"];

/// A figure of `/metrics`, with its label.
pub(super) async fn figure(server: &Server, shop: &Shop, name: &str) -> Option<u64> {
    let text = shop.admin(server).await.get("/metrics").await.is(200).text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line?.parse().ok()
}

async fn has_all_vectors(server: &Server, shop: &Shop, products: u64) -> bool {
    let mut seen = Vec::new();
    for of in ["vectors", "similar"] {
        for which in ["up_to_date", "all"] {
            let name = format!("tillroll_search_{of}{{which=\"{which}\"}}");
            seen.push(figure(server, shop, &name).await);
        }
    }
    seen == [Some(products); 4]
}

async fn cups(server: &Server, toys: &Toys) -> Vec<Article> {
    let mut cups = Vec::new();
    for name in ["Red tea cup", "Blue tea cup", "Garden spade", "Garden fork", "Chess clock"] {
        let about = serde_json::json!({"name": name, "base_prices": {"GBP": 500}});
        cups.push(toys.product(server, &about, "any", 10).await);
    }
    cups
}

async fn like(server: &Server, article: &Article) -> Vec<String> {
    let path = format!("/products/{}/similar?limit=4", article.product_id);
    let answer = Client::nobody(&server.address).await.get(&path).await.is(200);
    let similar = answer.body["similar"].as_array().unwrap();
    similar.iter().map(|one| one["product"]["product_id"].to_string()).collect()
}

/// The files of models and vectors, with when each was written.
fn files(data: &Path) -> BTreeMap<String, std::time::SystemTime> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(data.join("search/vectors")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".index") || name.ends_with(".model") {
            found.insert(name, entry.metadata().unwrap().modified().unwrap());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vectors_and_suggestions_are_made_anew_on_request() {
    let (data, server, shop) = Shop::open().await;
    let toys = Toys::set_up(&server, shop).await;
    let cups = cups(&server, &toys).await;
    assert!(soon(SOON, async || has_all_vectors(&server, &toys.shop, 5).await).await);
    let before = like(&server, &cups[0]).await;
    assert_eq!(before.first(), Some(&format!("\"{}\"", cups[1].product_id)));
    assert!(soon(SOON, async || !files(&data.path()).is_empty()).await);

    // Through the server, which suggests all the while.
    let written = files(&data.path());
    let path = data.path();
    let rebuilding = std::thread::spawn(move || run(&path, &REBUILD));
    while !rebuilding.is_finished() {
        assert_eq!(like(&server, &cups[0]).await, before);
    }
    let rebuilt = rebuilding.join().unwrap().exits(0);
    assert_eq!(rebuilt.json()["products"], 5, "{}", rebuilt.out);
    let now = files(&data.path());
    assert_eq!(now.len(), 2, "a model and its vectors: {now:?}");
    assert!(now.iter().all(|(name, at)| written.get(name) != Some(at)), "{written:?} {now:?}");
    let remakes = "tillroll_search_remakes{of=\"recommendations\"}";
    assert_eq!(figure(&server, &toys.shop, remakes).await, Some(1));
    assert!(has_all_vectors(&server, &toys.shop, 5).await);
    assert_eq!(like(&server, &cups[0]).await, before);

    // Asked for, and ended before it was done: it is done after the next start.
    server.kill();
    assert_eq!(files(&data.path()), now, "what serves is on the disk");
    let request = data.path().join("search/recommendations.requested");
    std::fs::write(&request, "").unwrap();
    let server = Server::start(&data.path());
    assert!(soon(SOON, async || !request.exists()).await);
    assert_eq!(figure(&server, &toys.shop, remakes).await, Some(1));
    assert!(soon(SOON, async || like(&server, &cups[0]).await == before).await);
    assert!(server.stop().success());

    // Without a server; killed at one time or another, it leaves what serves.
    let written = files(&data.path());
    for millis in [0, 5, 10, 20, 40, 80] {
        let mut child = command(&data.path(), &REBUILD)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(files(&data.path()).len() >= 2);
    }
    let rebuilt = run(&data.path(), &REBUILD).exits(0);
    assert_eq!(rebuilt.json()["products"], 5, "{}", rebuilt.out);
    let now = files(&data.path());
    assert_eq!(now.len(), 2, "{now:?}");
    assert!(now.iter().all(|(name, at)| written.get(name) != Some(at)), "{written:?} {now:?}");
    let server = Server::start(&data.path());
    assert!(soon(SOON, async || has_all_vectors(&server, &toys.shop, 5).await).await);
    assert!(soon(SOON, async || like(&server, &cups[0]).await == before).await);
    assert_eq!(files(&data.path()), now, "nothing had to be made again");
    assert!(server.stop().success());
}

#[tokio::test]
async fn what_was_asked_of_a_server_that_ends_at_once_is_taken_back() {
    let data = crate::process::DataDir::new();
    assert!(Server::start(&data.path()).stop().success());
    let vectors = data.path().join("search/vectors");
    let server = std::fs::File::create(vectors.join("vectors.lock")).unwrap();
    server.lock().unwrap();
    let (path, request) = (data.path(), data.path().join("search/recommendations.requested"));
    let rebuilding = std::thread::spawn(move || run(&path, &REBUILD));
    assert!(soon(SOON, async || request.exists()).await);
    drop(server);
    rebuilding.join().unwrap().exits(3).complains_of(&["ended before it began"]);
    assert!(!request.exists(), "the next server would make everything anew");
}

#[tokio::test]
async fn what_can_be_rebuilt_is_named() {
    let data = crate::process::DataDir::new();
    let list = run(&data.path(), &["rebuild", "--list"]).exits(0).out;
    for name in ["catalogue", "search", "recommendations"] {
        assert!(list.lines().any(|line| line == name), "no {name}: {list}");
    }
    let help = run(&data.path(), &["rebuild", "--help"]).exits(0).out;
    assert!(help.contains("`search`") && help.contains("`recommendations`"), "{help}");
    run(&data.path(), &["rebuild", "everything"]).exits(3).complains_of(&["everything", "--list"]);
    let refused = run(&data.path(), &["rebuild", "recommendations", "--compare"]).exits(3);
    refused.complains_of(&["--compare", "read models"]);
}
