//! What finds and recommends products, put together: an engine, the shelf, vectors, and what keeps
//! them up with the catalogue and with what is bought and looked at.

mod alone;
mod background;
mod meilisearch;
mod pace;
mod purchases;
mod remaking;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use commands::Clock;
use commands::browsing::BrowsingReader;
use journal::{Journal, JournalId};
use projections::ReadModels;
use sagas::leadership::Leadership;
use search::text::{Language, Synonyms, TextSettings};
use search::{
    Changes, EmbeddedEngine, EmbedderChoice, FillProgress, Finder, FinderOptions, FinderParts,
    Freshness, Fusion, Indexer, IndexerOptions, KeepsProducts, LocalFollower, Prices,
    ProductVectors, RecommendSettings, Recommender, SearchEngine, SearchError, Shelf,
};
use tokio::sync::watch;

use super::stores::Stores;
use super::{NodeOptions, OpenError, runtime, thread};
use crate::under_way::{EndMark, UnderWay};
pub use alone::{Refill, Remake};
use background::{Background, Told};
use purchases::PurchasesOf;
use remaking::Remaking;

/// The directory of index, vectors and models; all of it can be made anew.
pub const SEARCH: &str = "search";
/// In it, the directory of vectors.
const VECTORS: &str = "vectors";

/// How long a search waits for a server elsewhere.
const ENGINE_PATIENCE: Duration = Duration::from_secs(2);

/// Which engine finds products by words.
#[derive(Clone, Default)]
pub enum SearchPlace {
    /// An index in the data directory.
    #[default]
    Embedded,
    Meilisearch {
        url: String,
        key: Option<String>,
        index: String,
    },
}

/// How products are found.
#[derive(Clone, Default)]
pub struct FindingOptions {
    pub place: SearchPlace,
    pub language: Language,
    pub synonyms: Synonyms,
    /// Directory of a sentence transformer; without one, vectors are learned from the catalogue.
    pub sentence_model: Option<PathBuf>,
    /// Weight of what is near in meaning against what was found by words.
    pub semantic_weight: Option<f32>,
    /// The `k` of reciprocal-rank fusion.
    pub fusion_k: Option<f32>,
}

/// Why products cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    #[error(transparent)]
    Engine(#[from] SearchError),
    #[error(transparent)]
    Vectors(#[from] search::SemanticError),
    #[error(transparent)]
    Recommend(#[from] search::RecommendError),
    #[error(transparent)]
    Catalogue(#[from] projections::StoreError),
    #[error("there is no catalogue to read products from")]
    NoCatalogue,
    #[error("{0}")]
    NotBuiltIn(&'static str),
}

/// What a node finds products by.
pub struct Finding {
    pub finder: Arc<Finder>,
    pub recommender: Arc<Recommender>,
    pub vectors: Arc<ProductVectors>,
    pub engine: Arc<dyn SearchEngine>,
    /// How far the engine is, and what every node has in memory.
    pub engine_at: Freshness,
    pub shelf_at: Freshness,
    pub fills: watch::Receiver<FillProgress>,
    /// The same of vectors and recommendations that are made anew on request.
    pub remakes: watch::Receiver<FillProgress>,
}

/// What is to be run for it.
pub(super) struct FindingWork {
    local: LocalFollower,
    indexer: Indexer,
    background: Background,
    wrong: Wrong,
}

/// One engine for those who ask it, and for the one who writes it. Each has connections of its own to a
/// server: the one who writes blocks its thread while it reads the catalogue, and what a connection waits
/// for on that thread stands still meanwhile.
pub(super) struct Engines {
    pub(super) asked: Arc<dyn SearchEngine>,
    pub(super) written: Arc<dyn SearchEngine>,
    pub(super) wrong: Wrong,
}

/// What the operator has to change before this node can be of use.
type Wrong = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// Opens or connects the engine. An engine that is away for now is no error: the indexer waits for it.
pub(super) fn engines(
    stores: &Stores,
    options: &FindingOptions,
    journal: JournalId,
    shelf: &Shelf,
    clock: &Arc<dyn Clock>,
) -> Result<Engines, FindingError> {
    match &options.place {
        SearchPlace::Embedded => {
            let settings =
                TextSettings { language: options.language, synonyms: options.synonyms.clone() };
            let directory = stores.data.join(SEARCH).join("words");
            let engine = Arc::new(EmbeddedEngine::open(&directory, settings, shelf.clone())?);
            let asked = Arc::clone(&engine) as _;
            Ok(Engines { asked, written: engine, wrong: Arc::new(|| None) })
        }
        SearchPlace::Meilisearch { url, key, index } => {
            meilisearch::engine(url, key.as_deref(), index, options, journal, clock)
        }
    }
}

/// Puts together what finds products, if this node is to. `led` makes it a candidate for a lease.
pub(super) fn open(
    node: &NodeOptions,
    journal: &Arc<dyn Journal>,
    reads: &ReadModels,
    led: &mut dyn FnMut(&'static str) -> Leadership,
) -> Result<Option<(Finding, FindingWork)>, FindingError> {
    let NodeOptions { stores, clock, finding: Some(options), .. } = node else { return Ok(None) };
    let directory = stores.data.join(SEARCH);
    let shelf = Shelf::default();
    let Engines { asked: engine, written, wrong } =
        engines(stores, options, journal.id(), &shelf, clock)?;
    let purchases = Arc::new(PurchasesOf(reads.clone()));
    let vectors = ProductVectors::open(&directory.join(VECTORS), embedder(options, &purchases)?)?;
    let vectors = Arc::new(vectors);
    let recommender = Recommender::new(
        RecommendSettings {
            viewed_days: node.browsing.retention_days,
            ..RecommendSettings::default()
        },
        Arc::clone(&purchases) as _,
        Arc::clone(&vectors) as _,
    )?;
    let recommender = Arc::new(recommender);

    let (shelf_at, engine_at) = (Freshness::default(), Freshness::default());
    let keepers: Vec<Arc<dyn KeepsProducts>> =
        vec![Arc::clone(&vectors) as _, Arc::new(ForSale(Arc::clone(&recommender)))];
    let local = LocalFollower::new(
        reads.clone(),
        Arc::clone(journal),
        shelf.clone(),
        keepers,
        shelf_at.clone(),
    );
    let shared = matches!(options.place, SearchPlace::Meilisearch { .. });
    let leads: search::Leads = if shared {
        let leadership = led("search");
        Arc::new(move || leadership.leads())
    } else {
        Arc::new(|| true)
    };
    let now = Arc::clone(clock);
    let prices = shared.then(|| Prices {
        shelf: shelf.clone(),
        shelf_at: shelf_at.clone(),
        clock: Arc::new(move || now.now()),
    });
    let indexer = Indexer::new(
        reads.clone(),
        Arc::clone(journal),
        written,
        engine_at.clone(),
        leads,
        IndexerOptions {
            shared,
            one_catalogue: stores.has_shared_read_models(),
            directory: directory.clone(),
            prices,
        },
    );
    let remaking = Remaking::new(directory, Arc::clone(&vectors), Arc::clone(&recommender));
    let fusion = Fusion {
        semantic_weight: options
            .semantic_weight
            .unwrap_or(vectors.default_fusion().semantic_weight),
        k: options.fusion_k.unwrap_or(vectors.default_fusion().k),
        ..vectors.default_fusion()
    };
    let finder = Finder::new(FinderParts {
        engine: Arc::clone(&engine),
        shelf,
        vectors: Some(Arc::clone(&vectors) as _),
        purchases: Some(Arc::clone(&purchases) as _),
        engine_at: engine_at.clone(),
        shelf_at: shelf_at.clone(),
        options: FinderOptions {
            fusion: Some(fusion),
            engine_patience: shared.then_some(ENGINE_PATIENCE),
            ..FinderOptions::default()
        },
    });
    let finding = Finding {
        finder: Arc::new(finder),
        recommender: Arc::clone(&recommender),
        vectors: Arc::clone(&vectors),
        engine,
        engine_at,
        shelf_at,
        fills: indexer.progress(),
        remakes: remaking.progress(),
    };
    let work = FindingWork {
        local,
        indexer,
        background: Background {
            vectors,
            recommender,
            purchases,
            clock: Arc::clone(clock),
            told: Told::default(),
            remaking,
        },
        wrong,
    };
    Ok(Some((finding, work)))
}

#[cfg(feature = "sentence-transformer")]
fn embedder(
    options: &FindingOptions,
    purchases: &Arc<PurchasesOf>,
) -> Result<EmbedderChoice, FindingError> {
    Ok(match &options.sentence_model {
        Some(directory) => EmbedderChoice::SentenceTransformer(directory.clone()),
        None => EmbedderChoice::Trained { orders: Some(Arc::clone(purchases) as _) },
    })
}

#[cfg(not(feature = "sentence-transformer"))]
fn embedder(
    options: &FindingOptions,
    purchases: &Arc<PurchasesOf>,
) -> Result<EmbedderChoice, FindingError> {
    match &options.sentence_model {
        Some(_) => Err(FindingError::NotBuiltIn(
            "this program was built without sentence transformers: build it with \
             `--features sentence-transformer`",
        )),
        None => Ok(EmbedderChoice::Trained { orders: Some(Arc::clone(purchases) as _) }),
    }
}

struct ForSale(Arc<Recommender>);

impl KeepsProducts for ForSale {
    fn apply(&self, changes: &Changes) {
        self.0.apply(changes);
    }

    fn all_told(&self) {
        self.0.all_told();
    }
}

/// Starts what keeps up with the catalogue, what is worked out behind it, and what looks on while
/// shoppers browse: a thread each.
pub(super) fn start(
    work: Option<FindingWork>,
    browsed: impl FnOnce() -> BrowsingReader,
    under_way: &mut UnderWay,
    stopped: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let Some(FindingWork { local, indexer, background, wrong }) = work else {
        return Ok(Vec::new());
    };
    let vectors = Arc::clone(&background.vectors);
    // Everyone who keeps products is told last, when all are on the shelf. Whether the engine
    // answers is not asked: with one that is away a node can do all but search. One that was set up
    // wrongly is told of before anybody relies on this node.
    under_way.watch("search", move || wrong().map_or_else(|| is_loaded(&vectors), Err));
    let [kept_up, worked, looked] =
        ["search", "recommend", "browsed"].map(|name| under_way.begin(name));
    let recommender = Arc::clone(&background.recommender);
    let (to_local, to_indexer) = (stop(stopped.clone()), stop(stopped.clone()));
    let keep_up = async {
        tokio::join!(local.run(to_local), indexer.run(to_indexer));
    };
    let work = background.run(stop(stopped.clone()));
    let look_on = background::look_on(browsed(), recommender, stop(stopped.clone()));
    Ok(vec![
        thread("search", runtime()?, marked(kept_up, keep_up))?,
        thread("recommend", runtime()?, marked(worked, work))?,
        thread("browsed", runtime()?, marked(looked, look_on))?,
    ])
}

fn is_loaded(vectors: &ProductVectors) -> Result<(), String> {
    match vectors.is_filled() {
        true => Ok(()),
        false => Err("products are being loaded".to_owned()),
    }
}

/// Work whose end is noticed, a panic's as well.
async fn marked(_mark: EndMark, work: impl Future<Output = ()> + Send) {
    work.await;
}

async fn stop(mut stopped: watch::Receiver<bool>) {
    // An error means the node is gone, which is a reason to stop too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use search::KeepsProducts;

    use super::*;
    use crate::compose::Node;

    #[test]
    fn a_node_is_ready_when_all_products_were_loaded() {
        let data = tempfile::tempdir().unwrap();
        let choice = EmbedderChoice::Trained { orders: None };
        let vectors = ProductVectors::open(data.path(), choice).unwrap();
        assert_eq!(is_loaded(&vectors), Err("products are being loaded".to_owned()));
        vectors.all_told();
        assert_eq!(is_loaded(&vectors), Ok(()));
        drop(vectors);
        let choice = EmbedderChoice::Trained { orders: None };
        let again = ProductVectors::open(data.path(), choice).unwrap();
        assert!(is_loaded(&again).is_err(), "what is on the disk may be out of date");
    }

    /// Also in an empty shop, where there is nothing to load.
    #[tokio::test]
    async fn a_node_that_finds_products_says_when_it_can() {
        let data = tempfile::tempdir().unwrap();
        let finding = Some(FindingOptions::default());
        let node = Node::open(&NodeOptions { finding, ..NodeOptions::new(data.path()) }).unwrap();
        let checks = node.under_way.checks();
        let of_search = || checks.iter().filter(|(name, _)| name == "search");
        // Its end, and what it says of itself.
        assert_eq!(of_search().count(), 2);
        for _ in 0..1_000 {
            if of_search().all(|(_, check)| check().is_ok()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(of_search().all(|(_, check)| check().is_ok()));
        node.close().await.unwrap();
    }
}
