//! What makes products findable, made anew by a command, where no server does it.

use std::future::Future;
use std::sync::Arc;

use commands::Clock;
use journal::Journal;
use projections::ReadModels;
use search::{
    FillProgress, Freshness, Indexer, IndexerOptions, Part, Placed, Reporter, SearchEngine, Shelf,
    Stage, VectorsAnew, tell_all,
};
use tokio::sync::watch;

use super::purchases::PurchasesOf;
use super::{
    FindingError, FindingOptions, SEARCH, SearchPlace, Stores, VECTORS, embedder, engines,
};

/// An index filled anew by this process, beside whoever serves or without anybody.
pub struct Refill {
    indexer: Indexer,
    pub engine: Arc<dyn SearchEngine>,
    pub fills: watch::Receiver<FillProgress>,
}

impl Refill {
    /// `Engine(Unavailable)` while another process has the index: that one has to be asked.
    pub fn open(
        stores: &Stores,
        options: &FindingOptions,
        journal: &Arc<dyn Journal>,
        reads: &ReadModels,
    ) -> Result<Self, FindingError> {
        let clock: Arc<dyn Clock> = Arc::new(commands::SystemClock);
        let engine = engines(stores, options, journal.id(), &Shelf::default(), &clock)?.written;
        let shared = matches!(options.place, SearchPlace::Meilisearch { .. });
        let indexer = Indexer::new(
            reads.clone(),
            Arc::clone(journal),
            Arc::clone(&engine),
            Freshness::default(),
            Arc::new(|| true),
            // Written as they are now, and looked after by whoever serves.
            IndexerOptions {
                shared,
                one_catalogue: stores.has_shared_read_models(),
                directory: stores.data.join(SEARCH),
                prices: None,
            },
        );
        let fills = indexer.progress();
        Ok(Self { indexer, engine, fills })
    }

    /// Fills until an index was swapped in, or `give_up` resolves.
    pub async fn run(self, give_up: impl Future<Output = ()> + Send) {
        let mut fills = self.fills;
        let done = async move {
            tokio::select! {
                _ = fills.wait_for(|fill| fill.finished > 0) => {}
                () = give_up => {}
            }
        };
        self.indexer.run(done).await;
    }
}

/// Times the catalogue is read again because another took its place meanwhile.
const READINGS_MAX: usize = 5;

/// Vectors made anew by this process, beside those that the next server loads. All else that
/// recommendations are made from is in a server's memory, and learned anew whenever it starts.
pub struct Remake {
    anew: VectorsAnew,
    reads: ReadModels,
    journal: Arc<dyn Journal>,
    directory: std::path::PathBuf,
    clock: Arc<dyn Clock>,
}

impl Remake {
    /// `None` while a server has the directory: that one is to be asked.
    ///
    /// # Errors
    /// As [`VectorsAnew::begin`].
    pub fn open(
        stores: &Stores,
        options: &FindingOptions,
        journal: &Arc<dyn Journal>,
        reads: &ReadModels,
    ) -> Result<Option<Self>, FindingError> {
        let directory = stores.data.join(SEARCH);
        let purchases = Arc::new(PurchasesOf(reads.clone()));
        let choice = embedder(options, &purchases)?;
        let Some(anew) = VectorsAnew::begin(&directory.join(VECTORS), choice)? else {
            return Ok(None);
        };
        let (journal, reads) = (Arc::clone(journal), reads.clone());
        Ok(Some(Self { anew, reads, journal, directory, clock: Arc::new(commands::SystemClock) }))
    }

    /// Whether a server has the vectors of this directory.
    #[must_use]
    pub fn is_for_a_server(stores: &Stores) -> bool {
        VectorsAnew::is_kept(&stores.data.join(SEARCH).join(VECTORS))
    }

    /// Works until they are made and in place; `tell` hears how far it is.
    ///
    /// # Errors
    /// The catalogue cannot be read, the model refuses every text, or files cannot be written. The old
    /// ones then serve on.
    pub fn run(self, mut tell: impl FnMut(FillProgress)) -> Result<Placed, FindingError> {
        let told = watch::Sender::new(FillProgress::default());
        let mut reporter = Reporter::new(&self.directory, Part::Recommendations, &told, 0);
        let vectors = self.anew.vectors();
        let read = (0..READINGS_MAX)
            .find_map(|_| tell_all(&self.reads, &self.journal, vectors).transpose());
        match read {
            Some(read) => read?,
            None => return Err(FindingError::NoCatalogue),
        }
        reporter.stage(Stage::Vectors);
        self.anew.make(
            || self.clock.now(),
            |done, total| {
                reporter.at(done as u64, total as u64);
                tell(*told.borrow());
            },
        )?;
        let placed = self.anew.take_place(self.clock.now())?;
        if placed == Placed::Serves {
            reporter.finished();
            tell(*told.borrow());
        }
        Ok(placed)
    }
}
