//! What is made anew, on request and with progress: files, so that another process can ask and watch.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Least time between two writes of the progress file.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// What can be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The index that finds products by words.
    Words,
    /// Vectors, and what is suggested by them and by what was bought.
    Recommendations,
}

impl Part {
    fn request_file(self) -> &'static str {
        match self {
            Self::Words => "refill.requested",
            Self::Recommendations => "recommendations.requested",
        }
    }

    fn progress_file(self) -> &'static str {
        match self {
            Self::Words => "progress.json",
            Self::Recommendations => "recommendations.json",
        }
    }
}

/// What is being done, where it is more than one thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Products are put into an index.
    #[default]
    Filling,
    /// A model is trained, and products are given vectors.
    Vectors,
    /// What is bought together is learned; of how long that takes nothing is known.
    Orders,
    /// For each product those like it are found.
    Similar,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillProgress {
    /// Times it was done, and took the place of what was there, since the program started.
    pub finished: u64,
    pub is_running: bool,
    #[serde(default)]
    pub stage: Stage,
    /// Products that this stage is through with, of `total`.
    pub done: u64,
    pub total: u64,
    /// Since this stage began; 0 before the first batch.
    pub products_per_s: u64,
    /// At this rate; `None` before the first batch.
    pub seconds_left: Option<u64>,
    /// Process that fills.
    pub process: u32,
}

impl FillProgress {
    /// What whoever makes a part anew in `directory` last wrote; `None` if nobody did.
    #[must_use]
    pub fn read(directory: &Path, part: Part) -> Option<Self> {
        let text = fs::read_to_string(directory.join(part.progress_file())).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// A request to make a part anew.
#[derive(Debug, PartialEq, Eq)]
pub struct RefillRequest(PathBuf);

impl RefillRequest {
    /// Asks whoever writes in the directory.
    ///
    /// # Errors
    /// The file system's.
    pub fn make(directory: &Path, part: Part) -> std::io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(part.request_file());
        fs::write(&path, b"")?;
        Ok(Self(path))
    }

    /// The request that is there.
    #[must_use]
    pub fn find(directory: &Path, part: Part) -> Option<Self> {
        let path = directory.join(part.request_file());
        path.exists().then_some(Self(path))
    }

    /// Whether it still waits.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.exists()
    }

    /// Takes the request back, met or not, if nobody did so already.
    pub fn done(self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.0.display(), "a request cannot be removed");
        }
    }
}

/// Tells how far a part is that is being made anew.
pub struct Reporter {
    path: PathBuf,
    tell: watch::Sender<FillProgress>,
    began: Instant,
    written: Option<Instant>,
}

impl Reporter {
    /// `total` as far as it is known; `tell` hears of it too.
    #[must_use]
    pub fn new(
        directory: &Path,
        part: Part,
        tell: &watch::Sender<FillProgress>,
        total: u64,
    ) -> Self {
        let path = directory.join(part.progress_file());
        let mut reporter = Self { path, tell: tell.clone(), began: Instant::now(), written: None };
        reporter.change(|progress| {
            *progress = FillProgress {
                finished: progress.finished,
                is_running: true,
                total,
                process: std::process::id(),
                ..FillProgress::default()
            };
        });
        reporter
    }

    /// What is done from now on; it has a rate of its own.
    pub fn stage(&mut self, stage: Stage) {
        (self.began, self.written) = (Instant::now(), None);
        self.change(|progress| {
            *progress = FillProgress {
                stage,
                done: 0,
                total: 0,
                products_per_s: 0,
                seconds_left: None,
                ..*progress
            };
        });
    }

    /// So many more are done.
    pub fn filled(&mut self, products: usize) {
        let FillProgress { done, total, .. } = *self.tell.borrow();
        self.at(done + products as u64, total);
    }

    /// So many are done, of so many.
    pub fn at(&mut self, done: u64, total: u64) {
        let elapsed_ms = self.began.elapsed().as_millis().max(1);
        self.change(|progress| {
            progress.done = done;
            progress.total = total.max(done);
            let per_s = u128::from(progress.done) * 1_000 / elapsed_ms;
            progress.products_per_s = u64::try_from(per_s).unwrap_or(u64::MAX);
            let left = progress.total - progress.done;
            progress.seconds_left = left.checked_div(progress.products_per_s);
        });
    }

    /// It is done, and serves.
    pub fn finished(mut self) {
        self.written = None;
        self.change(|progress| {
            progress.is_running = false;
            progress.finished += 1;
            progress.seconds_left = Some(0);
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut FillProgress)) {
        self.tell.send_modify(change);
        if self.written.is_none_or(|at| at.elapsed() >= WRITE_EVERY) {
            self.written = Some(Instant::now());
            let text = serde_json::to_string(&*self.tell.borrow()).unwrap_or_default();
            // A picture for whoever watches: it must never stop the filling.
            if let Err(error) = fs::write(&self.path, text) {
                tracing::debug!(%error, "progress cannot be written");
            }
        }
    }
}

impl Drop for Reporter {
    /// A filling that failed is not running any more.
    fn drop(&mut self) {
        if self.tell.borrow().is_running {
            self.written = None;
            self.change(|progress| progress.is_running = false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filling_is_seen_from_outside_until_it_ends_or_fails() {
        let folder = tempfile::tempdir().unwrap();
        let tell = watch::Sender::new(FillProgress::default());
        let seen = || FillProgress::read(folder.path(), Part::Words);
        assert_eq!(seen(), None);
        let mut reporter = Reporter::new(folder.path(), Part::Words, &tell, 10);
        assert!(seen().unwrap().is_running);
        reporter.filled(4);
        let now = *tell.borrow();
        assert_eq!((now.done, now.total, now.finished), (4, 10, 0));
        drop(reporter);
        let failed = seen().unwrap();
        assert_eq!((failed.is_running, failed.finished, failed.done), (false, 0, 4));
        let mut reporter = Reporter::new(folder.path(), Part::Words, &tell, 10);
        reporter.filled(12);
        reporter.finished();
        let done = seen().unwrap();
        assert_eq!((done.is_running, done.finished, done.total), (false, 1, 12));
        assert_eq!(FillProgress::read(folder.path(), Part::Recommendations), None);
    }

    #[test]
    fn each_stage_is_counted_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let tell = watch::Sender::new(FillProgress::default());
        let part = Part::Recommendations;
        let mut reporter = Reporter::new(folder.path(), part, &tell, 10);
        reporter.stage(Stage::Vectors);
        reporter.at(10, 10);
        reporter.stage(Stage::Similar);
        let now = FillProgress::read(folder.path(), part).unwrap();
        assert_eq!(
            (now.stage, now.done, now.total, now.seconds_left),
            (Stage::Similar, 0, 0, None)
        );
        reporter.at(3, 9);
        let now = *tell.borrow();
        assert_eq!((now.done, now.total, now.is_running), (3, 9, true));
    }

    #[test]
    fn a_request_is_there_until_it_is_met() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("search");
        assert_eq!(RefillRequest::find(&directory, Part::Words), None);
        let asked = RefillRequest::make(&directory, Part::Words).unwrap();
        assert!(asked.is_open());
        assert_eq!(RefillRequest::find(&directory, Part::Recommendations), None);
        RefillRequest::find(&directory, Part::Words).unwrap().done();
        assert!(!asked.is_open());
    }
}
