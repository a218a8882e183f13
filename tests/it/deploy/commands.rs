//! Arguments and settings, wherever they are written, exist.

use std::collections::BTreeSet;

use clap::Command;

use super::documents::{files, text};

fn settings() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut rest = vec![tillroll::cli::command_line()];
    while let Some(command) = rest.pop() {
        let named = command.get_arguments().filter_map(|argument| argument.get_env());
        found.extend(named.map(|name| name.to_string_lossy().into_owned()));
        rest.extend(command.get_subcommands().cloned());
    }
    found
}

/// The setting exists, or is one that the entrypoint reads from a file.
#[track_caller]
pub(super) fn is_setting(name: &str) {
    let entrypoint = text("deploy/entrypoint.sh");
    let known = match name.strip_suffix("_FILE") {
        Some(setting) => settings().contains(setting) && entrypoint.contains(setting),
        None => settings().contains(name) || name == "CREDENTIALS_DIRECTORY",
    };
    assert!(known, "there is no setting {name}");
}

/// The program takes these words after its name, whole as they are.
#[track_caller]
pub(super) fn are_arguments(words: &[&str]) {
    let all = ["tillroll"].iter().chain(words);
    if let Err(error) = tillroll::cli::command_line().try_get_matches_from(all) {
        panic!("{words:?}: {error}");
    }
}

/// As [`are_arguments`], for a line meant for people: what stands in it for something is not looked at.
fn make_sense(line: &str) -> Result<(), String> {
    let root = tillroll::cli::command_line();
    let global: BTreeSet<&str> = root.get_arguments().filter_map(|a| a.get_long()).collect();
    let mut at: &Command = &root;
    let mut value = false;
    for said in line.split_whitespace().take_while(|word| !word.starts_with('#') && *word != "&") {
        if let Some(long) = said.strip_prefix("--") {
            let known = global.contains(long)
                || ["help", "version"].contains(&long)
                || at.get_arguments().any(|argument| argument.get_long() == Some(long));
            if !known {
                return Err(format!("{} has no --{long}", at.get_name()));
            }
            let all = at.get_arguments().chain(root.get_arguments());
            let mut named = all.filter(|argument| argument.get_long() == Some(long));
            value = named.any(|argument| argument.get_action().takes_values());
        } else if std::mem::take(&mut value) {
        } else if let Some(next) = at.find_subcommand(said) {
            at = next;
        } else if at.has_subcommands() {
            return Err(format!("{} has no command {said}", at.get_name()));
        }
    }
    Ok(())
}

/// What is said to be typed: after `tillroll` in code, up to the end of it.
fn typed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for paragraph in text.split("\n\n") {
        // Code may go on in the next line of a paragraph, but not in the next one.
        let mut span = false;
        for line in paragraph.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if fenced {
                found.extend(line.trim_start().strip_prefix("tillroll ").map(str::to_owned));
            }
        }
        for part in paragraph.split('`') {
            if span && let Some(words) = part.strip_prefix("tillroll ") {
                found.push(words.replace('\n', " "));
            } else if span && let Some(words) = part.strip_prefix("tillroll\n") {
                found.push(words.replace('\n', " "));
            }
            span = !span;
        }
    }
    found
}

#[test]
fn every_setting_that_is_written_down_exists() {
    let mut seen = 0;
    let all = ["deploy/Dockerfile", "docs/operating.md"].map(str::to_owned);
    for path in files("").into_iter().chain(all) {
        let text = text(&path);
        let parts = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        for name in parts.filter(|part| part.starts_with("TILLROLL_")) {
            // As in TILLROLL_*, for all of them; and the bucket's name.
            if !["TILLROLL_", "TILLROLL_RELAY"].contains(&name) {
                is_setting(name);
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn every_command_that_is_written_down_makes_sense() {
    let mut seen = 0;
    for path in ["docs/operating.md", "README.md"] {
        for line in typed(&text(path)) {
            assert_eq!(make_sense(&line), Ok(()), "{path}: tillroll {line}");
            seen += 1;
        }
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn nonsense_is_found() {
    assert!(make_sense("serv").is_err());
    assert!(make_sense("serve --data x --listen 1:2 --nothing").is_err());
    assert!(make_sense("keys destroy").is_err());
    assert_eq!(typed("a `tillroll verify\n--quick` b\n\n```sh\ntillroll serve\n```\n").len(), 2);
}
