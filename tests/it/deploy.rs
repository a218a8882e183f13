//! What deploy/ and docs/operating.md tell an operator is so: the files agree with each other and with
//! the program, and what can run without containers runs.

mod alerts;
mod backup;
mod commands;
mod compose;
mod dockerfile;
mod documents;
mod host;
mod kubernetes;
mod kubernetes_pods;
mod proxy;
mod scripts;

/// Tells of a check that did not run.
#[allow(clippy::print_stderr, reason = "what was not checked must be seen")]
fn not_checked(what: &str) {
    eprintln!("NOT CHECKED: {what}");
}

/// Whether the program is there; installs its Debian package if that can be.
fn have(program: &str, package: &str) -> bool {
    let there = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain([std::path::PathBuf::from("/usr/sbin")])
            .any(|directory| directory.join(program).exists())
    };
    if !there() {
        let words = ["install", "--yes", "--quiet", "--no-install-recommends", package];
        // Without it the check says that it did not run.
        drop(std::process::Command::new("apt-get").args(words).output());
    }
    there()
}
