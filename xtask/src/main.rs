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

const ON_POSTGRES: &[&str] =
    &["-p", "journal", "-p", "sagas", "--features", "journal/postgres,sagas/postgres"];
const ON_EVENTSTORE: &[&str] = &["-p", "journal", "--features", "eventstore"];

/// A check's name, and what says whether it holds.
type Check = (&'static str, fn() -> bool);

/// The tests come last, so that the output of a good run ends as `cargo test` ends.
fn ci() -> bool {
    install_python();
    let checks: [Check; 7] = [
        ("format", || cargo(&["fmt", "--all", "--check"])),
        ("tidy", tidy::check),
        ("layers", layers::check),
        ("domain alone", || cargo(&["check", "--package", "domain", "--locked"])),
        ("lints", || {
            cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
        }),
        ("lints of what is on PostgreSQL", || {
            let what = [&["clippy", "--all-targets"], ON_POSTGRES].concat();
            cargo(&[&what[..], &["--locked", "--", "-D", "warnings"]].concat())
        }),
        ("lints of what is on EventStoreDB", || {
            let what = [&["clippy", "--all-targets"], ON_EVENTSTORE].concat();
            cargo(&[&what[..], &["--locked", "--", "-D", "warnings"]].concat())
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
    // Starts a PostgreSQL of its own; where there is none to be had it fails.
    let postgres = [&["test"], ON_POSTGRES, &["--test", "postgres", "--test", "keys_postgres"]];
    if !cargo(&[&postgres.concat()[..], &["--locked", "--no-fail-fast"]].concat()) {
        failed.push("tests on PostgreSQL");
    }
    let eventstore = [&["test"], ON_EVENTSTORE, &["--test", "eventstore"]].concat();
    if !cargo(&[&eventstore[..], &["--locked", "--no-fail-fast"]].concat()) {
        failed.push("tests on EventStoreDB's double");
    }
    if !cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]) {
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
