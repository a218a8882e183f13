//! The first five minutes: what the demo prints is done as it is printed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::process::{DataDir, PATIENCE, Server, assert_clean, command, run, signal, wait};

/// A call of `curl`, its words as a shell takes them apart.
struct Call(Vec<String>);

impl Call {
    /// All that are printed, in their order.
    fn all(printed: &str) -> Vec<Self> {
        let is_one = |line: &str| {
            let line = line.trim_start();
            line.starts_with("curl ") || line.starts_with("KEY=")
        };
        // A line that ends with a backslash goes on in the next.
        let whole = printed.replace("\\\n", " ");
        let lines: Vec<&str> = whole.lines().filter(|line| is_one(line)).collect();
        let script = format!("curl() {{ printf '%s\\0' \"$@\" end; }}\n{}", lines.join("\n"));
        let told = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert!(told.status.success() && told.stderr.is_empty(), "{told:?}");
        let told = String::from_utf8(told.stdout).unwrap();
        let words: Vec<String> = told.split_terminator('\0').map(str::to_owned).collect();
        words
            .split(|word| word == "end")
            .filter(|of| !of.is_empty())
            .map(|of| Self(of.to_vec()))
            .collect()
    }

    fn after(&self, option: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs.filter(move |(before, _)| *before == option).map(|(_, word)| word.as_str())
    }

    fn url(&self) -> (&str, &str) {
        let url = self.0.iter().find_map(|word| word.strip_prefix("http://")).unwrap();
        url.split_at(url.find('/').unwrap())
    }

    async fn answer(&self) -> Answer {
        let (address, path) = self.url();
        let headers = self.after("-H").map(|header| header.split_once(": ").unwrap());
        // The client says it of every body.
        let headers: Vec<_> = headers.filter(|(name, _)| *name != "Content-Type").collect();
        let method = self.after("-X").next().map_or(Method::GET, |name| name.parse().unwrap());
        let body = self.after("-d").next().unwrap_or_default();
        Client::nobody(address).await.ask(method, path, &headers, body).await
    }

    /// Asks again until it is as expected, for what is worked out in the background.
    async fn answers(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.answer().await.is(200);
            if is_so(&answer.body) {
                return answer.body;
            }
            assert!(began.elapsed() < PATIENCE, "{:?}: {}", self.0, answer.text);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Killed when dropped: a test that fails leaves no shop open.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn names(list: &Value) -> Vec<&str> {
    let products = list.as_array().unwrap().iter();
    products.map(|one| one.get("product").unwrap_or(one)["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_demo_shows_a_first_order_and_leaves_a_shop_in_order() {
    let data = DataDir::new();
    let demo = command(&data.path(), &["demo", "--listen", "127.0.0.1:0", "--rate", "20"])
        .stdout(Stdio::piped())
        .spawn();
    let mut demo = Demo(demo.unwrap());
    let mut printed = String::new();
    let mut out = BufReader::new(demo.0.stdout.take().unwrap());
    while !printed.contains("Stop with Ctrl-C") {
        assert!(out.read_line(&mut printed).unwrap() > 0, "{printed}");
    }
    let order = printed.lines().find_map(|line| line.trim().strip_prefix("order "));
    let order = order.expect("no first order");
    let story = run(&data.path(), &["replay", "order", order]).exits(0);
    assert!(story.out.contains("order confirmed"), "{}", story.out);

    let calls = Call::all(&printed);
    let [look, add, pay, find, similar, home] = &calls[..] else { panic!("{printed}") };
    assert_eq!(look.answer().await.is(200).body["status"], "confirmed");
    add.answer().await.is(201);
    assert_eq!(pay.answer().await.is(201).body["status"], "confirmed");

    let found = find.answers(|found| found["total"].as_u64() > Some(0)).await;
    assert_eq!(found["corrected"], "wooden train", "{found}");
    assert_eq!(found["total"], 3, "{found}");
    assert!(names(&found["products"]).iter().all(|name| name.ends_with("wooden train")), "{found}");
    assert_eq!(found["facets"]["category"][0]["name"], "Toys", "{found}");
    assert_eq!(found["facets"]["brand"].as_array().map(Vec::len), Some(3), "{found}");
    assert_eq!(found["prices"]["currency"], "GBP", "{found}");
    assert_eq!(found["products"][0]["price"], found["products"][0]["lowest_prices"]["GBP"]);

    let alike = similar.answers(|alike| alike["similar"] != json!([])).await;
    let first = names(&alike["similar"]).into_iter().take(2);
    assert!(first.into_iter().all(|name| name.ends_with("teapot")), "{alike}");
    let is_own = |shown: &Value| shown["because"]["reason"] == "bought_again";
    home.answers(|home| home["products"].as_array().unwrap().iter().any(is_own)).await;

    signal(&demo.0, "INT");
    assert!(wait(&mut demo.0).success());
    assert_clean(&data.path());
    assert!(Server::start(&data.path()).stop().success());
}
