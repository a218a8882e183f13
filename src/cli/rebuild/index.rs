//! `tillroll rebuild search`: the search index again from the catalogue, by the server that has it or
//! here.

use std::time::{Duration, Instant};

use projections::{ReadModels, models};
use search::{FillProgress, RefillRequest, SearchError};

use crate::cli::finding::FindingArgs;
use crate::cli::{Exit, Failure, Global, terminal};
use crate::compose::{FindingError, Refill, SEARCH, SearchPlace};

pub(super) const NAME: &str = "search";
/// How long a server may take to begin with what it was asked for.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a filling may stand still.
const STILL_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn fill(global: &Global, args: &FindingArgs) -> Result<Exit, Failure> {
    let (stores, options) = (global.stores()?, args.options()?);
    let journal = stores.read_journal()?;
    if !stores.has_read_models() {
        return Err("there are no read models yet: `tillroll serve` makes them".into());
    }
    let reads = ReadModels::open(&stores.read_models()?, &models::all())?;
    let directory = stores.data.join(SEARCH);
    let request = RefillRequest::make(&directory)?;
    let mut bar = terminal::Progress::new("rebuild", "products");
    bar.stage("waiting for the server", "products");
    // A server of Meilisearch does not tell whether anybody else writes to it.
    let is_shared = matches!(options.place, SearchPlace::Meilisearch { .. });
    if is_shared && watch(&directory, &request, &mut bar) {
        return say(global, FillProgress::read(&directory));
    }
    let refill = match Refill::open(&stores, &options, &journal, &reads) {
        Ok(refill) => refill,
        Err(FindingError::Engine(SearchError::Unavailable(why))) if !is_shared => {
            return if watch(&directory, &request, &mut bar) {
                say(global, FillProgress::read(&directory))
            } else {
                request.done();
                Err(format!("whoever has the index did not fill it: {why}").into())
            };
        }
        Err(error) => {
            request.done();
            return Err(error.into());
        }
    };
    let last = fill_here(refill, &mut bar)?;
    if last.finished > 0 {
        return say(global, Some(last));
    }
    request.done();
    Err("the index was not filled; the log says why".into())
}

/// Fills the index in this process; what was reached when it was done or stood still.
fn fill_here(refill: Refill, bar: &mut terminal::Progress) -> Result<FillProgress, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let fills = refill.fills.clone();
    let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
    let filling = runtime.spawn(refill.run(async move { drop(given_up.await) }));
    let (mut moved, mut last) = (Instant::now(), *fills.borrow());
    while !filling.is_finished() && moved.elapsed() < STILL_MAX {
        let now = *fills.borrow();
        if now != last {
            (moved, last) = (Instant::now(), now);
            bar.stage("filling", "products");
            bar.at(now.done, Some(now.total));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    drop(give_up);
    runtime.block_on(filling)?;
    bar.done();
    let last = *fills.borrow();
    Ok(last)
}

/// Watches whoever else fills the index; false if nobody does.
fn watch(
    directory: &std::path::Path,
    request: &RefillRequest,
    bar: &mut terminal::Progress,
) -> bool {
    let mut moved = Instant::now();
    let mut last = FillProgress::read(directory);
    let mut taken = false;
    while request.is_open() {
        let now = FillProgress::read(directory);
        if now != last {
            (moved, last) = (Instant::now(), now);
            taken = true;
        }
        if let Some(progress) = now.filter(|progress| taken && progress.is_running) {
            bar.stage("filling", "products");
            bar.at(progress.done, Some(progress.total));
        }
        if moved.elapsed() > if taken { STILL_MAX } else { TAKEN_WITHIN } {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    bar.done();
    true
}

fn say(global: &Global, done: Option<FillProgress>) -> Result<Exit, Failure> {
    let done = done.unwrap_or_default();
    if global.json {
        terminal::say_json(&serde_json::json!({
            "model": NAME, "serves": true, "products": done.done,
            "products_per_s": done.products_per_s,
        }))?;
    } else {
        terminal::say(&format!("{NAME:<28} rebuilt, serves now"))?;
        terminal::say(&format!("from {} products, {} a second", done.done, done.products_per_s))?;
    }
    Ok(Exit::Ok)
}
