//! The command line: what is asked for, and exit codes that mean something.

mod import;
mod keys;
mod log;
mod rebuild;
mod replay;
mod schemas;
mod serve;
mod shop;
mod terminal;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok,
    /// Done, and what was looked for was found wanting (a law is broken, rows differ).
    Wanting,
    /// Not done; one line on standard error says why.
    Failed,
    /// The arguments cannot be used.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Ok => Self::SUCCESS,
            Exit::Wanting => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::Failed => Self::from(3),
        }
    }
}

/// Any failure of a command, told in one line.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An event-sourced order engine: carts, stock, checkout, shipments and returns on one
/// append-only journal.
#[derive(Debug, Parser)]
#[command(name = "tillroll", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 done and found wanting, 2 wrong arguments, 3 failed."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The directory with everything: journal, keys, read models.
    #[arg(long, global = true, env = "TILLROLL_DATA", default_value = "tillroll-data")]
    pub data: PathBuf,
    /// Write JSON for a script instead of text for a person.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to log, such as `info` or `warn,sagas=debug`.
    #[arg(long, global = true, env = "TILLROLL_LOG", default_value = "info")]
    pub log: String,
    /// How to write the log.
    #[arg(long, global = true, env = "TILLROLL_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: log::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine and its HTTP API.
    Serve(serve::ServeArgs),
    /// Run the engine with a generated shop and traffic on it, and say what to look at.
    Demo(shop::DemoArgs),
    /// Bring in a catalogue, stock or past orders from CSV.
    Import(import::ImportArgs),
    /// Tell what happened: an order's story, any state at any time, the log itself.
    Replay(replay::ReplayArgs),
    /// Build read models again from the journal, also beside a running server.
    Rebuild(rebuild::RebuildArgs),
    /// Check the data directory against the laws that must always hold.
    Verify(verify::VerifyArgs),
    /// Manage API keys, the master key, and the erasure of persons.
    Keys(keys::KeysArgs),
    /// List and print the schemas of events.
    Schemas(schemas::SchemasArgs),
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for_help = !error.use_stderr();
            // Nothing can be done about a terminal that is gone.
            let _ = error.print();
            return if asked_for_help { Exit::Ok.into() } else { Exit::Usage.into() };
        }
    };
    if let Err(error) = log::start(&cli.global) {
        terminal::complain(error.as_ref());
        return Exit::Usage.into();
    }
    let done = match &cli.command {
        Command::Serve(args) => serve::run(&cli.global, args),
        Command::Demo(args) => shop::run(&cli.global, args),
        Command::Import(args) => import::run(&cli.global, args),
        Command::Replay(args) => replay::run(&cli.global, args),
        Command::Rebuild(args) => rebuild::run(&cli.global, args),
        Command::Verify(args) => verify::run(&cli.global, args),
        Command::Keys(args) => keys::run(&cli.global, args),
        Command::Schemas(args) => schemas::run(&cli.global, args),
        Command::Completions { shell } => {
            clap_complete::generate(
                *shell,
                &mut Cli::command(),
                "tillroll",
                &mut std::io::stdout(),
            );
            Ok(Exit::Ok)
        }
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::complain(error.as_ref());
            Exit::Failed.into()
        }
    }
}
