//! `tillroll archive`: old events out of the journal's file, into files elsewhere.

use std::path::PathBuf;

use clap::Args;
use journal::{ArchiveBefore, Position, remove_archived, seal};

use super::{Exit, Failure, Global, terminal};
use crate::replay::Moment;

#[derive(Debug, Args)]
pub(super) struct ArchiveArgs {
    /// Archive events that were recorded before this time or day (2026-01-01), or below this
    /// position (@1234).
    #[arg(long, value_name = "MOMENT", value_parser = Moment::starting)]
    before: Moment,
    /// The directory of the archives; keep it with your backups, and reachable.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Take what is archived there out of the journal's file; the engine must not be running.
    #[arg(long)]
    remove: bool,
}

pub(super) fn run(global: &Global, args: &ArchiveArgs) -> Result<Exit, Failure> {
    let stores = global.stores()?;
    let Some(path) = stores.journal.file() else {
        return Err(
            "archives are made of a journal in a file; PostgreSQL has partitions and backups \
                    of its own"
                .into(),
        );
    };
    let before = match args.before {
        Moment::Time(time) => ArchiveBefore::Time(time),
        Moment::Position(position) => ArchiveBefore::Position(position),
    };
    std::fs::create_dir_all(&args.to).map_err(|error| format!("{}: {error}", args.to.display()))?;
    let mut bar = terminal::Progress::new("sealing", "events");
    let mut show = |at: Position, end: Position| bar.at(at.0, Some(end.0));
    let sealed = seal(path, &args.to, before, &mut show);
    bar.done();
    let sealed = sealed?;
    let removed = if args.remove {
        bar.stage("proving", "events");
        let mut show = |at: Position, end: Position| bar.at(at.0, Some(end.0));
        let removed = remove_archived(path, &args.to, &mut show);
        bar.done();
        Some(removed?)
    } else {
        None
    };
    if global.json {
        terminal::say_json(&serde_json::json!({
            "sealed": sealed.as_ref().map(|sealed| serde_json::json!({
                "file": sealed.file, "first": sealed.first, "last": sealed.last,
                "bytes": sealed.bytes, "chunk_bytes": sealed.chunk_bytes, "sha256": sealed.sha256,
            })),
            "removed": removed.map(|removed| serde_json::json!({
                "archives": removed.archives, "through": removed.through,
                "bytes_before": removed.bytes_before, "bytes_after": removed.bytes_after,
            })),
        }))?;
        return Ok(Exit::Ok);
    }
    match &sealed {
        None => terminal::say("no event that old is without an archive")?,
        Some(sealed) => terminal::say(&format!(
            "positions {} to {} are sealed in {}: {} in {}, sha256 {}",
            sealed.first.0,
            sealed.last.0,
            sealed.file.display(),
            megabytes(sealed.chunk_bytes),
            megabytes(sealed.bytes),
            sealed.sha256,
        ))?,
    }
    match removed {
        Some(removed) => terminal::say(&format!(
            "up to position {} the journal reads from archives; its file had {} and has {}",
            removed.through.0,
            megabytes(removed.bytes_before),
            megabytes(removed.bytes_after),
        ))?,
        None if sealed.is_some() => {
            terminal::say("the journal has them still: stop the engine, and run it with --remove")?;
        }
        None => {}
    }
    Ok(Exit::Ok)
}

#[allow(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
