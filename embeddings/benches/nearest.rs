//! How fast the nearest are found and how many of them are the right ones, and how long training
//! takes.
//!
//! `cargo bench -p embeddings`. With `TILLROLL_BENCH_TEXTS` (a file with a text on each line) models
//! are trained on those, and otherwise on made-up ones. Figures are for the machine it runs on: what takes
//! long in time that the thread had of a processor, single questions and files by the wall.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use embeddings::{Field, TrainedEmbedder, Trainer, TrainingOptions, VectorIndex};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    println!("made-up vectors, top 10");
    println!(
        "    count  dims   median      p99   recall@10   memory   each of all   into file   from file"
    );
    for dimensions in [128, 384] {
        for count in [20_000, 100_000] {
            index(&clustered(count, dimensions), count, dimensions)?;
        }
    }
    let texts = match std::env::var("TILLROLL_BENCH_TEXTS") {
        Ok(path) => std::fs::read_to_string(path)?.lines().map(str::to_owned).collect(),
        Err(_) => made_up(4_000, 5),
    };
    println!("training");
    let model = train(&texts);
    let vectors: Vec<Vec<f32>> = texts.iter().map(|text| model.embed_text(text)).collect();
    println!("vectors of these texts, top 10");
    index(&vectors, vectors.len(), 128)?;
    let long: Vec<String> = if std::env::var("TILLROLL_BENCH_TEXTS").is_ok() {
        (0..20_000).map(|at| joined(&texts, at, 30)).collect()
    } else {
        made_up(20_000, 30)
    };
    train(&long);
    Ok(())
}

/// One line of the table.
fn index(vectors: &[Vec<f32>], count: usize, dimensions: usize) -> Result<(), Failure> {
    const QUERIES: usize = 200;
    const OF_ALL: u64 = 2_000;
    let mut index = VectorIndex::new("bench", dimensions)?;
    for (id, vector) in (0..).zip(vectors) {
        index.insert(id, vector)?;
    }
    let queries: Vec<&Vec<f32>> = vectors.iter().step_by(count.div_ceil(QUERIES)).collect();
    let (mut times, mut right, mut wanted) = (Vec::new(), 0, 0);
    for query in &queries {
        let started = Instant::now();
        let near = black_box(index.nearest(query, 10, |_| true))?;
        times.push(started.elapsed());
        // What is as near as the tenth is as right.
        let exact = exact(vectors, query);
        wanted += exact.len().min(10);
        let floor = exact.get(9).or(exact.last()).copied().unwrap_or_default() - 1e-6;
        right += near.iter().filter(|near| dot(&vectors[near.id as usize], query) >= floor).count();
    }
    times.sort();
    let ids: Vec<u64> = (0..OF_ALL.min(count as u64)).collect();
    let (_, all) = timed(|| black_box(index.nearest_to_each(&ids, 10, |_, _| true)));
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("vectors");
    let saving = Instant::now();
    index.save(&path)?;
    let saving = saving.elapsed();
    let (loaded, loading) = timed(|| VectorIndex::load(&path, "bench", dimensions));
    assert_eq!(loaded?.len(), count);
    println!(
        "{count:>9} {dimensions:>5} {:>6.2} ms {:>5.2} ms {:>11.4} {:>5.1} MB {:>10.0} µs {:>8.0} ms {:>8.0} ms",
        ms(times[times.len() / 2]),
        ms(times[times.len() * 99 / 100]),
        right as f64 / wanted as f64,
        index.memory_bytes() as f64 / 1e6,
        ms(all) * 1e3 / ids.len() as f64,
        ms(saving),
        ms(loading),
    );
    Ok(())
}

/// Similarities in 32-bit numbers of all that has a direction, largest first.
fn exact(vectors: &[Vec<f32>], query: &[f32]) -> Vec<f32> {
    let some = vectors.iter().filter(|vector| vector.iter().any(|value| *value != 0.0));
    let mut all: Vec<f32> = some.map(|vector| dot(vector, query)).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    all
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn train(texts: &[String]) -> TrainedEmbedder {
    let (model, time) = timed(|| {
        let mut trainer = Trainer::new(TrainingOptions::default());
        texts.iter().for_each(|text| trainer.text(&[Field { text, weight: 1.0 }]));
        trainer.train()
    });
    let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let few = &texts[..texts.len().min(2_000)];
    let (_, embedding) = timed(|| few.iter().for_each(|text| drop(model.embed_text(text))));
    println!(
        "{:>9} texts of {:.1} words, {} different: {:.2} s; then {:.1} µs a text",
        texts.len(),
        words as f64 / texts.len() as f64,
        model.word_count(),
        ms(time) / 1e3,
        ms(embedding) * 1e3 / few.len() as f64,
    );
    model
}

/// Unit vectors around a thousand centres, as those of a catalogue are.
fn clustered(count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let mut random = Random(1);
    let mut vector = || -> Vec<f32> { (0..dimensions).map(|_| random.signed()).collect() };
    let centres: Vec<Vec<f32>> = (0..1_000).map(|_| vector()).collect();
    (0..count)
        .map(|at| {
            let mut own = vector();
            own.iter_mut().zip(&centres[at * 7 % 1_000]).for_each(|(own, centre)| *own += centre);
            let length = dot(&own, &own).sqrt();
            own.iter_mut().for_each(|value| *value /= length);
            own
        })
        .collect()
}

/// Texts of words of 200 kinds; how often a word occurs falls with its number, as in real ones.
fn made_up(count: usize, words: usize) -> Vec<String> {
    let mut random = Random(2);
    let mut word = |kind: u64| {
        let unit = f64::from(random.signed()) / 2.0 + 0.5;
        let number = (unit * unit * unit * 60.0) as u64;
        format!("w{}", if random.next().is_multiple_of(4) { number } else { kind * 60 + number })
    };
    (0..count as u64)
        .map(|at| (0..words).map(|_| word(at * 31 % 200)).collect::<Vec<_>>().join(" "))
        .collect()
}

/// Of some texts one behind the other, so many words.
fn joined(texts: &[String], at: usize, words: usize) -> String {
    let some = texts.iter().cycle().skip(at * 37 % texts.len());
    let all = some.flat_map(|text| text.split_whitespace()).take(words);
    all.collect::<Vec<_>>().join(" ")
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn signed(&mut self) -> f32 {
        self.next() as f32 / (1u64 << 30) as f32 - 1.0
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What this thread had of a processor for it; by the wall where the system does not tell.
fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let (wall, before) = (Instant::now(), processor_time());
    let result = black_box(work());
    let wall = wall.elapsed();
    let had = processor_time().zip(before).map(|(after, before)| after - before);
    (result, had.unwrap_or(wall))
}

fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
