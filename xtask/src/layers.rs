//! The dependency rule: each crate leans only on those above it.

use std::fs;

/// Which workspace crates each crate may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("schemas", &["domain"]),
    ("journal", &[]),
    ("commands", &["domain", "schemas", "journal"]),
    ("projections", &["domain", "schemas", "journal"]),
    ("embeddings", &[]),
    ("search", &["domain", "journal", "projections", "embeddings"]),
    ("sagas", &["domain", "schemas", "journal", "commands"]),
    (
        "api",
        &[
            "domain",
            "schemas",
            "journal",
            "commands",
            "projections",
            "embeddings",
            "search",
            "sagas",
        ],
    ),
];

/// What each crate must do without, and why.
const MUST_NOT_USE: &[(&str, &[&str], &str)] = &[
    (
        "domain",
        &["tokio", "async-trait", "cqrs-es", "rusqlite", "actix-web"],
        "decides, and does no I/O",
    ),
    ("schemas", &["tokio", "rusqlite", "actix-web"], "knows no database and no HTTP"),
    ("journal", &["actix-web", "cqrs-es"], "stores named JSON and knows no framework"),
    ("commands", &["actix-web"], "knows no HTTP"),
    ("projections", &["actix-web", "cqrs-es"], "sends no commands"),
    ("embeddings", &["tokio", "rusqlite", "actix-web"], "knows texts and vectors only"),
    ("search", &["actix-web", "cqrs-es"], "sends no commands"),
    ("sagas", &["actix-web"], "knows no HTTP"),
    ("api", &["rusqlite", "cqrs-es"], "holds no SQL"),
];

pub(crate) fn check() -> bool {
    let mut good = true;
    for (name, allowed) in MAY_USE {
        for used in dependencies(name) {
            let is_ours = MAY_USE.iter().any(|(ours, _)| *ours == used);
            if is_ours && !allowed.contains(&used.as_str()) {
                println!("{name}/Cargo.toml: `{name}` may not use `{used}`: it is not above it");
                good = false;
            }
        }
    }
    for (name, banned, why) in MUST_NOT_USE {
        for used in dependencies(name) {
            if banned.contains(&used.as_str()) {
                println!("{name}/Cargo.toml: `{name}` must do without `{used}`: it {why}");
                good = false;
            }
        }
    }
    good
}

/// Names under `[dependencies]`; development may use what it likes.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(format!("{name}/Cargo.toml")).unwrap_or_default();
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}
