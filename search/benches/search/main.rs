//! What searching in a shop of 100,000 products costs: questions of several kinds, each with three
//! facets and price buckets, and how fast the index is filled and changed.
//!
//! `cargo bench -p search --bench search -- [products] [seconds for each kind] [part of a kind's name]`.
//! Budget: a question with a text takes
//! less than 2 ms at the 95th percentile, one client, in process; by words and by meaning, with a
//! question never seen, 20 ms (`--features sentence-transformer`, `TILLROLL_TEST_SENTENCE_MODEL`).

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop where it is")]

#[cfg(feature = "sentence-transformer")]
mod hybrid;
mod shop;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::Currency;
use domain::pricing::Tier;
use journal::Position;
use search::text::TextSettings;
use search::{
    AttributeFacets, Changes, EmbeddedEngine, FacetRequest, Filled, Filter, Fusion, Neighbour,
    Order, PriceFilter, Question, SearchEngine, Shelf,
};
use shop::{Dice, Shop};

const KINDS: [Kind; 15] = [
    Kind::Words(1),
    Kind::Words(2),
    Kind::Words(3),
    Kind::Misspelt,
    Kind::Prefix,
    Kind::Letter,
    Kind::Frequent,
    Kind::Filtered,
    Kind::Fused,
    Kind::Explained,
    Kind::Browse(Order::Relevance),
    Kind::Browse(Order::PriceAscending),
    Kind::Browse(Order::Name),
    Kind::BrowseAgain,
    Kind::BrowseFiltered,
];
const QUESTIONS: usize = 2000;
const BATCH: usize = 1000;
/// Hits of a page that is too long for its answer to be kept.
const NOT_KEPT: usize = 201;
/// Each question is asked so often in a row. The best time of each is what it takes where nothing else
/// wants the processor, which matters on a machine that is never quiet.
const TIMES: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Words(usize),
    /// Two words, of one of which two letters are swapped.
    Misspelt,
    /// A word, and the beginning of another.
    Prefix,
    /// The first letter of a word.
    Letter,
    /// One of the words that most products have.
    Frequent,
    /// A word, in a category, of two brands, with a price.
    Filtered,
    /// Two words, and a hundred neighbours.
    Fused,
    /// Two words.
    Explained,
    Browse(Order),
    /// The front page, as long as nothing changes.
    BrowseAgain,
    /// A category, two brands, a value of an attribute.
    BrowseFiltered,
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    let products = numbers.first().copied().unwrap_or(100_000);
    let seconds = numbers.get(1).copied().unwrap_or(2);
    let wanted = std::env::args().skip(1).find(|word| word.starts_with(char::is_alphabetic));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let made_up = Shop::new();
    let shelf = Shelf::default();
    let engine =
        EmbeddedEngine::open(directory.path(), TextSettings::default(), shelf.clone()).unwrap();

    let before = resident("VmRSS");
    put_on(&shelf, &made_up, products);
    println!("process {:.0} MB before, {:.0} MB with the shelf", before, resident("VmRSS"));
    runtime.block_on(fill(&engine, &made_up, products));
    println!(
        "index {:.1} MB on disk; process {:.0} MB, {:.0} MB at most",
        engine.bytes_on_disk() as f64 / 1e6,
        resident("VmRSS"),
        resident("VmHWM")
    );

    println!(
        "| question | matches | clients | per s | p50 | p95 | p99 ms | p95 undisturbed | p95 of texts never seen | processor ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for kind in KINDS {
        if wanted.as_ref().is_some_and(|part| !format!("{kind:?}").contains(part)) {
            continue;
        }
        let questions: Arc<Vec<Question>> = Arc::new(
            (0..QUESTIONS)
                .map(|number| question(kind, number, products, &made_up, &shelf))
                .collect(),
        );
        for clients in [1, 8] {
            measure(&engine, kind, &questions, clients, Duration::from_secs(seconds as u64));
        }
        if matches!(kind, Kind::Words(2)) {
            // What the way through a thread of its own costs, as the port goes.
            runtime.block_on(measure_port(&engine, &questions, seconds));
        }
    }
    if wanted.as_ref().is_none_or(|part| "Hybrid".contains(part)) {
        #[cfg(feature = "sentence-transformer")]
        runtime.block_on(hybrid::measure(
            engine.clone(),
            &shelf,
            &made_up,
            products,
            Duration::from_secs(seconds as u64 * 5),
        ));
        #[cfg(not(feature = "sentence-transformer"))]
        println!("hybrid NOT MEASURED: built without the feature sentence-transformer");
    }
    runtime.block_on(change(&engine, &shelf, &made_up, products));
    println!("process {:.0} MB, {:.0} MB at most", resident("VmRSS"), resident("VmHWM"));
}

fn put_on(shelf: &Shelf, made_up: &Shop, products: usize) {
    let documents = made_up.documents(0, products);
    let started = Instant::now();
    shelf.replace(&documents, &made_up.categories);
    println!(
        "shelf: {products} products in {:.0} ms, {:.0} bytes each",
        started.elapsed().as_secs_f64() * 1e3,
        shelf.bytes() as f64 / products as f64
    );
    let bounds = || shelf.price_bounds(Currency::GBP, Tier::Retail, shop::at(0));
    let started = Instant::now();
    let first = bounds();
    let worked_out = started.elapsed();
    let started = Instant::now();
    assert_eq!(bounds(), first);
    println!(
        "price bounds {first:?}: {:.2} ms, and {:.4} ms after that",
        worked_out.as_secs_f64() * 1e3,
        started.elapsed().as_secs_f64() * 1e3
    );
}

fn filled(position: u64) -> Filled {
    Filled { journal: uuid::Uuid::from_u128(1), generation: 1, position: Position(position) }
}

async fn fill(engine: &EmbeddedEngine, made_up: &Shop, products: usize) {
    let mut took = Duration::ZERO;
    let started = Instant::now();
    engine.begin().await.unwrap();
    took += started.elapsed();
    for from in (0..products).step_by(BATCH) {
        let documents = made_up.documents(from, (from + BATCH).min(products));
        let started = Instant::now();
        engine.fill(Changes { documents, ..Changes::default() }).await.unwrap();
        took += started.elapsed();
    }
    let started = Instant::now();
    engine.swap(filled(1)).await.unwrap();
    took += started.elapsed();
    println!(
        "filled in {:.1} s, {:.0} documents/s",
        took.as_secs_f64(),
        products as f64 / took.as_secs_f64()
    );
}

/// One product after another changes, each with a commit of its own.
async fn change(engine: &EmbeddedEngine, shelf: &Shelf, made_up: &Shop, products: usize) {
    let mut dice = Dice::new(5);
    let (mut on_shelf, mut in_index, mut same_words) = (Vec::new(), Vec::new(), Vec::new());
    for position in 2..102 {
        let documents = vec![made_up.document(dice.below(products), position)];
        let mut sold_out = documents.clone();
        sold_out[0].in_stock = !sold_out[0].in_stock;
        let changes = Changes { documents, ..Changes::default() };
        let started = Instant::now();
        shelf.apply(&changes);
        on_shelf.push(started.elapsed());
        let started = Instant::now();
        engine.apply(changes, filled(position - 1), filled(position)).await.unwrap();
        in_index.push(started.elapsed());
        let changes = Changes { documents: sold_out, ..Changes::default() };
        let started = Instant::now();
        engine.apply(changes, filled(position), filled(position)).await.unwrap();
        same_words.push(started.elapsed());
    }
    let all =
        [("shelf", on_shelf), ("index", in_index), ("index, the words being the same", same_words)];
    for (what, mut took) in all {
        let [p50, p95, p99] = percentiles(&mut took);
        println!("one product changed, {what}: p50 {p50:.3} ms, p95 {p95:.3} ms, p99 {p99:.3} ms");
    }
}

fn question(kind: Kind, number: usize, products: usize, made_up: &Shop, shelf: &Shelf) -> Question {
    let mut dice = Dice::new(number as u64 + 77);
    let product = made_up.document(dice.below(products), 0);
    let words: Vec<&str> = product.name.split(' ').collect();
    let first = |count: usize| words[..count.min(words.len())].join(" ");
    let mut asked = Question {
        text: None,
        filter: Filter::default(),
        tier: Tier::Retail,
        currency: Some(Currency::GBP),
        now: shop::at(0),
        order: Order::Relevance,
        offset: 0,
        limit: 24,
        facets: FacetRequest {
            category: true,
            brand: true,
            tags: false,
            attributes: AttributeFacets::Named(["colour".to_owned()].into()),
            values_max: 20,
        },
        price_bounds: shelf.price_bounds(Currency::GBP, Tier::Retail, shop::at(0)).to_vec(),
        neighbours: Vec::new(),
        fusion: Fusion::default(),
        explain: false,
    };
    let colours = |n: usize| BTreeSet::from([format!("colour {n}")]);
    match kind {
        Kind::Words(count) => asked.text = Some(first(count)),
        Kind::Misspelt => {
            let mut text = first(2).into_bytes();
            let at =
                1 + dice.below(text.iter().position(|byte| *byte == b' ').unwrap_or(5).max(4) - 2);
            text.swap(at, at + 1);
            asked.text = String::from_utf8(text).ok();
        }
        Kind::Prefix => {
            let two = first(2);
            let begun = words.get(1).map_or(0, |word| word.len() - 3);
            asked.text = Some(two[..two.len() - begun.min(two.len() - 3)].to_owned());
        }
        Kind::Letter => asked.text = Some(words[0][..1].to_owned()),
        Kind::Frequent => asked.text = Some(made_up.frequent(number % 20).to_owned()),
        Kind::Filtered => {
            asked.text = Some(first(1));
            asked.filter.category = product.categories.first().map(|root| root.category_id);
            asked.filter.brands = [made_up.brand(0), made_up.brand(1)].into();
            asked.filter.price = Some(PriceFilter { min_minor: Some(1000), max_minor: None });
        }
        Kind::Fused => {
            asked.text = Some(first(2));
            asked.fusion.only_behind = false;
            asked.neighbours = (0..100)
                .map(|_| Neighbour {
                    product_id: shop::product_id(dice.below(products)),
                    similarity: 0.5,
                })
                .collect();
        }
        Kind::Explained => {
            asked.text = Some(first(2));
            asked.explain = true;
        }
        Kind::Browse(order) => {
            asked.order = order;
            asked.limit = NOT_KEPT;
        }
        Kind::BrowseAgain => {}
        Kind::BrowseFiltered => {
            asked.limit = NOT_KEPT;
            asked.filter.category = product.categories.first().map(|root| root.category_id);
            asked.filter.brands = [made_up.brand(0), made_up.brand(number % shop::BRANDS)].into();
            asked.filter.attributes = [("colour".to_owned(), colours(number % 12))].into();
        }
    }
    asked
}

fn measure(
    engine: &EmbeddedEngine,
    kind: Kind,
    questions: &[Question],
    clients: usize,
    until: Duration,
) {
    let next = AtomicUsize::new(0);
    let matches = AtomicUsize::new(0);
    let busy = AtomicUsize::new(0);
    let started = Instant::now();
    let (mut took, mut new) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let (mut took, mut new) = (Vec::new(), Vec::new());
                    let mut seen = HashSet::new();
                    let before = processor_nanoseconds();
                    while started.elapsed() < until {
                        let question =
                            &questions[next.fetch_add(1, Ordering::Relaxed) % questions.len()];
                        for time in 0..TIMES {
                            let asked = Instant::now();
                            let found = engine.search_now(question).unwrap();
                            took.push(asked.elapsed());
                            if clients == 1 && seen.insert(question.text.as_deref()) {
                                new.push(asked.elapsed());
                            }
                            if time == 0 {
                                matches.fetch_add(found.total as usize, Ordering::Relaxed);
                            }
                        }
                    }
                    busy.fetch_add(processor_nanoseconds() - before, Ordering::Relaxed);
                    (took, new)
                })
            })
            .collect();
        for client in clients {
            let (of_one, new_to_one) = client.join().unwrap();
            took.extend(of_one);
            new.extend(new_to_one);
        }
    });
    let elapsed = started.elapsed();
    let mean = matches.load(Ordering::Relaxed) * TIMES / took.len().max(1);
    let mut best: Vec<Duration> =
        took.chunks(TIMES).filter_map(|times| times.iter().min().copied()).collect();
    let busy = busy.load(Ordering::Relaxed) as f64 / 1e6 / took.len().max(1) as f64;
    let kind = format!("{kind:?}");
    row(&kind, [mean, clients], elapsed, &mut took, [&mut best, &mut new], busy);
}

async fn measure_port(engine: &EmbeddedEngine, questions: &Arc<Vec<Question>>, seconds: usize) {
    for clients in [1_usize, 8] {
        let started = Instant::now();
        let until = started + Duration::from_secs(seconds as u64);
        let clients_at_work: Vec<_> = (0..clients)
            .map(|client| {
                let (engine, questions) = (engine.clone(), Arc::clone(questions));
                tokio::spawn(async move {
                    let mut took = Vec::new();
                    let mut at = client;
                    while Instant::now() < until {
                        let asked = Instant::now();
                        engine.search(&questions[at % questions.len()]).await.unwrap();
                        took.push(asked.elapsed());
                        at += clients;
                    }
                    took
                })
            })
            .collect();
        let mut took = Vec::new();
        for client in clients_at_work {
            took.extend(client.await.unwrap());
        }
        let kind = "Words(2), through the port";
        row(kind, [0, clients], started.elapsed(), &mut took, [&mut [], &mut []], 0.0);
    }
}

fn row(
    kind: &str,
    [matches, clients]: [usize; 2],
    elapsed: Duration,
    took: &mut [Duration],
    [best, new]: [&mut [Duration]; 2],
    busy: f64,
) {
    let per_second = took.len() as f64 / elapsed.as_secs_f64();
    let [p50, p95, p99] = percentiles(took);
    let [_, best, _] = percentiles(best);
    let [_, new, _] = percentiles(new);
    println!(
        "| {kind} | {matches} | {clients} | {per_second:.0} | {p50:.3} | {p95:.3} | {p99:.3} | {best:.3} | {new:.3} | {busy:.3} |"
    );
}

/// This thread's time on a processor, so that a busy machine weighs less; 0 where the system does not
/// tell.
fn processor_nanoseconds() -> usize {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// In milliseconds.
fn percentiles(took: &mut [Duration]) -> [f64; 3] {
    took.sort_unstable();
    [50, 95, 99].map(|percent| {
        let at = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    })
}

/// Megabytes, as the system tells them; 0 where it does not.
fn resident(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1e3
}
