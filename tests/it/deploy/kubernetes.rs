//! The manifests: selectors select, names lead somewhere, ports are open.

use std::collections::BTreeSet;

use serde_json::Value;

use super::documents::{databases, files, items, keys, place, text, word, words, yaml};

/// Every object of all manifests.
pub(super) fn objects() -> Vec<Value> {
    let paths = files(".yaml").into_iter().filter(|path| path.contains("/kubernetes/"));
    let all: Vec<Value> = paths.flat_map(|path| yaml(&path)).collect();
    assert!(all.len() > 15, "{}", all.len());
    all
}

pub(super) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

pub(super) fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = of_kind(objects, kind).into_iter().find(|object| name_of(object) == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

pub(super) fn name_of(object: &Value) -> &str {
    word(&object["metadata"]["name"])
}

/// What runs pods, and the pods it makes.
pub(super) fn pods(objects: &[Value]) -> Vec<(&Value, &Value)> {
    let runs = objects.iter().filter(|object| object["spec"]["template"].is_object());
    runs.map(|object| (object, &object["spec"]["template"])).collect()
}

fn has_labels(labels: &Value, wanted: &Value) -> bool {
    keys(wanted).into_iter().all(|key| labels[key] == wanted[key])
}

/// Pods with these labels, of which there must be some.
#[track_caller]
fn selected<'a>(objects: &'a [Value], labels: &Value) -> Vec<&'a Value> {
    let all = pods(objects).into_iter().map(|(_, pod)| pod);
    let found: Vec<_> = all.filter(|pod| has_labels(&pod["metadata"]["labels"], labels)).collect();
    assert!(!found.is_empty(), "no pod has {labels}");
    found
}

fn open_ports(pod: &Value) -> impl Iterator<Item = &Value> {
    items(&pod["spec"]["containers"]).iter().flat_map(|container| items(&container["ports"]))
}

/// By name or by number.
fn is_open(pod: &Value, wanted: &Value) -> bool {
    open_ports(pod).any(|port| port["name"] == *wanted || port["containerPort"] == *wanted)
}

#[test]
fn everything_is_in_one_namespace_under_a_name_of_its_own() {
    let objects = objects();
    let mut seen = BTreeSet::new();
    for object in &objects {
        let kind = word(&object["kind"]);
        assert!(object["apiVersion"].is_string(), "{object}");
        assert!(seen.insert((kind, name_of(object))), "{kind} {} is there twice", name_of(object));
        if kind == "Namespace" {
            assert_eq!(name_of(object), "tillroll");
        } else {
            assert_eq!(object["metadata"]["namespace"], "tillroll", "{kind} {}", name_of(object));
        }
    }
}

#[test]
fn selectors_select() {
    let objects = objects();
    for (owner, pod) in pods(&objects) {
        if owner["kind"] != "Job" {
            let own = &owner["spec"]["selector"]["matchLabels"];
            assert!(has_labels(&pod["metadata"]["labels"], own), "{}", name_of(owner));
            // No other's pods.
            assert_eq!(selected(&objects, own).len(), 1, "{}", name_of(owner));
        }
        for spread in items(&pod["spec"]["topologySpreadConstraints"]) {
            let labels = &spread["labelSelector"]["matchLabels"];
            assert!(has_labels(&pod["metadata"]["labels"], labels));
        }
        let affinity = &pod["spec"]["affinity"]["podAntiAffinity"];
        for term in items(&affinity["preferredDuringSchedulingIgnoredDuringExecution"]) {
            let labels = &term["podAffinityTerm"]["labelSelector"]["matchLabels"];
            assert!(has_labels(&pod["metadata"]["labels"], labels));
        }
    }
    for service in of_kind(&objects, "Service") {
        for pod in selected(&objects, &service["spec"]["selector"]) {
            for port in items(&service["spec"]["ports"]) {
                assert!(is_open(pod, &port["targetPort"]), "{} {port}", name_of(service));
            }
        }
    }
    for budget in of_kind(&objects, "PodDisruptionBudget") {
        selected(&objects, &budget["spec"]["selector"]["matchLabels"]);
    }
    for set in of_kind(&objects, "StatefulSet") {
        named(&objects, "Service", word(&set["spec"]["serviceName"]));
    }
}

#[test]
fn the_network_lets_through_what_is_needed() {
    let objects = objects();
    let policies = of_kind(&objects, "NetworkPolicy");
    let everybody = |policy: &&&Value| policy["spec"]["podSelector"] == serde_json::json!({});
    let closed: Vec<_> = policies.iter().filter(everybody).collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(words(&closed[0]["spec"]["policyTypes"]), ["Ingress", "Egress"]);
    for policy in policies.iter().filter(|policy| !everybody(policy)) {
        let spec = &policy["spec"];
        let own = selected(&objects, &spec["podSelector"]["matchLabels"]);
        for rule in items(&spec["ingress"]) {
            for port in items(&rule["ports"]) {
                assert!(own.iter().any(|pod| is_open(pod, &port["port"])), "{port}");
            }
        }
        for rule in items(&spec["egress"]) {
            for to in items(&rule["to"]).iter().filter(|to| to["podSelector"].is_object()) {
                for pod in selected(&objects, &to["podSelector"]["matchLabels"]) {
                    for port in items(&rule["ports"]) {
                        assert!(is_open(pod, &port["port"]), "{port}");
                    }
                }
            }
        }
    }
    // Each way there and back again: who may go out to a store is let in there.
    for url in urls(&objects) {
        let (host, port, _) = place(&url);
        let labels = &named(&objects, "Service", host)["spec"]["selector"];
        let names_it = |rule: &Value, side: &str, labels: &Value| {
            let peers = items(&rule[side]).iter();
            let mut labelled = peers.map(|peer| &peer["podSelector"]["matchLabels"]);
            labelled.any(|wanted| !wanted.is_null() && has_labels(labels, wanted))
                && items(&rule["ports"]).iter().any(|open| open["port"] == port)
        };
        let rules = |side: &'static str| {
            policies.iter().flat_map(move |policy| items(&policy["spec"][side]))
        };
        assert!(rules("egress").any(|rule| names_it(rule, "to", labels)), "{host}");
        let node = &named(&objects, "StatefulSet", "node")["spec"]["template"]["metadata"];
        assert!(rules("ingress").any(|rule| names_it(rule, "from", &node["labels"])), "{host}");
    }
}

fn urls(objects: &[Value]) -> Vec<String> {
    let secret = &named(objects, "Secret", "tillroll-urls")["stringData"];
    keys(secret).into_iter().map(|key| word(&secret[key]).to_owned()).collect()
}

#[test]
fn urls_lead_to_the_servers_of_the_trial() {
    let objects = objects();
    for url in urls(&objects) {
        let (host, port, database) = place(&url);
        let service = named(&objects, "Service", host);
        assert!(items(&service["spec"]["ports"]).iter().any(|open| open["port"] == port), "{url}");
        assert!(host != "postgres" || databases().contains(database), "{url}");
        // Nothing that could be taken for a password.
        assert!(url.contains(":CHANGE-ME@"), "{url}");
    }
}

#[test]
fn the_servers_of_the_trial_are_set_up_as_those_of_the_compose_file() {
    let objects = objects();
    let given = |name: &str, key: &str| &named(&objects, "ConfigMap", name)["data"][key];
    let databases = text("deploy/postgres/databases.sql");
    assert_eq!(given("postgres", "databases.sql"), databases.as_str());
    assert_eq!(given("nats", "nats.conf"), text("deploy/nats/nats.conf").as_str());
    let compose = &yaml("deploy/compose.yaml")[0]["services"];
    for (name, words) in [("postgres", "args"), ("nats", "args")] {
        let pod = &named(&objects, "StatefulSet", name)["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(container["image"], compose[name]["image"]);
        assert_eq!(container[words], compose[name]["command"]);
    }
}
