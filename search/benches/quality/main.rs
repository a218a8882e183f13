//! How good what is found is: NDCG at 10 on judged queries over a real catalogue, by words, by meaning
//! and by both.
//!
//! `TILLROLL_TEST_DATA` names the directory with `online-retail/online_retail.csv.gz` (the README says
//! where anybody gets it), `TILLROLL_TEST_SENTENCE_MODEL` a sentence transformer's directory, without
//! which only vectors of the shop's own are tried. With the argument `each`, every query is told of.
#![allow(clippy::print_stdout, reason = "figures are for people")]

mod catalogue;
mod judged;

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{ProductId, Timestamp};
use embeddings::Embedder;
use journal::Position;
use judged::{Judged, Means, ndcg_at_10};
use projections::catalogue::SearchDocument;
use search::text::TextSettings;
use search::{
    Changes, EmbeddedEngine, EmbedderChoice, FacetRequest, Filled, Filter, Finder, FinderOptions,
    FinderParts, Freshness, Fusion, Mode, PriceBounds, ProductVectors, Request, SearchEngine,
    Shelf, Shopper, Start,
};

const JUDGED: &str = include_str!("judged.txt");
const KINDS: [&str; 7] = ["all", "plain", "plural", "prefix", "typo", "synonym", "meaning"];

type Failure = Box<dyn Error>;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Failure> {
    let Some(data) = std::env::var_os("TILLROLL_TEST_DATA").map(PathBuf::from) else {
        println!("NOT MEASURED: TILLROLL_TEST_DATA names no directory with the real orders");
        return Ok(());
    };
    let products = catalogue::read(&data.join("online-retail/online_retail.csv.gz"))?;
    let queries = judged::read(JUDGED);
    let judgements = Judgements::new(&queries, &products);
    println!("{} products, {} judged queries; NDCG at 10", products.len(), queries.len());
    println!("{:<44}{}", "", KINDS.map(|kind| format!("{kind:>9}")).concat());

    let folder = tempfile::tempdir()?;
    let trained = vectors(&folder.path().join("trained"), None, &products)?;
    let finders = Finders { folder: folder.path(), products: &products, judgements: &judgements };
    finders.rate("words", Mode::Text, &trained, None).await?;
    finders.rate("meaning, the shop's own vectors", Mode::Semantic, &trained, None).await?;
    finders.rate("both, as it is by default", Mode::Auto, &trained, None).await?;
    for weight in [0.25, 0.5, 1.0] {
        let name = format!("both, fused, weight {weight}");
        finders.rate(&name, Mode::Hybrid, &trained, Some(fused(weight))).await?;
    }
    match sentence_model()? {
        Some(model) => {
            let sentences = vectors(&folder.path().join("sentences"), Some(model), &products)?;
            finders.rate("meaning, sentence transformer", Mode::Semantic, &sentences, None).await?;
            for weight in [0.25, 0.5, 0.75, 1.0] {
                let name = format!("both, sentence transformer, weight {weight}");
                finders.rate(&name, Mode::Hybrid, &sentences, Some(fused(weight))).await?;
            }
        }
        None => {
            println!("NOT MEASURED: TILLROLL_TEST_SENTENCE_MODEL names no sentence transformer")
        }
    }
    Ok(())
}

fn fused(semantic_weight: f32) -> Fusion {
    Fusion { semantic_weight, only_behind: false, ..Fusion::default() }
}

#[cfg(feature = "sentence-transformer")]
fn sentence_model() -> Result<Option<Arc<dyn Embedder>>, Failure> {
    let Some(directory) = std::env::var_os("TILLROLL_TEST_SENTENCE_MODEL") else { return Ok(None) };
    Ok(Some(Arc::new(embeddings::SentenceTransformer::load(Path::new(&directory))?)))
}

#[cfg(not(feature = "sentence-transformer"))]
fn sentence_model() -> Result<Option<Arc<dyn Embedder>>, Failure> {
    Ok(None)
}

/// Vectors of all products, made to the end.
fn vectors(
    directory: &Path,
    embedder: Option<Arc<dyn Embedder>>,
    products: &[SearchDocument],
) -> Result<Arc<ProductVectors>, Failure> {
    let choice = match embedder {
        Some(embedder) => EmbedderChoice::Given { embedder, floor: 0.3 },
        None => EmbedderChoice::Trained { orders: None },
    };
    let vectors = ProductVectors::open(directory, choice)?;
    vectors.apply(&Changes { documents: products.to_vec(), ..Changes::default() });
    vectors.filled();
    while vectors.work(Timestamp::UNIX_EPOCH)? {}
    Ok(Arc::new(vectors))
}

/// Every query with the grade of every product.
struct Judgements<'q> {
    queries: Vec<(&'q Judged, HashMap<ProductId, u8>, Vec<u8>)>,
}

impl<'q> Judgements<'q> {
    fn new(queries: &'q [Judged], products: &[SearchDocument]) -> Self {
        let judge = |query: &'q Judged| {
            let grade = |product: &SearchDocument| (product.product_id, query.grade(&product.name));
            let grades: HashMap<ProductId, u8> = products.iter().map(grade).collect();
            let all = grades.values().copied().collect();
            (query, grades, all)
        };
        Self { queries: queries.iter().map(judge).collect() }
    }
}

struct Finders<'s> {
    folder: &'s Path,
    products: &'s [SearchDocument],
    judgements: &'s Judgements<'s>,
}

impl Finders<'_> {
    async fn rate(
        &self,
        name: &str,
        mode: Mode,
        vectors: &Arc<ProductVectors>,
        fusion: Option<Fusion>,
    ) -> Result<(), Failure> {
        let finder = self.finder(vectors, fusion).await?;
        let tell_each = std::env::args().any(|argument| argument == "each");
        let mut means = Means::default();
        for (query, grades, all) in &self.judgements.queries {
            let answer = finder.find(&request(&query.query, mode)).await?;
            let found: Vec<u8> =
                answer.products.iter().map(|hit| grades[&hit.product.product_id]).collect();
            let ndcg = ndcg_at_10(&found, all);
            means.add(&query.kind, ndcg);
            if tell_each {
                println!("    {ndcg:.3} {found:?} {} [{}]", query.query, query.kind);
            }
        }
        let row = KINDS.map(|kind| format!("{:>9.3}", means.of(kind)));
        println!("{name:<44}{}", row.concat());
        Ok(())
    }

    async fn finder(
        &self,
        vectors: &Arc<ProductVectors>,
        fusion: Option<Fusion>,
    ) -> Result<Finder, Failure> {
        let shelf = Shelf::default();
        shelf.replace(self.products, &[]);
        let words = tempfile::tempdir_in(self.folder)?.keep();
        let engine = EmbeddedEngine::open(&words, TextSettings::default(), shelf.clone())?;
        let filled = Filled { journal: uuid::Uuid::nil(), generation: 1, position: Position(1) };
        engine.begin().await?;
        engine.fill(Changes { documents: self.products.to_vec(), ..Changes::default() }).await?;
        engine.swap(filled).await?;
        Ok(Finder::new(FinderParts {
            engine: Arc::new(engine),
            shelf,
            vectors: Some(Arc::clone(vectors) as _),
            purchases: None,
            engine_at: Freshness::new(Position(1)),
            shelf_at: Freshness::new(Position(1)),
            options: FinderOptions { fusion, ..FinderOptions::default() },
        }))
    }
}

fn request(text: &str, mode: Mode) -> Request {
    Request {
        text: Some(text.to_owned()),
        mode,
        filter: Filter::default(),
        order: None,
        shopper: Shopper::default(),
        currency: None,
        now: Timestamp::UNIX_EPOCH,
        start: Start::Page(1),
        limit: 10,
        facets: FacetRequest::default(),
        price_bounds: PriceBounds::None,
        explain: false,
    }
}
