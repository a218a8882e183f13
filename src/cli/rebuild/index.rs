//! `tillroll rebuild search`: the search index again from the catalogue, by the server that has it or
//! here.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use search::{FillProgress, Part, RefillRequest, SearchError};
use tokio::runtime::Runtime;

use crate::cli::finding::FindingArgs;
use crate::cli::{Exit, Failure, Global, terminal};
use crate::compose::{FindingError, Refill, SEARCH, SearchPlace};

pub(super) const NAME: &str = "search";
/// How long a server may take to begin with what it was asked for.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a filling may stand still.
const STILL_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const NOT_FILLED: &str = "the index was not filled; the log says why";

pub(super) fn fill(global: &Global, args: &FindingArgs) -> Result<Exit, Failure> {
    let (stores, options) = (global.stores()?, args.options()?);
    let (journal, reads) = super::sources(&stores)?;
    let directory = stores.data.join(SEARCH);
    let mut bar = terminal::Progress::new("rebuild", "products");
    bar.stage("waiting for the server", "products");
    if matches!(options.place, SearchPlace::Meilisearch { .. }) {
        let refill = Refill::open(&stores, &options, &journal, &reads)?;
        return fill_shared(global, refill, &directory, &mut bar);
    }
    let request = RefillRequest::make(&directory, Part::Words)?;
    let refill = match Refill::open(&stores, &options, &journal, &reads) {
        Ok(refill) => refill,
        Err(FindingError::Engine(SearchError::Unavailable(why))) => {
            return if watch(&directory, &request, &mut bar) {
                say(global, FillProgress::read(&directory, Part::Words))
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
    let last = fill_here(refill, &runtime()?, &mut bar)?;
    if last.finished > 0 {
        return say(global, Some(last));
    }
    request.done();
    Err(NOT_FILLED.into())
}

/// Asks the node that writes the index, wherever it is, and fills it here only if none takes the request.
fn fill_shared(
    global: &Global,
    refill: Refill,
    directory: &Path,
    bar: &mut terminal::Progress,
) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let engine = Arc::clone(&refill.engine);
    let here_before = FillProgress::read(directory, Part::Words);
    runtime.block_on(engine.request_refill()).map_err(FindingError::from)?;
    let first = runtime.block_on(engine.refilling()).map_err(FindingError::from)?;
    let (mut moved, mut last, mut taken) = (Instant::now(), first.filling, false);
    loop {
        let now = runtime.block_on(engine.refilling()).map_err(FindingError::from)?;
        if !now.is_requested {
            bar.done();
            // Only a filling by a server with this data directory tells how fast it was, a moment after the
            // new index serves.
            let is_told = |it: &FillProgress| Some(*it) != here_before && !it.is_running;
            let here = FillProgress::read(directory, Part::Words).filter(is_told);
            let elsewhere = FillProgress { done: now.serving, ..FillProgress::default() };
            return say(global, Some(here.unwrap_or(elsewhere)));
        }
        if now.filling != last {
            (moved, last, taken) = (Instant::now(), now.filling, true);
        }
        if let Some(done) = now.filling.filter(|_| taken) {
            bar.stage("filling", "products");
            bar.at(done, Some(now.serving.max(done)));
        }
        if taken && moved.elapsed() > STILL_MAX {
            return Err("the node that fills the index stands still; its log may say why".into());
        }
        if !taken && moved.elapsed() > TAKEN_WITHIN {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    // Should a node come to lead just now, whoever finds that the other wrote reads on from there.
    let last = fill_here(refill, &runtime, bar)?;
    if last.finished > 0 { say(global, Some(last)) } else { Err(NOT_FILLED.into()) }
}

/// What an index is filled in by a process without any other work.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// Fills the index in this process; what was reached when it was done or stood still.
fn fill_here(
    refill: Refill,
    runtime: &Runtime,
    bar: &mut terminal::Progress,
) -> Result<FillProgress, Failure> {
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
fn watch(directory: &Path, request: &RefillRequest, bar: &mut terminal::Progress) -> bool {
    let mut moved = Instant::now();
    let mut last = FillProgress::read(directory, Part::Words);
    let mut taken = false;
    while request.is_open() {
        let now = FillProgress::read(directory, Part::Words);
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
        terminal::say(
            "vectors and suggestions are another part: `tillroll rebuild recommendations`",
        )?;
    }
    Ok(Exit::Ok)
}
