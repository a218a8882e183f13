//! Vectors and recommendations made anew on request: one after the other, while the old ones serve.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use search::{FillProgress, Part, ProductVectors, Recommender, RefillRequest, Reporter, Stage};
use tokio::sync::watch;
use tokio::time::Instant;

/// How often it is looked for a request.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// See the module. Works nothing out itself: it has those begin whose work it is, and sees them end.
pub(super) struct Remaking {
    directory: PathBuf,
    vectors: Arc<ProductVectors>,
    recommender: Arc<Recommender>,
    tell: watch::Sender<FillProgress>,
    looked: Option<Instant>,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    request: RefillRequest,
    reporter: Reporter,
    stage: Stage,
    /// How often vectors had been made anew before.
    renewed: u64,
}

impl Remaking {
    pub(super) fn new(
        directory: PathBuf,
        vectors: Arc<ProductVectors>,
        recommender: Arc<Recommender>,
    ) -> Self {
        let tell = watch::Sender::new(FillProgress::default());
        Self { directory, vectors, recommender, tell, looked: None, under_way: None }
    }

    pub(super) fn progress(&self) -> watch::Receiver<FillProgress> {
        self.tell.subscribe()
    }

    /// To be called between two pieces of the work; `learned` says that the recommender did one of its
    /// own since the last call.
    pub(super) fn step(&mut self, at: Instant, learned: bool) {
        let Some(mut now) = self.under_way.take() else { return self.look(at) };
        let (done, total) = match now.stage {
            Stage::Filling | Stage::Vectors => self.vectors.progress(),
            Stage::Orders => (0, 0),
            Stage::Similar => self.recommender.progress().similar,
        };
        match now.stage {
            Stage::Filling | Stage::Vectors if self.vectors.is_renewing() => {}
            Stage::Filling | Stage::Vectors if self.vectors.renewed() == now.renewed => {
                tracing::error!("vectors were not made anew: the model refuses every text");
                return now.request.done();
            }
            Stage::Filling | Stage::Vectors => {
                self.recommender.renew();
                return self.go_on(now, Stage::Orders);
            }
            Stage::Orders if self.recommender.is_renewing() => {}
            Stage::Orders => return self.go_on(now, Stage::Similar),
            // Before it worked on once more it does not know yet which lists are old.
            Stage::Similar if !learned || done < total => {}
            Stage::Similar => {
                now.reporter.at(done as u64, total as u64);
                // In this order: who asked reads how it ended once the request is gone.
                now.reporter.finished();
                now.request.done();
                tracing::info!(products = total, "recommendations were made anew");
                return;
            }
        }
        now.reporter.at(done as u64, total as u64);
        self.under_way = Some(now);
    }

    fn go_on(&mut self, mut now: UnderWay, stage: Stage) {
        now.reporter.stage(stage);
        self.under_way = Some(UnderWay { stage, ..now });
    }

    fn look(&mut self, at: Instant) {
        if self.looked.is_some_and(|looked| at.duration_since(looked) < LOOK_EVERY) {
            return;
        }
        self.looked = Some(at);
        let Some(request) = RefillRequest::find(&self.directory, Part::Recommendations) else {
            return;
        };
        tracing::info!("vectors and recommendations are made anew");
        let reporter = Reporter::new(&self.directory, Part::Recommendations, &self.tell, 0);
        let renewed = self.vectors.renewed();
        self.vectors.renew();
        let begun = UnderWay { request, reporter, stage: Stage::Filling, renewed };
        self.go_on(begun, Stage::Vectors);
    }
}
