//! The world of one run: disks, keys and the provider, which outlive the engine, and the engine,
//! which may die at any moment and is started again from them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{TimeZone, Utc};
use commands::{Bus, BusOptions, Caller, IdSource, SystemIds};
use journal::{Journal, MemoryJournal, Storage};
use sagas::agenda::{Agenda, AgendaTable, Counts as AgendaCounts};
use sagas::checkout::ShopPolicy;
use sagas::engine::{Engine, EngineParts};
use sagas::key_store::{MemoryKeyStore, SeededEntropy};
use sagas::payment_gateway::{PaymentGateway, SandboxProvider};
use sagas::webhook_inbox::Delivery;
use uuid::Uuid;

use super::acknowledged::Acknowledged;
use super::chance::Chance;
use super::disk::{KeptSnapshots, SlowJournal};
use super::executor::{Executor, Process, ProcessSpawner};
use super::faults::{Counts, Faults, Planned, Rates};
use super::provider::provider;
use super::read_models::ReadModelsAtWork;

/// What is decided before a run starts.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) traced: bool,
    pub(crate) rates: Rates,
    pub(crate) planned: Option<Planned>,
    pub(crate) shoppers: u64,
    pub(crate) skus: u64,
    pub(crate) warehouses: u64,
    pub(crate) units_each: u64,
    pub(crate) disk_longest_us: u64,
    pub(crate) agenda_every: Duration,
    pub(crate) snapshot_every: u64,
    pub(crate) cached_max: usize,
    pub(crate) policy: ShopPolicy,
    /// Whether read models follow the log, to be compared with a rebuild.
    pub(crate) read_models: bool,
}

/// The engine as it runs now.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) journal: Arc<MemoryJournal>,
    process: Process,
    /// What the agenda still has to do, as of its last round.
    pub(crate) agenda: Arc<Mutex<Option<AgendaCounts>>>,
}

/// Clones are the same world.
#[derive(Clone)]
pub(crate) struct World(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) setting: Setting,
    pub(crate) chance: Chance,
    pub(crate) executor: Executor,
    pub(crate) faults: Faults,
    pub(crate) storage: Arc<Storage>,
    pub(crate) ledger: Arc<Storage>,
    pub(crate) keys: Arc<MemoryKeyStore>,
    pub(crate) provider: Arc<SandboxProvider>,
    pub(crate) acknowledged: Mutex<Acknowledged>,
    pub(crate) read_models: ReadModelsAtWork,
    /// Webhooks as they came, to be delivered again some other time.
    pub(crate) webhooks: Mutex<Vec<Delivery>>,
    pub(crate) snapshots: Arc<KeptSnapshots>,
    ids: Arc<SystemIds>,
    node: Mutex<Option<Node>>,
    /// Where everybody lives but the engine.
    outside: Process,
    working: Mutex<u64>,
}

impl std::ops::Deref for World {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(setting: Setting) -> Self {
        let chance = Chance::of(setting.seed);
        let start = Utc.with_ymd_and_hms(2026, 3, 1, 9, 0, 0).single().unwrap_or_default();
        let executor = Executor::new(chance.clone(), start, setting.traced);
        let faults = Faults::new(chance.clone(), setting.rates.clone(), setting.planned);
        let ledger = Arc::new(Storage::new(Uuid::from_u128(2)));
        let post = Arc::new(Mutex::new(None));
        let provider = provider(&executor, &ledger, &faults, Arc::clone(&post));
        let outside = executor.new_process();
        let world = Self(Arc::new(Parts {
            storage: Arc::new(Storage::new(Uuid::from_u128(1))),
            ledger,
            keys: Arc::new(MemoryKeyStore::new(Arc::new(SeededEntropy::new(setting.seed)))),
            provider: Arc::new(provider),
            acknowledged: Mutex::default(),
            read_models: ReadModelsAtWork::new(),
            webhooks: Mutex::default(),
            snapshots: Arc::default(),
            ids: Arc::new(SystemIds::seeded(u128::from(setting.seed) << 16)),
            node: Mutex::default(),
            outside,
            working: Mutex::default(),
            setting,
            chance,
            executor,
            faults,
        }));
        *lock(&post) = Some(world.clone());
        world.boot();
        let sender = world.clone();
        world.executor.spawn(outside, "provider", async move {
            loop {
                // Its ledger may fail it; it goes on from its cursor then.
                let ended = sender.provider.send_webhooks().await;
                sender.executor.note(|| format!("webhook sender ended: {ended:?}"));
                sender.executor.sleep(Duration::from_secs(1)).await;
            }
        });
        world
    }

    /// Ends what keeps the parts alive in a circle.
    pub(crate) fn close(&self) {
        self.executor.kill(self.outside);
        if let Some(node) = lock(&self.node).take() {
            self.executor.kill(node.process);
        }
    }

    pub(crate) fn id<I: From<Uuid>>(&self) -> I {
        I::from(self.ids.next(self.executor.now()))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.faults.counts()
    }

    /// The engine that runs now, waiting for a restart if none does.
    pub(crate) async fn engine(&self) -> Engine {
        loop {
            if let Some(node) = self.node() {
                return node.engine;
            }
            self.executor.sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn node(&self) -> Option<Node> {
        lock(&self.node).clone()
    }

    /// A task of the outside world whose end the run waits for.
    pub(crate) fn work(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        *lock(&self.working) += 1;
        let world = self.clone();
        self.executor.spawn(self.outside, name, async move {
            task.await;
            *lock(&world.working) -= 1;
        });
    }

    pub(crate) fn all_work_is_done(&self) -> bool {
        *lock(&self.working) == 0
    }

    /// Starts the engine on what is on the disks.
    pub(crate) fn boot(&self) {
        let setting = &self.setting;
        let process = self.executor.new_process();
        let clock = self.executor.clone();
        let memory = MemoryJournal::over(Arc::clone(&self.storage))
            .with_clock(Arc::new(move || clock.now()))
            .with_faults(Arc::new(self.faults.clone()));
        let memory = Arc::new(memory);
        let journal: Arc<dyn Journal> = Arc::new(SlowJournal {
            inner: Arc::clone(&memory),
            executor: self.executor.clone(),
            chance: self.chance.clone(),
            longest_us: setting.disk_longest_us,
        });
        let options = BusOptions {
            cached_aggregates_max: setting.cached_max,
            snapshot_every_events: setting.snapshot_every,
            ..BusOptions::default()
        };
        let (bus, desk) = Bus::new(
            Arc::clone(&journal),
            Arc::clone(&self.snapshots) as _,
            Arc::new(self.executor.clone()),
            Arc::clone(&self.ids) as _,
            options,
        );
        self.executor.spawn(process, "desk", desk);
        let gateway: Arc<dyn PaymentGateway> = Arc::clone(&self.provider) as _;
        let engine = Engine::new(EngineParts {
            bus,
            gateways: BTreeMap::from([("sandbox".to_owned(), gateway)]),
            keys: Arc::clone(&self.keys) as _,
            spawner: Arc::new(ProcessSpawner { executor: self.executor.clone(), process }),
            timer: Arc::new(self.executor.clone()),
            policy: setting.policy.clone(),
        });
        let agenda = Arc::new(Mutex::new(None));
        self.keep_agenda(process, &engine, &journal, Arc::clone(&agenda));
        if setting.read_models {
            let (models, followed) = (self.clone(), Arc::clone(&memory));
            self.executor.spawn(process, "read models", async move {
                models.read_models.follow(followed, &models.executor).await;
            });
        }
        self.executor.note(|| format!("engine starts at position {}", memory.head().0));
        *lock(&self.node) = Some(Node { engine, journal: memory, process, agenda });
    }

    fn keep_agenda(
        &self,
        process: Process,
        engine: &Engine,
        journal: &Arc<dyn Journal>,
        counts: Arc<Mutex<Option<AgendaCounts>>>,
    ) {
        let table = AgendaTable::in_memory(journal.id()).expect("a table in memory opens");
        let mut agenda = Agenda::new(table, Arc::clone(journal), engine.clone());
        let (executor, every) = (self.executor.clone(), self.setting.agenda_every);
        self.executor.spawn(process, "agenda", async move {
            loop {
                let ended = agenda.round().await;
                if let Err(error) = &ended {
                    executor.note(|| format!("agenda round ended early: {error}"));
                }
                *lock(&counts) = ended.ok().and_then(|_| agenda.counts().ok());
                executor.sleep(every).await;
            }
        });
    }

    /// The engine's process ends at once; another one starts in a while.
    pub(crate) fn crash(&self) {
        let Some(node) = lock(&self.node).take() else { return };
        node.journal.crash();
        self.executor.kill(node.process);
        self.executor.note(|| "the engine died".to_owned());
        self.faults.count("restarts");
        let world = self.clone();
        let wait = Duration::from_millis(self.chance.within(1, 4_000));
        self.executor.spawn(self.outside, "restart", async move {
            world.executor.sleep(wait).await;
            world.boot();
        });
    }

    /// Delivers a webhook that came before, or never; whether it was taken.
    pub(crate) async fn deliver_again(&self, delivery: Delivery) -> bool {
        let engine = self.engine().await;
        engine.receive_webhook(&Caller::named("provider"), delivery).await.is_ok()
    }
}

/// True as soon as the node's journal acts closed: only a crash closes it.
pub(crate) fn is_dead(node: &Node) -> bool {
    let closed = futures::FutureExt::now_or_never(node.journal.read_all(node.journal.head(), 1));
    matches!(closed, Some(Err(_)))
}
