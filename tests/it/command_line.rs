//! The commands as operators, customer service and scripts meet them.

mod archive;
mod demo;
mod import;
mod journal;
mod keys;
mod rebuild;
mod replay;
mod verify;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::process::{DataDir, command, run, wait};
use crate::shop::{Shop, add, guests_order, pay};

/// Every command, by walking through what each one's help lists.
fn commands(data: &DataDir) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = vec![Vec::<String>::new()];
    while let Some(words) = rest.pop() {
        let mut asked: Vec<&str> = words.iter().map(String::as_str).collect();
        asked.push("--help");
        let help = run(&data.path(), &asked).exits(0);
        assert_eq!(help.err, "", "{words:?}");
        assert!(help.out.contains("Usage: tillroll"), "{words:?}: {}", help.out);
        assert!(help.out.lines().all(|line| line.chars().count() <= 100), "{}", help.out);
        let listed = help.out.lines().skip_while(|line| *line != "Commands:").skip(1);
        let listed = listed.take_while(|line| !line.is_empty());
        // A line that is further in goes on with what the last one says.
        let names = listed.filter(|line| !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        for name in names.filter(|name| *name != "help") {
            rest.push([words.clone(), vec![name.to_owned()]].concat());
        }
        found.push(words);
    }
    found
}

#[test]
fn every_command_explains_itself() {
    let data = DataDir::new();
    let commands = commands(&data);
    for name in [
        "serve", "demo", "import", "replay", "rebuild", "verify", "journal", "archive", "keys",
        "schemas",
    ] {
        assert!(commands.iter().any(|words| words == &[name]), "{name} is not listed");
    }
    assert!(commands.len() > 15, "{commands:?}");
    assert!(!data.path().exists(), "help makes no directory");
}

#[test]
fn wrong_arguments_are_told_apart_from_failures() {
    let data = DataDir::new();
    for words in [
        &["sell"][..],
        &["serve", "--listen", "everywhere"],
        &["serve", "--jwt-issuer", "a"],
        &["serve", "--currency", "pounds"],
        &["keys", "create", "--role", "king"],
        &["keys", "create"],
        &["rebuild"],
        &["rebuild", "orders", "--all"],
        &["import", "orders"],
        &["import", "catalogue", "file.csv", "--seller", "me"],
        &["replay", "log", "--limit", "-1"],
        &["completions", "dos"],
    ] {
        let refused = run(&data.path(), words).exits(2);
        assert_eq!(refused.out, "", "{words:?}");
        assert!(refused.err.starts_with("error: "), "{words:?}: {}", refused.err);
    }
    let refused = command(&data.path(), &["verify"]).env("TILLROLL_LOG_FORMAT", "xml").output();
    assert_eq!(refused.unwrap().status.code(), Some(2));
    assert!(!data.path().exists(), "wrong arguments make no directory");
}

#[test]
fn schemas_are_listed_and_each_prints_with_a_sample() {
    let data = DataDir::new();
    let listed = run(&data.path(), &["schemas", "--json"]).exits(0).json_lines();
    assert!(listed.len() > 40, "{}", listed.len());
    for entry in &listed {
        let name = entry["event_type"].as_str().unwrap();
        for version in entry["versions"].as_array().unwrap() {
            let version = version.to_string();
            let words = ["schemas", name, "--version", version.as_str()];
            let schema = run(&data.path(), &words).exits(0).json();
            assert!(schema["$schema"].is_string(), "{name}: {schema}");
            run(&data.path(), &[&words[..], &["--sample"]].concat()).exits(0).json();
        }
        if name == "order.placed" {
            break;
        }
    }
    run(&data.path(), &["schemas", "order.eaten"]).exits(3).complains_of(&["order.eaten"]);
    run(&data.path(), &["schemas", "order.placed", "--version", "99"])
        .exits(3)
        .complains_of(&["order.placed", "99"]);
}

#[test]
fn public_messages_are_listed_and_each_prints_with_a_sample() {
    let data = DataDir::new();
    let listed = run(&data.path(), &["schemas", "--messages", "--json"]).exits(0).json_lines();
    let document = run(&data.path(), &["schemas", "--asyncapi"]).exits(0).json();
    for message in listed {
        let name = message["message_type"].as_str().unwrap();
        let schema = run(&data.path(), &["schemas", "--messages", name]).exits(0).json();
        assert_eq!(schema["type"], "object", "{name}");
        let sample =
            run(&data.path(), &["schemas", "--messages", name, "--sample"]).exits(0).json();
        assert_eq!(sample["specversion"], "1.0", "{name}");
        assert!(document["components"]["messages"][name].is_object(), "{name}");
    }
    run(&data.path(), &["schemas", "--messages", "order.eaten"])
        .exits(3)
        .complains_of(&["order.eaten", "--messages"]);
}

#[test]
fn completions_are_there_for_the_usual_shells() {
    let data = DataDir::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&data.path(), &["completions", shell]).exits(0);
        assert!(script.out.contains("rotate-master"), "{shell}");
    }
}

#[tokio::test]
async fn a_reader_that_wants_no_more_is_no_failure() {
    let (_data, server, shop) = Shop::open().await;
    // More than fits into a pipe, of every command that can say so much.
    let article = shop.article(&server, 1_999, 1_000).await;
    for _ in 0..40 {
        let mut guest = shop.storefront(&server).await;
        let session = add(&mut guest, &article, 1).await.header("tillroll-session");
        let mut guest = guest.with("tillroll-session", session);
        pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    }
    for words in [
        &["replay", "log"][..],
        &["schemas"],
        &["schemas", "order.placed"],
        &["completions", "bash"],
        &["verify"],
        &["keys", "list"],
        &["serve", "--help"],
    ] {
        let mut child = command(&server.data, words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        drop(out);
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((wait(&mut child).code(), err.as_str()), (Some(0), ""), "{words:?}");
    }
    assert!(server.stop().success());
}
