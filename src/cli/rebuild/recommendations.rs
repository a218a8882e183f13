//! `tillroll rebuild recommendations`: vectors, and what is suggested by them and by what was bought, again
//! from the read models, by the server that has them or here.

use std::path::Path;
use std::time::{Duration, Instant};

use search::{FillProgress, Part, Placed, RefillRequest, Stage};

use crate::cli::finding::FindingArgs;
use crate::cli::{Exit, Failure, Global, terminal};
use crate::compose::{Remake, SEARCH, Stores};

pub(super) const NAME: &str = "recommendations";
/// How long nothing may be heard of: one piece of the work is a training, on all orders or texts.
const STILL_MAX: Duration = Duration::from_secs(15 * 60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn remake(global: &Global, args: &FindingArgs) -> Result<Exit, Failure> {
    let (stores, options) = (global.stores()?, args.options()?);
    let (journal, reads) = super::sources(&stores)?;
    let mut bar = terminal::Progress::new("rebuild", "products");
    if let Some(remake) = Remake::open(&stores, &options, &journal, &reads)? {
        let mut last = FillProgress::default();
        let outcome = remake.run(|now| {
            last = now;
            show(&mut bar, now);
        })?;
        bar.done();
        match outcome {
            Placed::Serves => return say(global, last, "serves from the next start on"),
            Placed::Nothing => return say_nothing(global),
            // A server started meanwhile, and has the old ones.
            Placed::Kept => {}
        }
    }
    let directory = stores.data.join(SEARCH);
    let request = RefillRequest::make(&directory, Part::Recommendations)?;
    bar.stage("waiting for the server", "products");
    watch(global, &stores, &directory, request, &mut bar)
}

fn show(bar: &mut terminal::Progress, now: FillProgress) {
    let label = match now.stage {
        Stage::Filling => "reading products",
        Stage::Vectors => "vectors",
        Stage::Orders => "learning from orders",
        Stage::Similar => "similar products",
    };
    bar.stage(label, "products");
    bar.at(now.done, (now.total > 0).then_some(now.total));
}

/// Watches the server that was asked. A request that nobody began to meet is taken back: it would have the
/// next server make everything anew, although somebody else may have done so by then.
fn watch(
    global: &Global,
    stores: &Stores,
    directory: &Path,
    request: RefillRequest,
    bar: &mut terminal::Progress,
) -> Result<Exit, Failure> {
    let part = Part::Recommendations;
    let first = FillProgress::read(directory, part);
    let (mut moved, mut last, mut vectors) = (Instant::now(), first, FillProgress::default());
    while request.is_open() {
        let now = FillProgress::read(directory, part);
        if now != last {
            (moved, last) = (Instant::now(), now);
        }
        if let Some(now) = now.filter(|now| now.is_running && last != first) {
            show(bar, now);
            if now.stage == Stage::Vectors {
                vectors = now;
            }
        }
        if !Remake::is_for_a_server(stores) && request.is_open() {
            if last == first {
                request.done();
                return Err("the server ended before it began: ask again".into());
            }
            let ended = "the server ended before it was done: it begins again when it is started";
            return Err(ended.into());
        }
        if moved.elapsed() > STILL_MAX {
            request.done();
            return Err("the server was asked and stands still; its log may say why".into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    bar.done();
    let Some(last) = FillProgress::read(directory, part).filter(|last| Some(*last) != first) else {
        return Err("the server did not do what it was asked for; its log may say why".into());
    };
    if last.finished == 0 || last.is_running || last.stage != Stage::Similar {
        return Err("not made anew, the old ones serve on; the server's log says why".into());
    }
    let done = FillProgress { done: last.done, ..vectors };
    say(global, done, "serves now")
}

fn say(global: &Global, done: FillProgress, serves: &str) -> Result<Exit, Failure> {
    if global.json {
        terminal::say_json(&serde_json::json!({
            "model": NAME, "serves": true, "products": done.done,
            "products_per_s": done.products_per_s,
        }))?;
    } else {
        terminal::say(&format!("{NAME:<28} rebuilt, {serves}"))?;
        let (products, rate) = (done.done, done.products_per_s);
        terminal::say(&format!("from {products} products, {rate} vectors a second"))?;
    }
    Ok(Exit::Ok)
}

fn say_nothing(global: &Global) -> Result<Exit, Failure> {
    if global.json {
        let said = serde_json::json!({
            "model": NAME, "serves": false, "products": 0, "products_per_s": 0,
        });
        terminal::say_json(&said)?;
    } else {
        terminal::say(&format!(
            "{NAME:<28} not rebuilt: nothing is for sale, what there was stays"
        ))?;
    }
    Ok(Exit::Ok)
}
