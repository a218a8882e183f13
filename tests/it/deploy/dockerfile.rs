//! The image: what goes in exists, and what others rely on is so.

use super::commands::are_arguments;
use super::documents::{is_pinned, items, root, text, word, words, yaml};

/// The rest of each line that begins with this instruction, in order.
fn each<'a>(text: &'a str, instruction: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' ')).collect()
}

#[test]
fn the_image_is_as_others_rely_on_it() {
    let file = text("deploy/Dockerfile").replace("\\\n", " ");
    for from in each(&file, "FROM") {
        is_pinned(from.split(' ').next().unwrap());
    }
    let manifest = text("Cargo.toml");
    let needed = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let needed = needed.trim_matches('"');
    assert!(file.contains(&format!("FROM rust:{needed}.")), "{needed} is needed");
    for copied in each(&file, "COPY").iter().filter(|words| words.starts_with("--chmod")) {
        let from = copied.split(' ').nth(1).unwrap();
        assert!(root().join(from).is_file(), "{from}");
    }
    let environment = each(&file, "ENV").join(" ");
    let set = |name: &str| {
        let found = environment.split_whitespace().find_map(|pair| pair.strip_prefix(name));
        found.unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    let data = set("TILLROLL_DATA=");
    assert_eq!(each(&file, "VOLUME"), [data.as_str()]);
    assert!(set("TILLROLL_LISTEN=").ends_with(&format!(":{}", each(&file, "EXPOSE")[0])));
    let command: Vec<String> = serde_json::from_str(each(&file, "CMD").last().unwrap()).unwrap();
    are_arguments(&command.iter().map(String::as_str).collect::<Vec<_>>());

    let user = each(&file, "USER")[0];
    for manifest in ["deploy/kubernetes/10-migrate.yaml", "deploy/kubernetes/20-nodes.yaml"] {
        let pod = &yaml(manifest)[0]["spec"]["template"]["spec"];
        let context = &pod["securityContext"];
        assert_eq!(user, format!("{}:{}", context["runAsUser"], context["runAsGroup"]));
        let mounts = items(&pod["containers"][0]["volumeMounts"]);
        assert!(mounts.iter().any(|mount| mount["mountPath"] == data.as_str()), "{manifest}");
    }
    let compose = &yaml("deploy/compose.yaml")[0];
    for node in ["node-1", "node-2", "node-3"] {
        let mounts = items(&compose["services"][node]["volumes"]);
        let at = format!("{node}:{data}");
        assert!(mounts.iter().any(|mount| *mount == at.as_str()), "{node}");
    }
    let build = &compose["services"]["migrate"]["build"];
    let dockerfile = root().join("deploy").join(word(&build["context"]));
    assert!(dockerfile.join(word(&build["dockerfile"])).is_file());
    assert_eq!(words(&compose["services"]["migrate"]["command"]), ["migrate"]);
}

#[test]
fn the_image_is_of_this_version_everywhere() {
    let image = format!("tillroll:{}", env!("CARGO_PKG_VERSION"));
    for path in super::documents::files("").into_iter().filter(|path| !path.ends_with(".sh")) {
        let text = text(&path);
        for at in text.match_indices("tillroll:").map(|(at, _)| at) {
            let tag = &text[at..];
            if tag["tillroll:".len()..].starts_with(|c: char| c.is_ascii_digit()) {
                assert!(tag.starts_with(&image), "{path}: {}", &tag[..image.len()]);
            }
        }
    }
}
