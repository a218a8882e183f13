//! A bus within the process: its consumers are called, one after another, with each stretch of
//! messages.
//!
//! At least once over a restart: how far all consumers have got is kept in a file. It is for one
//! node; where several share a journal, each would have its own file and tell its own consumers
//! only while it leads.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use journal::{JournalId, Position};
use schemas::public::PublicMessage;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bus::{BusError, Mark, MessageBus};

/// Messages after which the mark is kept without being asked for.
const KEEP_MESSAGES: u64 = 1_024;

/// Listens in the same process.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Names it in errors.
    fn name(&self) -> &str;

    /// Takes messages in order; returning is the acknowledgement. MUST bear repeats: a message whose
    /// position is not above the highest one seen has been taken before. While it waits or fails, no
    /// consumer gets anything new.
    async fn take(&self, messages: &[PublicMessage]) -> Result<(), ConsumerError>;
}

/// Why a consumer could not take messages now; it is called again with the same ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConsumerError(pub String);

/// Calls consumers of the same process.
pub struct InProcessBus {
    consumers: Vec<Arc<dyn Consumer>>,
    file: Option<PathBuf>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    journal: Option<JournalId>,
    mark: Option<Mark>,
    unkept: u64,
}

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    journal: JournalId,
    position: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Uuid>,
}

impl InProcessBus {
    /// A bus that keeps how far it is in `file`, which is made when it is first needed.
    #[must_use]
    pub fn new(file: &Path, consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self { consumers, file: Some(file.to_owned()), told: Mutex::default() }
    }

    /// A bus that forgets with the process.
    #[must_use]
    pub fn forgetful(consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self { consumers, file: None, told: Mutex::default() }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        match self.told.lock() {
            Ok(told) => told,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    fn read(&self, journal: JournalId) -> Result<Option<Mark>, BusError> {
        let Some(file) = &self.file else { return Ok(self.told().mark) };
        let content = match std::fs::read(file) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(BusError::Unavailable(format!("{}: {error}", file.display())));
            }
        };
        let kept: Kept = serde_json::from_slice(&content).map_err(|error| {
            BusError::SetUp(format!(
                "{} does not say how far the bus was told ({error}): remove it, and everything \
                 is told again",
                file.display()
            ))
        })?;
        if kept.journal != journal {
            return Err(BusError::SetUp(format!(
                "{} belongs to journal {}, not to {journal}: remove it, and everything of this \
                 journal is told",
                file.display(),
                kept.journal
            )));
        }
        Ok(Some(Mark { position: Position(kept.position), event: kept.event }))
    }

    fn write(&self, journal: JournalId, mark: Mark) -> Result<(), BusError> {
        let Some(file) = &self.file else { return Ok(()) };
        let kept = Kept { journal, position: mark.position.0, event: mark.event };
        replace(file, &kept)
            .map_err(|error| BusError::Unavailable(format!("{}: {error}", file.display())))
    }

    fn keep_now(&self, mark: Mark) -> Result<(), BusError> {
        let journal = self.told().journal;
        if let Some(journal) = journal {
            self.write(journal, mark)?;
        }
        let mut told = self.told();
        told.mark = Some(mark);
        told.unkept = 0;
        Ok(())
    }
}

/// All of the new content or all of the old, whatever happens.
fn replace(file: &Path, kept: &Kept) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    let mut new = File::create(&beside)?;
    new.write_all(&serde_json::to_vec(kept)?)?;
    new.sync_all()?;
    std::fs::rename(&beside, file)
}

#[async_trait]
impl MessageBus for InProcessBus {
    async fn resume(&self, journal: JournalId) -> Result<Option<Mark>, BusError> {
        let mark = self.read(journal)?;
        *self.told() = Told { journal: Some(journal), mark, unkept: 0 };
        Ok(mark)
    }

    async fn publish(&self, messages: Vec<PublicMessage>) -> Result<(), BusError> {
        let Some(last) = messages.last() else { return Ok(()) };
        let mark = Mark { position: Position(last.position), event: Some(last.id) };
        for consumer in &self.consumers {
            consumer.take(&messages).await.map_err(|error| {
                BusError::Unavailable(format!("consumer `{}`: {error}", consumer.name()))
            })?;
        }
        let due = {
            let mut told = self.told();
            told.unkept += messages.len() as u64;
            told.unkept >= KEEP_MESSAGES
        };
        if due { self.keep_now(mark) } else { Ok(()) }
    }

    async fn keep(&self, mark: Mark) -> Result<(), BusError> {
        self.keep_now(mark)
    }
}
