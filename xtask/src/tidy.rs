//! House rules that a compiler does not check; each finding says what to do.

use std::fs;
use std::path::{Path, PathBuf};

/// Names that say nothing, and so attract everything.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];
const LINES_MAX: usize = 500;
const BLOB_BYTES_MAX: u64 = 256 * 1024;

pub(crate) fn check() -> bool {
    let mut findings = Vec::new();
    for path in files(Path::new(".")) {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if EMPTY_NAMES.contains(&name) {
            findings
                .push(format!("{}: `{name}` says nothing; name what it is for", path.display()));
        }
        let size = fs::metadata(&path).map_or(0, |meta| meta.len());
        if size > BLOB_BYTES_MAX && path.file_name().is_none_or(|name| name != "Cargo.lock") {
            findings
                .push(format!("{}: {size} bytes; large files do not belong here", path.display()));
        }
        if path.extension().is_some_and(|ending| ending == "rs") {
            source(&path, &mut findings);
        }
    }
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        if !Path::new(document).is_file() {
            findings.push(format!("{document} is missing"));
        }
    }
    decisions(&mut findings);
    for finding in &findings {
        println!("{finding}");
    }
    findings.is_empty()
}

fn source(path: &Path, findings: &mut Vec<String>) {
    let Ok(text) = fs::read_to_string(path) else { return };
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(format!("{}: {lines} lines; split it below {LINES_MAX}", path.display()));
    }
    // A route says what it is for at its handler, in the words that the API's description shows.
    let says = text.starts_with("//!") || text.contains("#[utoipa::path(");
    if !says && !text.starts_with("#!") && !path.ends_with("build.rs") {
        findings.push(format!("{}: open with what the module is for (`//!`)", path.display()));
    }
    // Written apart, so that this file does not find itself.
    for left in [concat!("FIX", "ME"), concat!("XX", "X:"), concat!("TO", "DO")] {
        if text.contains(left) {
            findings.push(format!(
                "{}: `{left}` left behind; finish it or write an issue",
                path.display()
            ));
        }
    }
}

/// Every decision record has a status.
fn decisions(findings: &mut Vec<String>) {
    for path in files(Path::new("docs/adr")) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        if !text.lines().any(|line| line.starts_with("Status:")) {
            findings.push(format!("{}: no `Status:` line", path.display()));
        }
    }
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(root) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.starts_with("target") || name == "data" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
