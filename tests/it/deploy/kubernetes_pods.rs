//! The pods of the manifests: confined, watched, and given what they name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::commands::{are_arguments, is_setting};
use super::documents::{is_pinned, items, keys, word, words};
use super::kubernetes::{name_of, named, objects, pods};
use super::scripts::make_secrets;

#[test]
fn pods_are_confined_and_bounded() {
    for (owner, pod) in pods(&objects()) {
        let spec = &pod["spec"];
        let name = name_of(owner);
        assert_eq!(spec["automountServiceAccountToken"], false, "{name}");
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{name}");
        assert!(spec["securityContext"]["runAsUser"].as_u64() > Some(0), "{name}");
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        for container in items(&spec["containers"]) {
            is_pinned(word(&container["image"]));
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(words(&context["capabilities"]["drop"]), ["ALL"], "{name}");
            for bound in ["requests", "limits"] {
                let both = BTreeSet::from(["cpu", "memory"]);
                assert_eq!(keys(&container["resources"][bound]), both, "{name}");
            }
        }
    }
}

/// Where each key of a secret or each file of a config map is in the container.
fn files_of(objects: &[Value], spec: &Value, container: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for mount in items(&container["volumeMounts"]) {
        let at = word(&mount["mountPath"]);
        let volume = items(&spec["volumes"]).iter().find(|volume| volume["name"] == mount["name"]);
        let Some(volume) = volume else { continue };
        let projected = items(&volume["projected"]["sources"]).iter();
        for source in std::iter::once(volume).chain(projected) {
            for (kind, named_by, field, data) in [
                ("secret", "secretName", "Secret", "stringData"),
                ("secret", "name", "Secret", "stringData"),
                ("configMap", "name", "ConfigMap", "data"),
            ] {
                let Some(name) = source[kind][named_by].as_str() else { continue };
                let there = keys(&named(objects, field, name)[data]);
                let chosen = items(&source[kind]["items"]);
                for item in chosen {
                    assert!(there.contains(word(&item["key"])), "{name} has no {item}");
                    found.insert(format!("{at}/{}", word(&item["path"])));
                }
                if chosen.is_empty() {
                    found.extend(there.into_iter().map(|key| format!("{at}/{key}")));
                }
            }
        }
    }
    found
}

#[test]
fn what_pods_mount_and_name_is_there() {
    let objects = objects();
    for (owner, pod) in pods(&objects) {
        let (name, spec) = (name_of(owner), &pod["spec"]);
        let mut volumes: BTreeSet<&str> =
            items(&spec["volumes"]).iter().map(|volume| word(&volume["name"])).collect();
        let claims = items(&owner["spec"]["volumeClaimTemplates"]).iter();
        volumes.extend(claims.map(name_of));
        let mut mounted = BTreeSet::new();
        for container in items(&spec["containers"]) {
            let mounts = items(&container["volumeMounts"]).iter();
            mounted.extend(mounts.map(|mount| word(&mount["name"])));
            let files = files_of(&objects, spec, container);
            for variable in items(&container["env"]) {
                let value = word(&variable["value"]);
                let setting = word(&variable["name"]);
                if word(&container["image"]).starts_with("tillroll:") {
                    is_setting(setting);
                }
                if setting.ends_with("_FILE") {
                    assert!(files.contains(value), "{name}: {value} is not in {files:?}");
                }
                if setting == "CREDENTIALS_DIRECTORY" {
                    for file in ["master.key", "secrets.json", "api-keys.json"] {
                        assert!(files.contains(&format!("{value}/{file}")), "{name}: {file}");
                    }
                }
            }
            if word(&container["image"]).starts_with("tillroll:") {
                are_arguments(&words(&container["args"]));
            }
        }
        assert_eq!(volumes, mounted, "{name}");
    }
}

#[test]
fn nodes_are_watched_and_end_in_good_order() {
    let objects = objects();
    let node = &named(&objects, "StatefulSet", "node")["spec"];
    let spec = &node["template"]["spec"];
    let container = &spec["containers"][0];
    let path = |probe: &str| word(&container[probe]["httpGet"]["path"]);
    assert_eq!(path("startupProbe"), "/healthz");
    assert_eq!(path("livenessProbe"), "/healthz");
    assert_eq!(path("readinessProbe"), "/readyz");
    let wait = words(&container["lifecycle"]["preStop"]["exec"]["command"]);
    assert_eq!(wait[0], "sleep");
    // What the engine gives requests under way, and then time to close.
    let given = api::HttpOptions::default().shutdown_timeout.as_secs();
    let in_all = spec["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(in_all >= wait[1].parse::<u64>().unwrap() + given + 20, "{in_all} s are too few");
    assert_eq!(node["replicas"], 3);
    assert_eq!(named(&objects, "PodDisruptionBudget", "node")["spec"]["maxUnavailable"], 1);
}

#[test]
fn secrets_have_what_the_script_makes() {
    let objects = objects();
    let made = make_secrets();
    for secret in ["tillroll-urls", "tillroll-credentials", "trial-servers"] {
        let directory = if secret == "tillroll-credentials" { "credentials/" } else { "" };
        for key in keys(&named(&objects, "Secret", secret)["stringData"]) {
            let path = format!("secrets/{directory}{key}");
            assert!(made.path().join(&path).is_file(), "{secret}: {path}");
        }
    }
    // The lines that make the secrets name the same files.
    for path in super::documents::files(".yaml") {
        let text = super::documents::text(&path);
        for rest in text.split("--from-file=deploy/").skip(1) {
            let file = rest.split_whitespace().next().unwrap();
            assert!(made.path().join(file).exists(), "{path}: {file}");
        }
    }
}
