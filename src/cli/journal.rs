//! `tillroll journal`: moves journals between the places where one can be kept.

use ::journal::{
    Copied, CopyError, CopyOptions, CopyProgress, CopyStage, Journal, check_copy, copy,
};
use clap::{Args, Subcommand};

use super::{Exit, Failure, Global, terminal};
use crate::compose::{CopyEnd, JournalPlace};

#[derive(Debug, Args)]
pub(super) struct JournalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Copy a journal event by event, and prove that the copy is whole.
    ///
    /// A run that was cut off is taken up by the next. Events that come in meanwhile are left for
    /// the next run too: stop the engine before the last one.
    Copy {
        /// A data directory, a journal's file, postgres://USER:PASSWORD@HOST:5432/DATABASE, or
        /// esdb://USER:PASSWORD@HOST:2113.
        from: String,
        /// The same; a directory must be there already. What is there must be empty, or an
        /// earlier copy.
        to: String,
        /// Leave the sandbox provider's books behind.
        #[arg(long)]
        without_sandbox: bool,
    },
}

pub(super) fn run(global: &Global, args: &JournalArgs) -> Result<Exit, Failure> {
    let What::Copy { from, to, without_sandbox } = &args.what;
    let from = CopyEnd::journal(JournalPlace::parse(from)?, &global.data);
    let to = CopyEnd::journal(JournalPlace::parse(to)?, &global.data);
    copy_one(global, "journal", &from, &to)?;
    if *without_sandbox {
        return Ok(Exit::Ok);
    }
    match (from.sandbox().filter(CopyEnd::may_be_there), to.sandbox()) {
        (Some(from), Some(to)) => copy_one(global, "sandbox", &from, &to)?,
        (Some(_), None) if !global.json => {
            terminal::say(
                "a single file has no room for the sandbox provider's books: not copied",
            )?;
        }
        _ => {}
    }
    Ok(Exit::Ok)
}

fn copy_one(
    global: &Global,
    what: &'static str,
    from: &CopyEnd,
    to: &CopyEnd,
) -> Result<(), Failure> {
    if from.is_also(to) {
        return Err(CopyError::Itself.into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let source = from.open_source()?;
    let mut bar = Bar { bar: terminal::Progress::new("copying", "events"), at: None };
    let copied = runtime.block_on(through(&*source, to, &mut bar));
    bar.bar.done();
    let copied = copied?;
    let more = source.head().0 - copied.through.0;
    if global.json {
        terminal::say_json(&serde_json::json!({
            "copied": what, "journal_id": copied.journal, "events": copied.through.0,
            "found": copied.found, "sha256": copied.digest.to_string(), "since": more,
        }))?;
        return Ok(());
    }
    terminal::say(&format!(
        "{what} {}: {} events, {} of them new; read again and the same (sha256 {})",
        copied.journal,
        copied.through.0,
        copied.through.0 - copied.found,
        copied.digest,
    ))?;
    if more > 0 {
        terminal::say(&format!("{more} events came in meanwhile: run it again for them"))?;
    }
    Ok(())
}

async fn through(source: &dyn Journal, to: &CopyEnd, bar: &mut Bar) -> Result<Copied, Failure> {
    let options = CopyOptions::default();
    let target = to.open_target(source.id())?;
    let copied = copy(source, &*target, &options, &mut |at| bar.show(at)).await;
    target.close().await?;
    drop(target);
    let copied = copied?;
    // Opened anew, it is read from where it is kept.
    let target = to.open_target(source.id())?;
    let checked = check_copy(&copied, &*target, &options, &mut |at| bar.show(at)).await;
    target.close().await?;
    drop(target);
    checked?;
    to.finish()?;
    Ok(copied)
}

/// Progress counted from where each stage began, so that its rate is right.
struct Bar {
    bar: terminal::Progress,
    at: Option<(CopyStage, u64)>,
}

impl Bar {
    fn show(&mut self, at: CopyProgress) {
        let began = match self.at {
            Some((stage, began)) if stage == at.stage => began,
            _ => {
                self.bar.stage(
                    match at.stage {
                        CopyStage::Comparing => "comparing",
                        CopyStage::Copying => "copying",
                        CopyStage::Checking => "checking",
                    },
                    "events",
                );
                self.at = Some((at.stage, at.done));
                at.done
            }
        };
        self.bar.at(at.done - began, Some(at.total - began));
    }
}
