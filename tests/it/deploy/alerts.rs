//! The alerts, against what a running engine tells, and against what the operator's guide tells.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::documents::{items, text, word, yaml};
use super::not_checked;
use crate::shop::{Shop, add, guests_order, pay};

fn rules() -> Vec<Value> {
    let groups = &yaml("deploy/alerts.yaml")[0]["groups"];
    items(groups).iter().flat_map(|group| items(&group["rules"]).to_vec()).collect()
}

/// Metrics and labels of a running engine that has sold something.
async fn told() -> (BTreeSet<String>, String) {
    let (_data, server, shop) = Shop::open().await;
    let article = shop.article(&server, 1_999, 10).await;
    let mut guest = shop.storefront(&server).await;
    let session = add(&mut guest, &article, 1).await.header("tillroll-session");
    let mut guest = guest.with("tillroll-session", session);
    pay(&mut guest, &guests_order("tok_ok"), "g1").await.is(201);
    let text = shop.admin(&server).await.get("/metrics").await.is(200).text;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let names = samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect();
    assert!(server.stop().success());
    (names, text)
}

/// Names of metrics in an expression or in a text.
fn metrics(text: &str) -> BTreeSet<&str> {
    let parts = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    parts.filter(|part| part.starts_with("tillroll_") || part.starts_with("process_")).collect()
}

/// In the guide these are names of databases and tables.
const NO_METRICS: [&str; 2] = ["tillroll_browsing_", "tillroll_read_models"];

#[tokio::test]
async fn every_metric_that_is_named_is_told() {
    let (told, exposition) = told().await;
    let mut seen = BTreeSet::new();
    for rule in rules() {
        let expression = word(&rule["expr"]).to_owned();
        for name in metrics(&expression) {
            assert!(told.contains(name), "{}: there is no {name}", rule["alert"]);
            seen.insert(name.to_owned());
        }
        // Labels that a rule asks for or groups by.
        for label in ["lease", "model", "version", "route", "method", "status", "le"] {
            let asked = expression.contains(&format!("{label}="))
                || expression.contains(&format!("({label}"));
            assert!(!asked || exposition.contains(&format!("{label}=\"")), "{label}");
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
    let guide = text("docs/operating.md");
    for name in metrics(&guide).into_iter().filter(|name| !NO_METRICS.contains(name)) {
        assert!(told.contains(name), "docs/operating.md: there is no {name}");
    }
}

#[test]
fn the_guide_says_what_each_alert_means() {
    let guide = text("docs/operating.md");
    let mut alerts = BTreeSet::new();
    for rule in rules() {
        let name = word(&rule["alert"]).to_owned();
        let severity = word(&rule["labels"]["severity"]);
        assert!(["page", "ticket"].contains(&severity), "{name}");
        assert!(guide.contains(&format!("| `{name}` {severity} |")), "{name} is not in the guide");
        assert!(!word(&rule["annotations"]["summary"]).is_empty());
        assert!(alerts.insert(name.clone()), "{name} is there twice");
    }
    for line in guide.lines().filter_map(|line| line.strip_prefix("| `Tillroll")) {
        let name = format!("Tillroll{}", line.split('`').next().unwrap());
        assert!(alerts.contains(&name), "{name} is not in deploy/alerts.yaml");
    }
}

/// Debian's Prometheus is too large to be installed for this alone.
#[test]
fn prometheus_takes_the_rules_and_they_fire() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["alerts.yaml", "alerts.test.yaml"] {
        fs::write(directory.path().join(file), text(&format!("deploy/{file}"))).unwrap();
    }
    for words in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]] {
        let promtool = Command::new("promtool").args(words).current_dir(&directory).output();
        match promtool {
            Ok(done) => assert!(done.status.success(), "{done:?}"),
            Err(_) => not_checked("promtool is not here, so the alerts are not tried out"),
        }
    }
}
