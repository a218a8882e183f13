//! The suite for all engines, and what can go wrong with a server, against a double that speaks the
//! published protocol. The suite also runs against a real server, if `TILLROLL_TEST_MEILISEARCH_URL` names
//! one and `TILLROLL_TEST_MEILISEARCH_KEY` is a key that may do everything.

mod failures;
mod many;
mod sharing;
mod values;

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use serde::Deserialize;
use test_servers::meilisearch::{Double, MASTER_KEY};

use super::server::Server;
use super::{MeilisearchEngine, MeilisearchOptions};
use crate::SearchError;
use crate::conformance::{self, Subject, shop};

/// A server, an index name of one's own in it, and a clock.
struct Place {
    /// None if the server is a real one.
    double: Option<Double>,
    url: String,
    key: String,
    index: String,
    clock: Arc<Mutex<Timestamp>>,
}

impl Place {
    /// Beside a double, whatever the environment says.
    fn doubled() -> Self {
        let double = Double::start();
        let url = double.url();
        Self::new(Some(double), url, MASTER_KEY.to_owned())
    }

    fn real_or_doubled() -> Self {
        match env::var("TILLROLL_TEST_MEILISEARCH_URL") {
            Err(_) => Self::doubled(),
            Ok(url) => {
                Self::new(None, url, env::var("TILLROLL_TEST_MEILISEARCH_KEY").unwrap_or_default())
            }
        }
    }

    fn new(double: Option<Double>, url: String, key: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let index = format!("test_{}_{number}", std::process::id());
        Self { double, url, key, index, clock: Arc::new(Mutex::new(shop::instant(0))) }
    }

    fn options(&self) -> MeilisearchOptions {
        let clock = self.clock.clone();
        let journal = conformance::filled(0).journal;
        let mut options =
            MeilisearchOptions::new(journal, Arc::new(move || *clock.lock().unwrap()));
        options.index.clone_from(&self.index);
        // Machines that build and test are slow.
        options.search_timeout = Duration::from_secs(30);
        options
    }

    async fn engine(&self) -> MeilisearchEngine {
        self.connect(self.options()).await
    }

    async fn connect(&self, options: MeilisearchOptions) -> MeilisearchEngine {
        connect(&self.url, Some(&self.key), options).await.unwrap()
    }

    fn double(&self) -> &Double {
        self.double.as_ref().unwrap()
    }

    fn subject(self, engine: MeilisearchEngine) -> Subject {
        let clock = self.clock.clone();
        let mut subject = Subject::new(Arc::new(engine));
        subject.set_clock = Box::new(move |now| *clock.lock().unwrap() = now);
        subject.keeps = Box::new(Mutex::new(self));
        subject
    }
}

/// A client of a server that was found to be what it should be.
async fn connect(
    url: &str,
    key: Option<&str>,
    options: MeilisearchOptions,
) -> Result<MeilisearchEngine, SearchError> {
    let engine = MeilisearchEngine::new(url, key, options)?;
    engine.check().await.map(|()| engine)
}

impl Drop for Place {
    /// A real server is left as it was found.
    fn drop(&mut self) {
        #[derive(Deserialize)]
        struct Indexes {
            results: Vec<Index>,
        }
        #[derive(Deserialize)]
        struct Index {
            uid: String,
        }
        if self.double.is_some() {
            return;
        }
        let (url, key, index) = (self.url.clone(), self.key.clone(), self.index.clone());
        let sweep = async move {
            let server = Server::new(&url, Some(&key)).ok()?;
            let indexes: Indexes = server.get("/indexes?limit=1000").await.ok()?;
            for found in indexes.results {
                if found.uid == index || found.uid.starts_with(&format!("{index}_shadow_")) {
                    server.delete(&format!("/indexes/{}", found.uid)).await.ok()?;
                }
            }
            Some(())
        };
        // What drops it may be within a runtime, where none can be started.
        let swept = std::thread::spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sweep)
        });
        drop(swept.join());
    }
}

/// The suite's subject, which is empty.
async fn subject() -> Subject {
    let place = Place::real_or_doubled();
    let engine = place.engine().await;
    place.subject(engine)
}

/// Beside a double, filled with the suite's shop.
async fn with_shop(place: &Place) -> Arc<MeilisearchEngine> {
    let engine = Arc::new(place.engine().await);
    let subject = Subject::new(engine.clone());
    subject.with_shop().await;
    engine
}

mod suite {
    //! What every engine must do.

    use super::{conformance, subject};

    conformance::checks!(subject);
}
