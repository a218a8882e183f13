//! Many people arrange the categories at once: at every moment they are a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::client::Client;
use crate::process::{Server, assert_clean, run};
use crate::shop::Shop;

const ARRANGERS: u64 = 12;
const CHANGES_EACH: usize = 80;

/// One arranger's dice (Marsaglia 2003, xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// What an arranger was told was done.
#[derive(Default)]
struct Told {
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
    moved: usize,
    refused: BTreeMap<String, usize>,
}

#[tokio::test]
async fn parallel_moves_and_inserts_keep_it_a_tree() {
    let (data, server, shop) = Shop::open().await;
    let mut admin = shop.admin(&server).await;
    for number in 0..10 {
        let body = json!({"name": format!("Root {number}"), "slug": format!("root-{number}")});
        admin.post("/categories", body).await.is(201);
    }
    let is_over = AtomicBool::new(false);
    let arrangers = async {
        let told = join_all((0..ARRANGERS).map(|number| arrange(&shop, &server, number))).await;
        is_over.store(true, Ordering::Relaxed);
        told
    };
    let watcher = async {
        let mut looks = 0;
        while !is_over.load(Ordering::Relaxed) {
            tree(&server).await;
            looks += 1;
        }
        looks
    };
    let (told, looks) = tokio::join!(arrangers, watcher);
    assert!(looks > 10, "looked {looks} times");

    // With the position of a last change, everything before it is seen.
    let body = json!({"name": "Last", "slug": "last"});
    let last = admin.post("/categories", body).await.is(201);
    let seen = last.header("tillroll-position");
    let after = admin.get_with("/categories", &[("tillroll-min-position", &seen)]).await.is(200);
    let known = sound(&after.body);
    let removed: BTreeSet<&String> = told.iter().flat_map(|told| &told.removed).collect();
    for told in &told {
        for added in &told.added {
            assert!(known.contains(added) != removed.contains(added), "{added}");
        }
    }
    let moved: usize = told.iter().map(|told| told.moved).sum();
    let refused: usize = told.iter().flat_map(|told| told.refused.values()).sum();
    assert!(moved > 100 && refused > 0 && removed.len() > 10, "{moved} {refused}");
    // Circles were tried, and none was made.
    assert!(told.iter().any(|told| told.refused.contains_key("category_cycle")));

    assert!(server.stop().success());
    assert_clean(&data.path());
    let rebuilt = run(&data.path(), &["rebuild", "catalogue", "--compare"]).exits(0);
    assert!(rebuilt.out.contains("every row as it was"), "{}", rebuilt.out);
    let server = Server::start(&data.path());
    assert_eq!(tree(&server).await, after.body, "the same tree after a restart");
}

/// Adds, moves, renames and removes at random; every refusal has its reason.
async fn arrange(shop: &Shop, server: &Server, number: u64) -> Told {
    let mut admin = shop.admin(server).await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (number + 1));
    let mut told = Told::default();
    let mut known: Vec<String> = Vec::new();
    for step in 0..CHANGES_EACH {
        if step % 8 == 0 {
            let seen = tree(server).await;
            known = ids(&seen);
        }
        let category = known[dice.below(known.len())].clone();
        let parent = match dice.below(8) {
            0 => Value::Null,
            _ => json!(known[dice.below(known.len())]),
        };
        let name = format!("n{number}-{step}");
        let kind = dice.below(10);
        let answer = match kind {
            0..=2 => {
                let body = json!({"name": name, "slug": name, "parent_id": parent});
                admin.post("/categories", body).await
            }
            3..=7 => {
                let body = json!({"parent_id": parent});
                admin.post(&format!("/categories/{category}/move"), body).await
            }
            8 => {
                let body = json!({"name": name, "slug": name}).to_string();
                let path = format!("/categories/{category}");
                admin.ask(hyper::Method::PATCH, &path, &[], &body).await
            }
            _ => {
                let path = format!("/categories/{category}");
                admin.ask(hyper::Method::DELETE, &path, &[], "").await
            }
        };
        match (answer.status, kind) {
            (201, _) => {
                let id = answer.id("category_id");
                known.push(id.clone());
                told.added.insert(id);
            }
            (200, 3..=7) => told.moved += 1,
            (200, 8) => {}
            (200, _) => drop(told.removed.insert(category)),
            (400 | 404 | 409 | 422, _) => {
                let code = answer.body["code"].as_str().unwrap().to_owned();
                *told.refused.entry(code).or_default() += 1;
            }
            _ => panic!("{}: {}", answer.status, answer.text),
        }
    }
    told
}

/// The tree as anybody sees it now, which is sound.
async fn tree(server: &Server) -> Value {
    let seen = Client::nobody(&server.address).await.get("/categories").await.is(200);
    sound(&seen.body);
    seen.body
}

fn ids(tree: &Value) -> Vec<String> {
    let categories = tree["categories"].as_array().unwrap();
    categories.iter().map(|one| one["category_id"].as_str().unwrap().to_owned()).collect()
}

/// Checks bounds, depths, paths and parents against each other; gives the ids.
fn sound(tree: &Value) -> BTreeSet<String> {
    let categories = tree["categories"].as_array().unwrap();
    let number = |of: &Value, name: &str| of[name].as_u64().unwrap();
    let mut bounds = BTreeSet::new();
    // Ancestors of the category at hand, outermost first.
    let mut above: Vec<&Value> = Vec::new();
    for one in categories {
        let (lft, rgt) = (number(one, "lft"), number(one, "rgt"));
        assert!(lft < rgt && bounds.insert(lft) && bounds.insert(rgt), "{one}");
        while above.last().is_some_and(|last| number(last, "rgt") < lft) {
            above.pop();
        }
        assert!(above.last().is_none_or(|last| rgt < number(last, "rgt")), "crosses: {one}");
        assert_eq!(number(one, "depth"), above.len() as u64, "{one}");
        let parent = above.last().map_or(&Value::Null, |last| &last["category_id"]);
        assert_eq!(&one["parent_id"], parent, "{one}");
        let slug = one["slug"].as_str().unwrap();
        let path = match above.last() {
            Some(last) => format!("{}/{slug}", last["path"].as_str().unwrap()),
            None => slug.to_owned(),
        };
        assert_eq!(one["path"], path, "{one}");
        above.push(one);
    }
    let all: BTreeSet<u64> = (1..=2 * categories.len() as u64).collect();
    assert_eq!(bounds, all, "every bound is used once");
    let ids: BTreeSet<String> = ids(tree).into_iter().collect();
    assert_eq!(ids.len(), categories.len(), "every category is there once");
    ids
}
