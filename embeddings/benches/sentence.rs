//! What a sentence transformer costs: a question of a few words, and texts of products, on one thread.
//!
//! `TILLROLL_TEST_SENTENCE_MODEL=… cargo bench -p embeddings --features sentence-transformer --bench
//! sentence`. The best of many rounds is told beside the median: that is what it takes where nothing
//! else wants the processor. Products with the model's weights are counted, two operations each, so
//! that rates compare with what a core can do.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use embeddings::{Embedder, SentenceTransformer};

const ROUNDS: usize = 30;
/// Weights of all-MiniLM-L6-v2 that every token is multiplied with.
const WEIGHTS_PER_TOKEN: f64 = 6.0 * (4.0 * 384.0 * 384.0 + 2.0 * 384.0 * 1_536.0);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(directory) = std::env::var_os("TILLROLL_TEST_SENTENCE_MODEL") else {
        println!("NOT MEASURED: TILLROLL_TEST_SENTENCE_MODEL names no sentence transformer");
        return Ok(());
    };
    let began = Instant::now();
    let model = SentenceTransformer::load(Path::new(&directory))?;
    println!("loaded in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    println!("| texts | tokens each, about | ms a text, best | median | texts/s | GFLOP/s, best |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let question = "red lantern for the garden";
    let name = "hand made ceramic lantern with a handle, red, small";
    let described = [name; 7].join(". ");
    for (text, tokens, count) in
        [(question, 7.0, 1), (name, 13.0, 64), (described.as_str(), 91.0, 64)]
    {
        let texts = vec![text; count];
        let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let began = Instant::now();
            model.embed(&texts)?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let [best, median] =
            [times[0], times[ROUNDS / 2]].map(|it| it.as_secs_f64() / count as f64);
        println!(
            "| {count} | {tokens:.0} | {:.2} | {:.2} | {:.0} | {:.0} |",
            best * 1e3,
            median * 1e3,
            1.0 / median,
            tokens * 2.0 * WEIGHTS_PER_TOKEN / best / 1e9
        );
    }
    Ok(())
}
