//! Questions by words and by meaning with a real sentence transformer, through all that an API asks.
//!
//! Every question is new, so that the model has to embed it, in the words of the shop. To have a
//! hundred thousand products embedded would take the better part of an hour and teach nothing: theirs
//! are vectors of as many numbers around a few thousand centres. What is near does not decide how long
//! looking for it takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Currency, Timestamp};
use embeddings::{EmbedError, Embedder, SentenceTransformer};
use journal::Position;
use search::{
    AttributeFacets, Changes, EmbeddedEngine, EmbedderChoice, FacetRequest, Filter, Finder,
    FinderOptions, FinderParts, Freshness, Fusion, Mode, PriceBounds, ProductVectors, Request,
    Shelf, Shopper, Start,
};

use crate::percentiles;
use crate::shop::{self, Dice, Shop};

const CENTRES: u64 = 2_000;

/// The model for one text at a time, as questions come; something as long for many, as products do.
struct Questions(SentenceTransformer);

impl Embedder for Questions {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        match texts {
            [_] => self.0.embed(texts),
            _ => Ok(texts.iter().map(|text| self.made_up(text)).collect()),
        }
    }
}

impl Questions {
    fn made_up(&self, text: &str) -> Vec<f32> {
        let seed = text.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        let (mut centre, mut own) = (Dice::new(seed % CENTRES), Dice::new(seed));
        let mut vector: Vec<f32> =
            (0..self.dimensions()).map(|_| (centre.unit() + own.unit() - 1.0) as f32).collect();
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|value| *value /= length);
        vector
    }
}

/// Asks one question after the other, and then with eight clients, each `until` then.
pub(crate) async fn measure(
    engine: EmbeddedEngine,
    shelf: &Shelf,
    made_up: &Shop,
    products: usize,
    until: Duration,
) {
    let Some(directory) = std::env::var_os("TILLROLL_TEST_SENTENCE_MODEL") else {
        println!("hybrid NOT MEASURED: TILLROLL_TEST_SENTENCE_MODEL names no sentence transformer");
        return;
    };
    let model = SentenceTransformer::load(Path::new(&directory)).unwrap();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let choice = EmbedderChoice::Given { embedder: Arc::new(Questions(model)), floor: 0.3 };
    let vectors = ProductVectors::open(folder.path(), choice).unwrap();
    let documents = made_up.documents(0, products);
    vectors.apply(&Changes { documents, ..Changes::default() });
    vectors.filled();
    while vectors.work(Timestamp::UNIX_EPOCH).unwrap() {}
    let finder = Arc::new(Finder::new(FinderParts {
        engine: Arc::new(engine),
        shelf: shelf.clone(),
        vectors: Some(Arc::new(vectors)),
        purchases: None,
        engine_at: Freshness::new(Position(1)),
        shelf_at: Freshness::new(Position(1)),
        options: FinderOptions {
            fusion: Some(Fusion { only_behind: false, ..Fusion::default() }),
            ..FinderOptions::default()
        },
    }));
    println!("| question | clients | per s | p50 | p95 | p99 ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut dice = Dice::new(99);
    for clients in [1, 8] {
        let began = Instant::now();
        let at_work: Vec<_> = (0..clients)
            .map(|client| {
                let finder = Arc::clone(&finder);
                // Names of two products, so that none is asked twice.
                let names: Vec<[String; 2]> = (0..20_000 / clients)
                    .map(|_| [0, 1].map(|_| made_up.document(dice.below(products), 0).name))
                    .collect();
                tokio::spawn(async move {
                    let mut took = Vec::new();
                    for [one, other] in names {
                        if began.elapsed() > until {
                            break;
                        }
                        let word = |name: &str| name.split(' ').next().map(str::to_owned);
                        let text = [word(&one), word(&other), Some(format!("{client}"))];
                        let text = text.into_iter().flatten().collect::<Vec<_>>().join(" ");
                        let asked = Instant::now();
                        finder.find(&request(text)).await.unwrap();
                        took.push(asked.elapsed());
                    }
                    took
                })
            })
            .collect();
        let mut took = Vec::new();
        for client in at_work {
            took.extend(client.await.unwrap());
        }
        let per_second = took.len() as f64 / began.elapsed().as_secs_f64();
        let [p50, p95, p99] = percentiles(&mut took);
        println!("| hybrid, new | {clients} | {per_second:.0} | {p50:.2} | {p95:.2} | {p99:.2} |");
    }
}

fn request(text: String) -> Request {
    Request {
        text: Some(text),
        mode: Mode::Hybrid,
        filter: Filter::default(),
        order: None,
        shopper: Shopper::default(),
        currency: Some(Currency::GBP),
        now: shop::at(0),
        start: Start::Page(1),
        limit: 24,
        facets: FacetRequest {
            category: true,
            brand: true,
            tags: false,
            attributes: AttributeFacets::Named(["colour".to_owned()].into()),
            values_max: 20,
        },
        price_bounds: PriceBounds::Suggested,
        explain: false,
    }
}
