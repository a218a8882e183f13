//! Every read model, built again from the first event, has the rows that serve.
//!
//! The new rows go into a temporary directory, which is deleted; nothing is swapped and nothing is
//! sent. Beside a running server the rows that serve are held still (one read transaction) while
//! the new ones are brought to the same position and compared.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use journal::{Journal, Position};
use projections::{
    Directory, Options, ReadModels, Registration, Runner, RunnerError, StoreError, compare_rows,
};

use super::findings::{Findings, LawReport, Place};
use super::rows::{self, Compared};
use crate::block_on::block_on;

const BATCH_EVENTS: u64 = 16_384;
/// How long a serving file may take to come as far as the rebuilt one is.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long events that a serving file has may take to be seen here too.
const NEWS_WITHIN: Duration = Duration::from_secs(2);
/// How far a model's file is.
const POSITION: &str = "SELECT position FROM checkpoint";
/// Version of the model that wrote the file.
const VERSION: &str = "SELECT model_version FROM checkpoint";

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("read models: {0}")]
    Store(#[from] StoreError),
    #[error("read models: {0}")]
    Runner(#[from] RunnerError),
    #[error("temporary directory: {0}")]
    Io(#[from] std::io::Error),
}

/// The next row of a statement made by [`rows::SELECT_OF`].
macro_rules! row_of {
    ($rows:ident) => {
        || match $rows.next()? {
            Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
            None => Ok(None),
        }
    };
}

/// Compares every model that serves in `served`. `progress` gets the position reached.
///
/// # Errors
/// When the models cannot be built or read at all; what differs is in the report.
pub(super) fn check(
    journal: &Arc<dyn Journal>,
    served: &Directory,
    progress: &mut dyn FnMut(Position),
) -> Result<LawReport, RebuildError> {
    let mut found = Findings::default();
    let models = projections::models::all();
    let serving = ReadModels::open(served, &models)?;
    let mut behind_first = Vec::new();
    for model in models {
        if served.serving(model.name())?.is_none() {
            found.pending(format!("{}: not built yet", model.name()));
        } else if number(&serving, &model, VERSION)? != u64::from(model.version()) {
            // The next start builds it anew.
            found.pending(format!("{}: written by another version", model.name()));
        } else {
            behind_first.push((number(&serving, &model, POSITION)?, model));
        }
    }
    behind_first.sort_by_key(|(position, _)| *position);
    let models: Vec<Registration> = behind_first.into_iter().map(|(_, model)| model).collect();

    let scratch = Scratch::new()?;
    let temporary = Directory::on_disk(&scratch.0)?;
    let runner = Runner::open(Arc::clone(journal), &temporary, &models, Options::default())?;
    let mut rebuild = Rebuild { runner, progress };
    for model in &models {
        rebuild.compare(&serving, model, &mut found)?;
    }
    drop(rebuild);
    Ok(found
        .into_report(NAME, "every read model built again from the journal has the rows that serve"))
}

pub(super) const NAME: &str = "read_models";

fn number(serving: &ReadModels, model: &Registration, query: &str) -> Result<u64, StoreError> {
    serving.read(model.name(), |rows| rows.query_row(query, [], |row| row.get::<u64>(0)))
}

struct Rebuild<'a> {
    runner: Runner,
    progress: &'a mut dyn FnMut(Position),
}

impl Rebuild<'_> {
    /// Brings the new rows to where the serving ones are, and compares them there.
    fn compare(
        &mut self,
        serving: &ReadModels,
        model: &Registration,
        found: &mut Findings,
    ) -> Result<(), RebuildError> {
        let began = Instant::now();
        loop {
            // Nearly all of the way is gone before the serving rows are held still, so that a
            // running server's file need not keep what it has replaced meanwhile.
            self.bring_to(number(serving, model, POSITION)?)?;
            // A failure of the rebuild leaves the transaction through here, untouched by it.
            let mut failed = None;
            let compared = serving.read(model.name(), |left| {
                let target = left.query_row(POSITION, [], |row| row.get::<u64>(0))?;
                if target < self.runner.position().0 {
                    return Ok(None);
                }
                if let Err(error) = self.bring_to(target) {
                    failed = Some(error);
                    return Ok(None);
                }
                let rebuilt = self.runner.read_models();
                let derived = model.derived_tables();
                rebuilt.read(model.name(), |right| {
                    if !left.is_file() {
                        return Ok(Some(Compared::of(compare_rows(left, right, derived)?)));
                    }
                    let mut compared = Compared::default();
                    let names: String = left.query_row(rows::TABLES, [], |row| row.get(0))?;
                    let own = |name: &&str| !name.is_empty() && !derived.contains(name);
                    for table in names.split('\n').filter(own) {
                        let select: String =
                            left.query_row(rows::SELECT_OF, [table], |row| row.get(0))?;
                        let new: String =
                            right.query_row(rows::SELECT_OF, [table], |row| row.get(0))?;
                        if new != select {
                            compared.other_columns(table);
                            continue;
                        }
                        let (mut ours, mut theirs) =
                            (left.prepare(&select)?, right.prepare(&select)?);
                        let (mut ours, mut theirs) = (ours.query([])?, theirs.query([])?);
                        compared.merge(table, row_of!(ours), row_of!(theirs))?;
                    }
                    Ok(Some(compared))
                })
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            if let Some(differences) = compared {
                report(model, &differences, self.runner.position(), found);
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                found.pending(format!("{}: behind the other models and not moving", model.name()));
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn bring_to(&mut self, target: u64) -> Result<(), RunnerError> {
        let mut news = Instant::now();
        while self.runner.position().0 < target {
            let left = target - self.runner.position().0;
            let batch = usize::try_from(left.min(BATCH_EVENTS)).unwrap_or(usize::MAX);
            let step = block_on(self.runner.run_once(batch))?;
            (self.progress)(step.position);
            if step.events > 0 {
                news = Instant::now();
            } else if news.elapsed() < NEWS_WITHIN {
                // A node has folded what this reader of the journal has not heard of yet.
                std::thread::sleep(Duration::from_millis(20));
            } else {
                break;
            }
        }
        Ok(())
    }
}

fn report(model: &Registration, compared: &Compared, at: Position, found: &mut Findings) {
    found.checked_many(compared.rows);
    for difference in &compared.differences {
        let place =
            Place { position: at, stream: format!("{} {}", model.name(), difference.table) };
        let row = |row: &Option<String>| row.clone().unwrap_or_else(|| "no such row".to_owned());
        found.violation(&place, row(&difference.rebuilt), row(&difference.serving));
    }
    found.more_violations(compared.count - compared.differences.len() as u64);
}

/// A directory of its own, deleted when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tillroll-verify-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind in the temporary directory harms nothing.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
