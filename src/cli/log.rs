//! The log of the process: structured, to standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::{Failure, Global};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// Starts the log, with the usual filter unless another is asked for; a filter that cannot be read
/// is an error.
pub(super) fn start(global: &Global, usual: &str) -> Result<(), Failure> {
    let wanted = global.log.as_deref().unwrap_or(usual);
    let filter =
        EnvFilter::try_new(wanted).map_err(|error| format!("--log `{wanted}`: {error}"))?;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal() && !plain)
        .with_writer(std::io::stderr);
    match global.log_format {
        Format::Text => log.with_target(false).compact().try_init(),
        Format::Json => log.json().flatten_event(true).try_init(),
    }
}
