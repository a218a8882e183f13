//! The thread that talks to the server: what is asked at the same time shares a round trip.
//!
//! It alone fills the cache and takes erased keys out of it, in the order in which the server told,
//! so a key that was erased never comes back into it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::PostgresServer;
use sqlx::PgConnection;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;

use super::cache::Cache;
use super::faults::unavailable;
use super::masters::{self, Masters};
use super::session::{Answer, Session, Statement};
use super::{PostgresKeyOptions, migrate};
use crate::key_store::sealing::SecretKey;
use crate::key_store::{Entropy, KeyStoreError, MasterKey};

const CHANNEL: &str = "tillroll_keys";
/// Calls answered together at most.
const BATCH_MAX: usize = 4_096;
/// How long to wait before listening is tried again.
const PAUSE: Duration = Duration::from_millis(200);

type Reply<T> = oneshot::Sender<Result<T, KeyStoreError>>;
type KeyReply = Reply<Arc<SecretKey>>;
type Found = Result<Arc<SecretKey>, KeyStoreError>;

pub(super) enum Ask {
    Key { person: Uuid, create: bool, reply: KeyReply },
    Erase { person: Uuid, reply: Reply<()> },
    Rotate { master: MasterKey, reply: Reply<()> },
}

/// What the worker begins with.
pub(super) struct Start {
    pub(super) server: PostgresServer,
    pub(super) masters: Masters,
    pub(super) may_be_new: bool,
    pub(super) options: PostgresKeyOptions,
    pub(super) cache: Arc<Cache>,
}

/// Tells through `ready` whether it could start, and answers until every sender is gone.
pub(super) async fn run(start: Start, ready: Reply<()>, asked: mpsc::Receiver<Ask>) {
    let (server, options) = (start.server.clone(), start.options.clone());
    let mut worker = match start.worker().await {
        Ok(worker) => worker,
        // Whoever wanted to open the store may have gone.
        Err(error) => return drop(ready.send(Err(error))),
    };
    drop(ready.send(Ok(())));
    let news = Notify::new();
    tokio::select! {
        () = worker.answer_all(asked, &news, options.poll_every) => {}
        () = listen(&server, &news) => {}
    }
}

impl Start {
    async fn worker(self) -> Result<Worker, KeyStoreError> {
        let mut session = self.server.connect_checked().await.map_err(unavailable)?;
        if self.options.migrate {
            migrate::bring_up(&mut session).await?;
        } else {
            migrate::check(&mut session).await?;
        }
        let entropy = Arc::clone(&self.options.entropy);
        let fresh = self.may_be_new.then_some(entropy.as_ref());
        self.masters.recognise(&mut session, fresh, self.server.place()).await?;
        let session = Session::new(self.server.clone(), session);
        let mut worker = Worker {
            server: self.server,
            session,
            masters: self.masters,
            cache: self.cache,
            entropy,
            patience: self.options.patience,
            heard: 0,
            in_force: String::new(),
        };
        worker.look().await?;
        Ok(worker)
    }
}

struct Worker {
    server: PostgresServer,
    session: Session,
    masters: Masters,
    cache: Arc<Cache>,
    entropy: Arc<dyn Entropy>,
    patience: Duration,
    /// Erasures of which the cache knows.
    heard: i64,
    /// Fingerprint of the master key in force when last heard.
    in_force: String,
}

impl Worker {
    async fn answer_all(&mut self, mut asked: mpsc::Receiver<Ask>, news: &Notify, every: Duration) {
        let mut away = false;
        loop {
            tokio::select! {
                ask = asked.recv() => {
                    let Some(ask) = ask else { return };
                    let mut asks = vec![ask];
                    while asks.len() < BATCH_MAX && let Ok(ask) = asked.try_recv() {
                        asks.push(ask);
                    }
                    self.serve(asks).await;
                    continue;
                }
                () = news.notified() => {}
                () = tokio::time::sleep(every) => {}
            }
            match self.look().await {
                Ok(()) => away = false,
                Err(error) => {
                    if !away {
                        tracing::warn!(%error, "cannot look for erasures; keys are not cached until then");
                    }
                    away = true;
                }
            }
        }
    }

    async fn serve(&mut self, asks: Vec<Ask>) {
        let mut wanted = Vec::new();
        for ask in asks {
            match ask {
                Ask::Key { person, create, reply } => wanted.push((person, create, reply)),
                // The rest keep their place in the order of calls.
                Ask::Erase { person, reply } => {
                    self.keys(std::mem::take(&mut wanted)).await;
                    let erased = self.tell(&Statement::Erase(person)).await.map(drop);
                    // A caller that went away needs no answer.
                    drop(reply.send(erased));
                }
                Ask::Rotate { master, reply } => {
                    self.keys(std::mem::take(&mut wanted)).await;
                    drop(reply.send(self.rotate(master).await));
                }
            }
        }
        self.keys(wanted).await;
    }

    async fn keys(&mut self, wanted: Vec<(Uuid, bool, KeyReply)>) {
        if wanted.is_empty() {
            return;
        }
        let mut persons = BTreeMap::new();
        for (person, create, _) in &wanted {
            *persons.entry(*person).or_insert(false) |= create;
        }
        let found = self.find(&persons).await;
        for (person, _, reply) in wanted {
            let answer = match &found {
                Err(error) => Err(error.clone()),
                Ok(found) => match found.get(&person) {
                    Some(key) => key.clone(),
                    None => Err(KeyStoreError::UnknownPerson { person }),
                },
            };
            drop(reply.send(answer));
        }
    }

    /// The keys of these persons; makes those that are missing where that is wanted.
    async fn find(
        &mut self,
        wanted: &BTreeMap<Uuid, bool>,
    ) -> Result<HashMap<Uuid, Found>, KeyStoreError> {
        let persons: Vec<Uuid> = wanted.keys().copied().collect();
        let answer = self.tell(&Statement::Find(&persons)).await?;
        let mut found = self.open(answer);
        let missing: Vec<Uuid> = wanted
            .iter()
            .filter(|(person, create)| **create && !found.contains_key(person))
            .map(|(person, _)| *person)
            .collect();
        if !missing.is_empty() {
            let made = self.make(&missing).await?;
            found.extend(self.open(made));
        }
        Ok(found)
    }

    async fn make(&mut self, missing: &[Uuid]) -> Result<Answer, KeyStoreError> {
        for _ in 0..3 {
            let master = self.masters.with(&self.in_force)?;
            let mut wrapped = Vec::with_capacity(missing.len());
            for person in missing {
                let key = SecretKey::random(self.entropy.as_ref())?;
                wrapped.push(key.wrap(master.key(), *person, self.entropy.as_ref())?);
            }
            let under = master.fingerprint();
            let make = Statement::Make { persons: missing, wrapped: &wrapped, under: &under };
            let answer = self.tell(&make).await?;
            // Else the master key was changed just before, and nothing was made.
            if answer.master == under {
                return Ok(answer);
            }
        }
        Err(KeyStoreError::Unavailable("the master key keeps changing: try again".to_owned()))
    }

    /// Opens what was found, into the cache.
    fn open(&self, answer: Answer) -> HashMap<Uuid, Found> {
        let mut found = HashMap::with_capacity(answer.persons.len());
        for (person, wrapped) in answer.persons {
            let key = match wrapped {
                None => Err(KeyStoreError::Erased { person }),
                Some(wrapped) => self.masters.open(&answer.master, person, &wrapped).map(Arc::new),
            };
            if let Ok(key) = &key {
                self.cache.put(person, Arc::clone(key));
            }
            found.insert(person, key);
        }
        found
    }

    /// Without patience: it will be done again, and calls are waiting.
    async fn look(&mut self) -> Result<(), KeyStoreError> {
        self.tell_within(&Statement::Find(&[]), Duration::ZERO).await.map(drop)
    }

    async fn tell(&mut self, statement: &Statement<'_>) -> Result<Answer, KeyStoreError> {
        self.tell_within(statement, self.patience).await
    }

    /// Asks the server, and hears of what was erased before its answer.
    async fn tell_within(
        &mut self,
        statement: &Statement<'_>,
        patience: Duration,
    ) -> Result<Answer, KeyStoreError> {
        let asked = Instant::now();
        let mut answer = self.session.ask(statement, patience).await?;
        if answer.erasures != self.heard {
            let news = self.session.ask(&Statement::ErasedSince(self.heard), patience).await?;
            let erased: HashSet<Uuid> = news.persons.iter().map(|(person, _)| *person).collect();
            // Some may have been erased after the answer was given.
            for (person, wrapped) in &mut answer.persons {
                if erased.contains(person) {
                    *wrapped = None;
                }
            }
            // Fewer than before: the database was put back to an earlier time.
            if news.erasures < self.heard {
                self.cache.clear();
            }
            self.cache.forget(&erased);
            self.heard = news.erasures;
        }
        self.cache.knows_all_as_of(asked);
        self.in_force.clone_from(&answer.master);
        Ok(answer)
    }

    async fn rotate(&mut self, to: MasterKey) -> Result<(), KeyStoreError> {
        self.masters.add(to.clone());
        // Of its own, so that a failure leaves no transaction on the session of the others.
        let mut session: PgConnection = self.server.connect_checked().await.map_err(unavailable)?;
        masters::rotate(&mut session, &self.masters, &to, self.entropy.as_ref()).await?;
        self.look().await
    }
}

/// Wakes whoever waits for `news` when somebody is erased, for as long as it is polled.
async fn listen(server: &PostgresServer, news: &Notify) {
    let pool = server.pool(0);
    loop {
        let hear = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            // What was told before that was heard by nobody here.
            news.notify_one();
            while listener.try_recv().await?.is_some() {
                news.notify_one();
            }
            Ok::<_, sqlx::Error>(())
        };
        if let Err(error) = hear.await {
            tracing::debug!(%error, "not told of erasures; asking for them instead");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
