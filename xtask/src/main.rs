//! The gate: one command that tells whether the tree is good.
//!
//! `cargo xtask ci` checks format, lints, layers and tidiness, and runs every test. It needs
//! nothing but cargo; what a check needs besides is installed here, or the check says loudly that
//! it did not run.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod layers;
mod tidy;

use std::process::{Command, ExitCode};
use std::time::Instant;

const USAGE: &str = "usage: cargo xtask ci | tidy | layers";

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let good = match wanted.as_str() {
        "ci" => ci(),
        "tidy" => tidy::check(),
        "layers" => layers::check(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the program is made with, so that everything is built once; and the crates by themselves
/// are checked without.
const WITH_ALL: [&str; 2] = ["--features", FEATURES];
const FEATURES: &str = "journal/postgres,journal/eventstore,projections/postgres,sagas/postgres,sagas/nats,search/meilisearch,\
     search/sentence-transformer";

/// A check's name, and what says whether it holds.
type Check = (&'static str, fn() -> bool);

/// The tests come last, so that the output of a good run ends as `cargo test` ends.
fn ci() -> bool {
    install_python();
    let checks: [Check; 6] = [
        ("format", || cargo(&["fmt", "--all", "--check"])),
        ("tidy", tidy::check),
        ("layers", layers::check),
        ("domain alone", || cargo(&["check", "--package", "domain", "--locked"])),
        ("lints", || {
            let what = [&["clippy", "--workspace", "--all-targets", "--locked"], &WITH_ALL[..]];
            cargo(&[&what.concat()[..], &["--", "-D", "warnings"]].concat())
        }),
        ("without what is optional", || {
            cargo(&["check", "--no-default-features", "--locked", "--bin", "tillroll"])
        }),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        println!("== {name}");
        let started = Instant::now();
        let good = check();
        let verdict = if good { "good" } else { "FAILED" };
        println!("== {name}: {verdict} in {:.0?}", started.elapsed());
        if !good {
            failed.push(name);
        }
    }
    println!("== tests");
    // They start servers of their own; where there are none to be had they fail.
    let tests = [&["test", "--workspace", "--locked", "--no-fail-fast"], &WITH_ALL[..]].concat();
    if !cargo(&tests) {
        failed.push("tests");
    }
    if !failed.is_empty() {
        println!("FAILED: {}", failed.join(", "));
    }
    failed.is_empty()
}

fn cargo(words: &[&str]) -> bool {
    run(Command::new(env!("CARGO")).args(words))
}

fn run(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{command:?}: {error}");
            false
        }
    }
}

/// The independent count of what was bought together is written in Python, apart from the engine.
fn install_python() {
    let there = Command::new("python3").arg("--version").output().is_ok();
    if there {
        return;
    }
    println!("== installing python3");
    // Lists that are out of date, or cannot be had, do not have to be in the way.
    run(Command::new("apt-get").args(["update", "--quiet"]));
    let words = ["install", "--yes", "--quiet", "--no-install-recommends", "python3"];
    if !run(Command::new("apt-get").args(words)) {
        println!("NOT CHECKED: python3 cannot be installed, so the independent counts do not run");
    }
}
