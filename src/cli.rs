//! The command line: what is asked for, and exit codes that mean something.

mod archive;
mod finding;
mod import;
mod journal;
mod keys;
mod log;
mod migrate;
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

use crate::compose::{JournalPlace, Stores};

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

const EVERYWHERE: &str = "With every command";

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The directory with everything: journal, keys, read models.
    #[arg(long, global = true, env = "TILLROLL_DATA", default_value = "tillroll-data")]
    #[arg(help_heading = EVERYWHERE)]
    pub data: PathBuf,
    /// Where the journal is: a file, or postgres://USER:PASSWORD@HOST:5432/DATABASE, which several
    /// nodes may share; without it, a file in the data directory.
    #[arg(long, global = true, env = "TILLROLL_JOURNAL", hide_env_values = true)]
    #[arg(value_name = "URL", help_heading = EVERYWHERE)]
    pub journal: Option<String>,
    /// The database with the keys to personal data, postgres://…; without it, a file in the data
    /// directory or, if the journal is in a database, that one.
    #[arg(long, global = true, env = "TILLROLL_KEYS", hide_env_values = true)]
    #[arg(value_name = "URL", help_heading = EVERYWHERE)]
    pub keys: Option<String>,
    /// The database with the read models, postgres://…, which nodes share and anybody may read;
    /// without it, files in the data directory.
    #[arg(long, global = true, env = "TILLROLL_READ_MODELS", hide_env_values = true)]
    #[arg(value_name = "URL", help_heading = EVERYWHERE)]
    pub read_models: Option<String>,
    /// Write JSON for a script instead of text for a person.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// What to log, such as `info` or `warn,sagas=debug`; without it, `info` for
    /// `serve` and `warn` for the others.
    #[arg(long, global = true, env = "TILLROLL_LOG", help_heading = EVERYWHERE)]
    pub log: Option<String>,
    /// How to write the log.
    #[arg(long, global = true, env = "TILLROLL_LOG_FORMAT", value_enum, default_value = "text")]
    #[arg(help_heading = EVERYWHERE)]
    pub log_format: log::Format,
}

impl Global {
    /// The stores that were named, and the usual ones for the rest.
    fn stores(&self) -> Result<Stores, Failure> {
        let mut stores = Stores::in_directory(&self.data);
        if let Some(journal) = &self.journal {
            stores.journal = JournalPlace::parse(journal)?;
        }
        stores.keys.clone_from(&self.keys);
        stores.read_models.clone_from(&self.read_models);
        Ok(stores)
    }
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
    /// Build read models, the search index or recommendations again, also beside a running server.
    Rebuild(rebuild::RebuildArgs),
    /// Check the data directory against the laws that must always hold.
    Verify(verify::VerifyArgs),
    /// Make the tables that the journal named by --journal needs, or bring them up to date; safe to
    /// run again, and by several at once.
    Migrate,
    /// Move a journal: into PostgreSQL, out of it, into another file.
    Journal(journal::JournalArgs),
    /// Seal old events in files elsewhere, and take them out of the journal's file.
    Archive(archive::ArchiveArgs),
    /// Manage API keys and the master key.
    Keys(keys::KeysArgs),
    /// List and print the schemas of events.
    Schemas(schemas::SchemasArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell to complete in.
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// What is logged unless it is said otherwise.
    fn usual_log(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            _ => "warn",
        }
    }
}

/// The command line as it can be written, for whoever checks that what is written of it is so.
#[must_use]
pub fn command_line() -> clap::Command {
    Cli::command()
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
    if let Err(error) = log::start(&cli.global, cli.command.usual_log()) {
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
        Command::Migrate => migrate::run(&cli.global),
        Command::Journal(args) => journal::run(&cli.global, args),
        Command::Archive(args) => archive::run(&cli.global, args),
        Command::Keys(args) => keys::run(&cli.global, args),
        Command::Schemas(args) => schemas::run(&cli.global, args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "tillroll", &mut script);
            let script = String::from_utf8_lossy(&script);
            terminal::say(script.trim_end()).map(|()| Exit::Ok).map_err(Failure::from)
        }
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) if terminal::reader_has_gone(error.as_ref()) => Exit::Ok.into(),
        Err(error) => {
            terminal::complain(error.as_ref());
            Exit::Failed.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_argument_says_what_it_is_for() {
        let command = Cli::command();
        command.clone().debug_assert();
        let mut rest = vec![command];
        while let Some(command) = rest.pop() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {}", argument.get_id());
            }
            rest.extend(command.get_subcommands().cloned());
        }
    }
}
