//! The compose file: whatever one part names another part has.

use std::collections::BTreeSet;

use serde_json::Value;

use super::commands::{are_arguments, is_setting};
use super::documents::{databases, is_pinned, items, keys, place, root, text, word, words, yaml};
use super::scripts::make_secrets;

fn file() -> Value {
    yaml("deploy/compose.yaml").remove(0)
}

/// Name and value of each variable.
fn environment(service: &Value) -> Vec<(&str, &str)> {
    let names = keys(&service["environment"]).into_iter();
    names.map(|name| (name, word(&service["environment"][name]))).collect()
}

fn is_the_engine(service: &Value) -> bool {
    word(&service["image"]).starts_with("tillroll:")
}

/// Names of the secrets that a service is given, and where each is in its container.
fn secrets(service: &Value) -> Vec<(&str, String)> {
    let given = items(&service["secrets"]).iter();
    given
        .map(|secret| match secret.as_str() {
            Some(name) => (name, format!("/run/secrets/{name}")),
            None => (word(&secret["source"]), word(&secret["target"]).to_owned()),
        })
        .collect()
}

#[test]
fn what_services_name_is_there() {
    let file = file();
    let made = make_secrets();
    let (mut volumes, mut networks, mut given) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for name in keys(&file["services"]) {
        let service = &file["services"][name];
        is_pinned(word(&service["image"]));
        for other in keys(&service["depends_on"]) {
            let wanted = &file["services"][other];
            assert!(wanted.is_object(), "{name} depends on {other}");
            let watched = wanted["healthcheck"].is_object() || is_the_engine(wanted);
            let healthy = service["depends_on"][other]["condition"] == "service_healthy";
            assert!(watched || !healthy, "nobody looks after the health of {other}");
        }
        for volume in items(&service["volumes"]) {
            let source = match volume.as_str() {
                Some(text) => text.split(':').next().unwrap(),
                None => word(&volume["source"]),
            };
            match source.strip_prefix("./") {
                Some(path) if path.starts_with("secrets/") => {
                    assert!(made.path().join(path).exists(), "{source}");
                }
                Some(path) => assert!(root().join("deploy").join(path).is_file(), "{source}"),
                None => drop(volumes.insert(source)),
            }
        }
        networks.extend(words(&service["networks"]));
        given.extend(secrets(service).into_iter().map(|(name, _)| name));
    }
    assert_eq!(volumes, keys(&file["volumes"]));
    assert_eq!(networks, keys(&file["networks"]));
    assert_eq!(given, keys(&file["secrets"]));
    for name in given {
        let path = word(&file["secrets"][name]["file"]);
        assert!(made.path().join(path).is_file(), "make-secrets.sh makes no {path}");
    }
}

#[test]
fn the_engine_is_given_what_it_takes() {
    let file = file();
    let made = make_secrets();
    let services = keys(&file["services"]);
    for name in services.iter().filter(|name| is_the_engine(&file["services"][**name])) {
        let service = &file["services"][*name];
        for (variable, value) in environment(service) {
            is_setting(variable);
            if !variable.ends_with("_FILE") {
                continue;
            }
            let given = secrets(service);
            let secret = given.iter().find(|(_, at)| at == value);
            let secret = secret.unwrap_or_else(|| panic!("{name}: no {value}")).0;
            let path = made.path().join(word(&file["secrets"][secret]["file"]));
            let url = std::fs::read_to_string(path).unwrap();
            let (host, _, database) = place(&url);
            let server = &file["services"][host];
            let meet = |network: &&str| words(&server["networks"]).contains(network);
            assert!(words(&service["networks"]).iter().any(meet), "{name} does not reach {host}");
            if url.starts_with("postgres") {
                assert!(databases().contains(database), "{database}");
                assert_eq!(server["environment"]["POSTGRES_DB"], "tillroll");
                assert!(url.contains(word(&server["environment"]["POSTGRES_USER"])));
            }
        }
        if *name != "keys" {
            are_arguments(&words(&service["command"]));
        }
    }
    let tool = words(&file["services"]["keys"]["entrypoint"]).join(" ");
    assert!(tool.contains("tillroll --data /credentials keys"), "{tool}");
}

#[test]
fn the_three_nodes_are_alike_and_the_proxy_knows_them() {
    let file = file();
    let proxy = text("deploy/haproxy.cfg");
    let servers: Vec<&str> = proxy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("server "))
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    let nodes = keys(&file["services"]).into_iter().filter(|name| name.starts_with("node-"));
    let mut first: Option<Value> = None;
    let mut places = Vec::new();
    for name in nodes {
        let mut node = file["services"][name].clone();
        let listen = word(&node["environment"]["TILLROLL_LISTEN"]).rsplit_once(':').unwrap().1;
        places.push(format!("{name}:{listen}"));
        assert!(keys(&file["services"]["proxy"]["depends_on"]).contains(name));
        node["volumes"] = Value::Null;
        assert_eq!(first.get_or_insert_with(|| node.clone()), &node, "{name}");
    }
    assert_eq!(servers, places);
    assert_eq!(places.len(), 3);
    let published = words(&file["services"]["proxy"]["ports"]);
    let inside = published[0].rsplit_once(':').unwrap().1;
    assert!(proxy.contains(&format!("bind :{inside}\n")));
    assert!(published[0].starts_with("127.0.0.1:"), "without TLS this is for this machine alone");
}

#[test]
fn no_secret_is_in_a_file_that_is_kept() {
    for path in super::documents::files("") {
        let text = text(&path);
        for at in text.match_indices("tillroll:").map(|(at, _)| at + "tillroll:".len()) {
            // A URL's password stands for one, or is put in by the script that makes it.
            if text[at..].split('\n').next().unwrap().contains('@') {
                let harmless = ["CHANGE-ME@", "PASSWORD@", "$("];
                assert!(harmless.iter().any(|word| text[at..].starts_with(word)), "{path}");
            }
        }
        assert!(!text.contains("tk_admin_") && !text.contains("PRIVATE KEY"), "{path}");
    }
    assert!(text(".gitignore").contains("/deploy/secrets"));
    assert!(text(".dockerignore").contains("deploy/secrets"));
}
