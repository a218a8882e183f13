//! `tillroll rebuild`: read models, the search index, and what products are recommended by, again from the
//! journal, beside a running server or alone.

use std::ops::ControlFlow;
use std::sync::Arc;

use clap::Args;
use journal::Journal;
use projections::{
    Directory, Phase, ReadModels, RebuildOptions, RebuildProgress, Rebuilt, Registration, models,
    rebuild, retry_parked,
};

use super::finding::FindingArgs;
use super::{Exit, Failure, Global, terminal};
use crate::compose::Stores;

mod index;
mod recommendations;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(false))]
pub(super) struct RebuildArgs {
    /// What to build again: the name of a read model (`--list` names them); `search`, the index that finds
    /// products by words; `recommendations`, vectors and all that is suggested.
    #[arg(group = "which", value_name = "WHAT")]
    name: Option<String>,
    /// Build all read models, in one pass over the journal. The other two notice that by themselves.
    #[arg(long, group = "which")]
    all: bool,
    /// Name all that can be built again.
    #[arg(long, group = "which")]
    list: bool,
    /// Compare the new rows with the ones that serve, before they take their place; exit code 1 if
    /// they differ.
    #[arg(long)]
    compare: bool,
    /// Build nothing: try the events again that were set aside because they could not be digested.
    #[arg(long, conflicts_with = "compare")]
    parked: bool,
    #[command(flatten)]
    finding: FindingArgs,
}

pub(super) fn run(global: &Global, args: &RebuildArgs) -> Result<Exit, Failure> {
    if args.list {
        for model in models::all() {
            terminal::say(model.name())?;
        }
        terminal::say(index::NAME)?;
        terminal::say(recommendations::NAME)?;
        return Ok(Exit::Ok);
    }
    let of_finding = match args.name.as_deref() {
        Some(index::NAME) => Some(index::fill as fn(&_, &_) -> _),
        Some(recommendations::NAME) => Some(recommendations::remake as fn(&_, &_) -> _),
        _ => None,
    };
    if let Some(build) = of_finding {
        if args.compare || args.parked {
            return Err("--compare and --parked are for read models".into());
        }
        return build(global, &args.finding);
    }
    let chosen: Vec<Registration> = models::all()
        .into_iter()
        .filter(|model| args.name.as_deref().is_none_or(|name| name == model.name()))
        .collect();
    if chosen.is_empty() {
        let name = args.name.as_deref().unwrap_or_default();
        return Err(
            format!("nothing is called `{name}`; `tillroll rebuild --list` names them").into()
        );
    }
    let journal = global.stores()?.read_journal()?;
    let directory = global.stores()?.read_models()?;
    if args.parked {
        return try_parked_again(global, &journal, &directory, &chosen);
    }
    let options = RebuildOptions { compare: args.compare, ..RebuildOptions::default() };
    let mut bar = terminal::Progress::new("rebuild", "events");
    let (mut rate, mut events) = (0, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tell = |progress: &RebuildProgress| {
        let label = match progress.phase {
            Phase::Replaying => "replaying",
            Phase::Comparing => "comparing",
            Phase::Swapping => "waiting for the swap",
        };
        bar.stage(label, "events");
        (rate, events) = (progress.events_per_s, progress.events_total);
        match progress.phase {
            Phase::Replaying => bar.at(progress.events_done, Some(progress.events_total)),
            Phase::Comparing | Phase::Swapping => bar.at(0, None),
        }
        ControlFlow::Continue(())
    };
    let rebuilt = runtime.block_on(rebuild(&journal, &directory, &chosen, options, &mut tell))?;
    bar.done();
    match rebuilt {
        Rebuilt::Stopped { .. } => {
            Err("stopped; the next rebuild goes on where this one ended".into())
        }
        Rebuilt::Finished(done) => {
            let mut exit = Exit::Ok;
            for model in done {
                let differ = model.differences.as_ref().map(Vec::len);
                if differ.is_some_and(|count| count > 0) {
                    exit = Exit::Wanting;
                }
                if global.json {
                    terminal::say_json(&serde_json::json!({
                        "model": model.model, "serves": model.serves, "differences": differ,
                        "events": events, "events_per_s": rate,
                    }))?;
                    continue;
                }
                let compared = match differ {
                    None => String::new(),
                    Some(0) => ", every row as it was".to_owned(),
                    Some(count) => format!(", {count} rows DIFFER"),
                };
                let serves = if model.serves {
                    "serves now"
                } else {
                    "ready; the running server takes it over"
                };
                terminal::say(&format!("{:<28} rebuilt, {serves}{compared}", model.model))?;
                for difference in model.differences.iter().flatten().take(5) {
                    terminal::say(&format!("    {difference:?}"))?;
                }
            }
            if !global.json {
                terminal::say(&format!("from {events} events, {rate} a second"))?;
            }
            Ok(exit)
        }
    }
}

/// What makes products findable is made from.
fn sources(stores: &Stores) -> Result<(Arc<dyn Journal>, ReadModels), Failure> {
    let journal = stores.read_journal()?;
    if !stores.has_read_models() {
        return Err("there are no read models yet: `tillroll serve` makes them".into());
    }
    Ok((journal, ReadModels::open(&stores.read_models()?, &models::all())?))
}

/// Exit code 1 if some fail again.
fn try_parked_again(
    global: &Global,
    journal: &Arc<dyn Journal>,
    directory: &Directory,
    chosen: &[Registration],
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let left = runtime.block_on(retry_parked(journal, directory, chosen))?;
    if global.json {
        terminal::say_json(&serde_json::json!({ "parked": left }))?;
    } else {
        terminal::say(&match left {
            Some(left) => format!("{left} events are set aside now"),
            None => "the running server tries them again within about a second".to_owned(),
        })?;
    }
    Ok(if left.is_some_and(|left| left > 0) { Exit::Wanting } else { Exit::Ok })
}
