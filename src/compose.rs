//! Puts a node together: the only module that names every adapter, the clock and the id source.

mod browsing;
mod copying;
mod eventstore;
mod finding;
mod keys;
mod read_models;
mod relay;
mod stores;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use commands::browsing::{BrowsingLog, BrowsingOptions, BrowsingReader};
use commands::{
    Bus, BusOptions, Caller, Clock, IdSource, SqliteSnapshots, SystemClock, SystemIds,
    TokioSpawner, TokioTimer,
};
use journal::{Journal, JournalError, Position};
use projections::{Follower, ReadModels};
use sagas::agenda::{Agenda, AgendaError, AgendaTable};
use sagas::checkout::ShopPolicy;
use sagas::engine::{Engine, EngineParts};
use sagas::key_store::{KeyStore, KeyStoreError, OsEntropy};
use sagas::leadership::{Candidate, Leadership};
use sagas::payment_gateway::{
    PaymentGateway, SandboxOptions, SandboxProvider, WebhookSink, WebhookSinkError,
};
use sagas::relay::{BusError, RelayHandle};
use sagas::standard_webhooks::{SignedHeaders, TOLERANCE_SECONDS, WebhookSecrets};
use sagas::webhook_inbox::Delivery;
use tokio::sync::watch;

use browsing::Browsed;
pub use copying::CopyEnd;
pub use finding::{Finding, FindingError, FindingOptions, Refill, Remake, SEARCH, SearchPlace};
pub use relay::Telling;
pub use stores::{JOURNAL_FILE, JournalPlace, SANDBOX_FILE, Stores};

use crate::secrets::{Secrets, SecretsError};
use crate::under_way::{EndMark, UnderWay};

pub const SNAPSHOTS_FILE: &str = "snapshots.db";
pub const AGENDA_FILE: &str = "agenda.db";
pub const READ_MODELS: &str = "read-models";
pub const API_KEYS_FILE: &str = "api-keys.json";
/// The sandbox provider's name in payments.
pub const SANDBOX: &str = "sandbox";

/// How often the agenda looks for what is due.
const AGENDA_EVERY: Duration = Duration::from_millis(250);
/// How long after a failure the sandbox's webhooks are sent again.
const WEBHOOKS_AGAIN: Duration = Duration::from_secs(1);

/// What a node is told.
#[derive(Clone)]
pub struct NodeOptions {
    pub stores: Stores,
    pub policy: ShopPolicy,
    pub clock: Arc<dyn Clock>,
    pub bus: BusOptions,
    pub telling: Telling,
    pub browsing: BrowsingOptions,
    /// `None`: nobody asks this node for products.
    pub finding: Option<FindingOptions>,
    pub journal: journal::Options,
    pub reads: projections::Options,
    /// Ask for real-time priority for the committing threads.
    pub realtime_priority: bool,
}

impl NodeOptions {
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            stores: Stores::in_directory(data),
            policy: ShopPolicy::default(),
            clock: Arc::new(SystemClock),
            bus: BusOptions::default(),
            telling: Telling::default(),
            browsing: BrowsingOptions::default(),
            finding: None,
            journal: journal::Options::default(),
            reads: projections::Options::default(),
            realtime_priority: true,
        }
    }
}

impl NodeOptions {
    fn of_the_journal(&self) -> journal::Options {
        journal::Options {
            // When it was recorded is the machine's time, whatever time the business is at.
            clock: Arc::new(|| SystemClock.now()),
            realtime_priority: self.realtime_priority,
            ..self.journal.clone()
        }
    }
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: {source}")]
    Directory { path: String, source: std::io::Error },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("payment sandbox: {0}")]
    Sandbox(#[source] JournalError),
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("webhook secret: {0}")]
    WebhookSecret(String),
    #[error("snapshots: {0}")]
    Snapshots(String),
    #[error(transparent)]
    Agenda(#[from] AgendaError),
    #[error("read models: {0}")]
    ReadModels(#[from] projections::RunnerError),
    #[error("bus: {0}")]
    Bus(#[from] BusError),
    #[error(transparent)]
    Finding(#[from] FindingError),
    #[error("a thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// One running engine over one data directory.
pub struct Node {
    pub engine: Engine,
    pub journal: Arc<dyn Journal>,
    pub reads: ReadModels,
    pub sandbox: Arc<SandboxProvider>,
    pub keys: Arc<dyn KeyStore>,
    pub secrets: Secrets,
    pub webhook_secrets: WebhookSecrets,
    /// The agenda again, to look at: its own is busy.
    pub agenda: Arc<Mutex<AgendaTable>>,
    pub under_way: UnderWay,
    /// Tells the outside, if anybody listens.
    pub relay: Option<RelayHandle>,
    /// Takes what shoppers look at.
    pub browsing: BrowsingLog,
    /// Finds and recommends products, if anybody asks.
    pub finding: Option<Finding>,
    /// What one node at a time leads, and whether this one does.
    pub leads: Vec<(&'static str, Leadership)>,
    /// Names this process among the nodes.
    owner: uuid::Uuid,
    ledger: Arc<dyn Journal>,
    browsed: Browsed,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Node {
    /// Opens the data directory, making it if need be, and starts the engine's threads.
    pub fn open(options: &NodeOptions) -> Result<Self, OpenError> {
        let data = options.stores.data.as_path();
        std::fs::create_dir_all(data)
            .map_err(|source| OpenError::Directory { path: data.display().to_string(), source })?;
        let clock = Arc::clone(&options.clock);
        let journal_options = options.of_the_journal();
        let ledger_options = for_the_sandbox(&journal_options);
        let journal = options.stores.open_journal(journal_options)?;
        let ledger = options.stores.open_sandbox(ledger_options).map_err(OpenError::Sandbox)?;
        let keys = options.stores.open_keys(journal.head() == Position(0))?;
        let secrets = Secrets::of_data_dir(data, &OsEntropy)?;
        let webhook_secrets = WebhookSecrets::parse(&secrets.webhook_secrets.join(" "))
            .map_err(|error| OpenError::WebhookSecret(error.to_string()))?;

        let sink = Arc::new(Inbox::new(Arc::clone(&clock), webhook_secrets.clone()));
        let sandbox = sandbox(&ledger, &clock, &sink)?;

        let (stop, stopped) = watch::channel(false);
        let runtime = runtime()?;
        let ids: Arc<dyn IdSource> = Arc::new(SystemIds::default());
        let snapshots = SqliteSnapshots::open(&data.join(SNAPSHOTS_FILE), journal.id())
            .map_err(|error| OpenError::Snapshots(error.to_string()))?;
        let (browsing, browsing_writer, browsed) = browsing::open(options, &ids);
        let (bus, desk) =
            Bus::new(Arc::clone(&journal), Arc::new(snapshots), clock, ids, options.bus.clone());
        let gateway = Arc::clone(&sandbox) as Arc<dyn PaymentGateway>;
        let engine = Engine::new(EngineParts {
            bus,
            gateways: BTreeMap::from([(SANDBOX.to_owned(), gateway)]),
            keys: Arc::clone(&keys),
            spawner: Arc::new(TokioSpawner(runtime.handle().clone())),
            timer: Arc::new(TokioTimer),
            policy: options.policy.clone(),
        });
        sink.connect(engine.clone());
        let open_agenda =
            || AgendaTable::open(&data.join(AGENDA_FILE), journal.id(), journal.head());
        let (table, to_look_at) = (open_agenda()?, open_agenda()?);
        let owner = uuid::Uuid::now_v7();
        let (mut candidates, mut leads) = (Vec::new(), Vec::new());
        let mut led = |lease: &'static str| {
            let (candidate, leadership) = Candidate::new(Arc::clone(&journal), lease, owner);
            candidates.push(candidate);
            leads.push((lease, leadership.clone()));
            leadership
        };
        let (leads_agenda, leads_webhooks) = (led("agenda"), led("webhooks"));
        let told = options.telling.bus(data)?;
        let told = match told {
            Some(bus) => {
                let runtime = self::runtime()?;
                let leads = led(sagas::relay::LEASE);
                Some((relay::relay(&journal, bus, leads, &runtime)?, runtime))
            }
            None => None,
        };
        let projector = projector(&journal, options)?;
        let reads = projector.read_models();
        let (finding, to_find) = finding::open(options, &journal, &reads, &mut led)?.unzip();
        let agenda = Agenda::new(table, Arc::clone(&journal), engine.clone()).led_by(leads_agenda);

        let mut under_way = UnderWay::default();
        let reached = Arc::clone(&journal);
        under_way.watch("journal", move || reached.out_of_reach().map_or(Ok(()), Err));
        let marks = [under_way.begin("engine"), under_way.begin("agenda")];
        let led = Led { agenda, sandbox: Arc::clone(&sandbox), leads_webhooks, candidates };
        let told_until = stopped.clone();
        let engine_work = decide(desk, led, marks, stopped.clone());
        let browsing_work = browsing::work(browsing_writer, stopped.clone());
        let projector_work = follow(projector, under_way.begin("projector"), stopped.clone());
        let mut threads = vec![
            thread("engine", runtime, engine_work)?,
            thread("projector", self::runtime()?, projector_work)?,
            thread("browsing", self::runtime()?, browsing_work)?,
        ];
        threads.extend(finding::start(to_find, || browsed.reader(), &mut under_way, &stopped)?);
        let mut relay_handle = None;
        if let Some(((handle, relay), runtime)) = told {
            relay_handle = Some(handle);
            let work = relay::work(relay, under_way.begin("relay"), told_until);
            threads.push(thread("relay", runtime, work)?);
        }
        Ok(Self {
            engine,
            journal,
            reads,
            sandbox,
            keys,
            secrets,
            webhook_secrets,
            agenda: Arc::new(Mutex::new(to_look_at)),
            under_way,
            relay: relay_handle,
            browsing,
            finding,
            leads,
            owner,
            ledger,
            browsed,
            stop,
            threads,
        })
    }

    /// What is kept of browsing, and what comes. To be run on a thread of its own.
    #[must_use]
    pub fn browsing_reader(&self) -> BrowsingReader {
        self.browsed.reader()
    }

    /// Finishes what is queued and closes everything.
    pub async fn close(mut self) -> Result<(), JournalError> {
        // Whatever was taken in before this is answered before the journal closes.
        let _ = self.engine.bus().run(&Caller::system(), |_| Ok(())).await;
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the engine had panicked");
            }
        }
        if let Some(leases) = self.journal.leases() {
            for (lease, _) in &self.leads {
                // Another node takes over at once; without this, when the lease has run out.
                let _ = leases.release(lease, self.owner).await;
            }
        }
        self.journal.close().await?;
        self.ledger.close().await?;
        self.keys.close();
        Ok(())
    }
}

/// What one node at a time leads.
struct Led {
    agenda: Agenda,
    sandbox: Arc<SandboxProvider>,
    leads_webhooks: Leadership,
    candidates: Vec<Candidate>,
}

/// The engine's thread: decides commands, and does what is due.
async fn decide(
    desk: impl Future<Output = ()> + Send,
    led: Led,
    [_engine, agenda_mark]: [EndMark; 2],
    mut stopped: watch::Receiver<bool>,
) {
    let Led { agenda, sandbox, leads_webhooks, candidates } = led;
    let mut beside = tokio::task::JoinSet::new();
    beside.spawn(async move {
        let _agenda = agenda_mark;
        agenda.run(Arc::new(TokioTimer), AGENDA_EVERY).await;
    });
    beside.spawn(send_webhooks(sandbox, leads_webhooks));
    for candidate in candidates {
        beside.spawn(candidate.run(Arc::new(TokioTimer)));
    }
    tokio::select! {
        biased;
        // Commands already taken in are decided and answered first: the desk ends by itself when
        // the journal is closed and nobody can ask any more.
        () = desk => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Sends the sandbox's webhooks while this node is the one that does.
async fn send_webhooks(sandbox: Arc<SandboxProvider>, mut leadership: Leadership) {
    loop {
        leadership.gained().await;
        tokio::select! {
            sent = sandbox.send_webhooks() => match sent {
                Ok(()) | Err(JournalError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "sandbox webhooks: trying again");
                    tokio::time::sleep(WEBHOOKS_AGAIN).await;
                }
            },
            () = leadership.lost() => {}
        }
    }
}

/// The projector's thread: folds the journal into the read models.
async fn follow(projector: Follower, _mark: EndMark, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        // An error means the node is gone, which is a reason to stop too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = projector.run(stop).await {
        tracing::debug!(%error, "read models ended");
    }
}

/// What folds the journal into the read models; those that are shared, while no other node does.
fn projector(journal: &Arc<dyn Journal>, options: &NodeOptions) -> Result<Follower, OpenError> {
    let directory = options.stores.read_models().map_err(projections::RunnerError::Directory)?;
    let models = projections::models::all();
    Ok(Follower::open(Arc::clone(journal), &directory, &models, options.reads)?)
}

/// The sandbox provider over books of its own; its webhooks go to `sink`.
fn sandbox(
    ledger: &Arc<dyn Journal>,
    clock: &Arc<dyn Clock>,
    sink: &Arc<Inbox>,
) -> Result<Arc<SandboxProvider>, OpenError> {
    let clock = Arc::clone(clock);
    let provider = SandboxProvider::new(
        Arc::clone(ledger),
        Arc::new(move || clock.now()),
        Arc::new(TokioTimer),
        SandboxOptions::default(),
    );
    let provider = provider.map_err(OpenError::Sandbox)?;
    let secrets = sink.secrets.clone();
    Ok(Arc::new(provider.with_webhooks(Arc::clone(sink) as Arc<dyn WebhookSink>, secrets)))
}

/// Nobody follows the sandbox's books, so little of them needs to be in memory.
fn for_the_sandbox(journal: &journal::Options) -> journal::Options {
    journal::Options {
        tail_events: 8_192,
        tail_bytes: 4 << 20,
        chunk_cache_bytes: 4 << 20,
        page_cache_kib: 4 << 10,
        ..journal.clone()
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, OpenError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(OpenError::Thread)
}

fn thread(
    name: &str,
    runtime: tokio::runtime::Runtime,
    work: impl Future<Output = ()> + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || runtime.block_on(work))
        .map_err(OpenError::Thread)
}

/// Takes the sandbox's webhooks as if they came over the network: signature first.
struct Inbox {
    engine: OnceLock<Engine>,
    clock: Arc<dyn Clock>,
    secrets: WebhookSecrets,
}

impl Inbox {
    fn new(clock: Arc<dyn Clock>, secrets: WebhookSecrets) -> Self {
        Self { engine: OnceLock::new(), clock, secrets }
    }

    /// The provider is part of the engine that its webhooks go to, so they are joined last.
    fn connect(&self, engine: Engine) {
        drop(self.engine.set(engine));
    }
}

#[async_trait]
impl WebhookSink for Inbox {
    async fn deliver(&self, headers: &SignedHeaders, body: &[u8]) -> Result<u16, WebhookSinkError> {
        let engine = self.engine.get().ok_or_else(|| WebhookSinkError("not started".to_owned()))?;
        let now = self.clock.now();
        let verified = match self.secrets.verify(&headers.received(), body, now, TOLERANCE_SECONDS)
        {
            Ok(verified) => verified,
            Err(_) => return Ok(401),
        };
        let delivery = Delivery {
            provider: SANDBOX.to_owned(),
            message_id: verified.id,
            body: String::from_utf8_lossy(body).into_owned(),
        };
        match engine.receive_webhook(&Caller::named("provider:sandbox"), delivery).await {
            Ok(_) => Ok(200),
            Err(error) => Err(WebhookSinkError(error.to_string())),
        }
    }
}
