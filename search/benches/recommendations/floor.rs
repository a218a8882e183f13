//! How near is near: to questions in the words of the shop, and to questions that have no answer in it.

use std::sync::Arc;

use domain::Timestamp;
use embeddings::{Embedder, Field, Trainer, TrainingOptions};
use search::{Changes, EmbedderChoice, ProductVectors, product_text};

use crate::orders::Orders;
use crate::shop::Texts;

const OF_THE_SHOP: [&str; 12] = [
    "red heart decoration",
    "christmas tree lights",
    "lunch bag for children",
    "garden bird feeder",
    "vintage tea cups",
    "birthday card",
    "picture frame",
    "kitchen scales",
    "paper napkins",
    "door sign",
    "candle holder glass",
    "toy soldier",
];

const OF_NO_SHOP: [&str; 12] = [
    "wie repariere ich mein Fahrrad",
    "Schraubenschlüssel Satz",
    "chaussures de randonnée imperméables",
    "ordinateur portable pas cher",
    "zapatos para correr",
    "aspiradora sin cable",
    "зимняя куртка",
    "ноутбук",
    "自転車",
    "kubernetes deployment yaml",
    "quarterly tax declaration",
    "graphics driver download",
];

pub(crate) fn measure(orders: &Orders) {
    let catalogue = Texts::of(orders).catalogue();
    let mut trainer = Trainer::new(TrainingOptions::default());
    for document in &catalogue.documents {
        trainer.text(&[Field { text: &product_text(document), weight: 1.0 }]);
    }
    println!("vectors of the shop's own");
    tell(Arc::new(trainer.train()), &catalogue, [0.5, 0.6, 0.7, 0.8]);
    match sentence_model() {
        Some(model) => {
            println!("vectors of a sentence transformer");
            tell(model, &catalogue, [0.3, 0.35, 0.4, 0.5]);
        }
        None => {
            println!("NOT MEASURED: TILLROLL_TEST_SENTENCE_MODEL names no sentence transformer")
        }
    }
}

#[cfg(feature = "sentence-transformer")]
fn sentence_model() -> Option<Arc<dyn Embedder>> {
    let directory = std::env::var_os("TILLROLL_TEST_SENTENCE_MODEL")?;
    Some(Arc::new(embeddings::SentenceTransformer::load(directory.as_ref()).unwrap()))
}

#[cfg(not(feature = "sentence-transformer"))]
fn sentence_model() -> Option<Arc<dyn Embedder>> {
    None
}

/// What is near without any floor.
fn tell(embedder: Arc<dyn Embedder>, catalogue: &Changes, floors: [f32; 4]) {
    let directory = tempfile::tempdir().unwrap();
    let shares = [OF_THE_SHOP, OF_NO_SHOP]
        .map(|questions| questions.map(|question| embedder.known_share(question)));
    let choice = EmbedderChoice::Given { embedder, floor: -1.0 };
    let vectors = ProductVectors::open(directory.path(), choice).unwrap();
    vectors.apply(catalogue);
    vectors.filled();
    while vectors.work(Timestamp::UNIX_EPOCH).unwrap() {}
    let both = [("of the shop", OF_THE_SHOP), ("of no shop", OF_NO_SHOP)];
    for ((what, questions), shares) in both.into_iter().zip(shares) {
        println!(
            "{what}: known share, nearest, tenth, how many are at least as near as {floors:?}"
        );
        for (question, known) in questions.into_iter().zip(shares) {
            let near = vectors.neighbours(question, 1_000, |_| true).unwrap();
            let at = |place: usize| near.get(place).map_or(0.0, |near| near.similarity);
            let [a, b, c, d] =
                floors.map(|floor| near.iter().filter(|n| n.similarity >= floor).count());
            let (first, tenth) = (at(0), at(9));
            println!(
                "{question:<40} {known:>5.2} {first:>6.3} {tenth:>6.3} {a:>5} {b:>5} {c:>5} {d:>5}"
            );
        }
    }
}
