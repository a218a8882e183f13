//! How far the filling of a new index is, and requests to begin one: files, so that another process
//! can ask and watch.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

const PROGRESS_FILE: &str = "progress.json";
const REQUEST_FILE: &str = "refill.requested";
/// Least time between two writes of the progress file.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// How far a filling is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillProgress {
    /// Times an index was filled and swapped in since the program started.
    pub finished: u64,
    pub is_running: bool,
    /// Products in the new index, of `total`.
    pub done: u64,
    pub total: u64,
    /// Since this filling began; 0 before the first batch.
    pub products_per_s: u64,
    /// At this rate; `None` before the first batch.
    pub seconds_left: Option<u64>,
    /// Process that fills.
    pub process: u32,
}

impl FillProgress {
    /// What whoever fills an index in `directory` last wrote; `None` if nobody did.
    #[must_use]
    pub fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(directory.join(PROGRESS_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// A request to fill the index anew.
#[derive(Debug, PartialEq, Eq)]
pub struct RefillRequest(PathBuf);

impl RefillRequest {
    /// Asks whoever writes the index.
    ///
    /// # Errors
    /// The file system's.
    pub fn make(directory: &Path) -> std::io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(REQUEST_FILE);
        fs::write(&path, b"")?;
        Ok(Self(path))
    }

    /// The request that is there.
    #[must_use]
    pub fn find(directory: &Path) -> Option<Self> {
        let path = directory.join(REQUEST_FILE);
        path.exists().then_some(Self(path))
    }

    /// Whether it still waits.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.exists()
    }

    /// Takes the request back, met or not.
    pub fn done(self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "a request cannot be removed");
        }
    }
}

/// Tells of one filling.
pub(super) struct Reporter<'p> {
    path: PathBuf,
    tell: &'p watch::Sender<FillProgress>,
    began: Instant,
    written: Option<Instant>,
}

impl<'p> Reporter<'p> {
    pub(super) fn new(directory: &Path, tell: &'p watch::Sender<FillProgress>, total: u64) -> Self {
        let path = directory.join(PROGRESS_FILE);
        let mut reporter = Self { path, tell, began: Instant::now(), written: None };
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

    pub(super) fn filled(&mut self, products: usize) {
        let elapsed_ms = self.began.elapsed().as_millis().max(1);
        self.change(|progress| {
            progress.done += products as u64;
            progress.total = progress.total.max(progress.done);
            let per_s = u128::from(progress.done) * 1_000 / elapsed_ms;
            progress.products_per_s = u64::try_from(per_s).unwrap_or(u64::MAX);
            let left = progress.total - progress.done;
            progress.seconds_left = left.checked_div(progress.products_per_s);
        });
    }

    pub(super) fn finished(&mut self) {
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

impl Drop for Reporter<'_> {
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
        assert_eq!(FillProgress::read(folder.path()), None);
        let mut reporter = Reporter::new(folder.path(), &tell, 10);
        assert!(FillProgress::read(folder.path()).unwrap().is_running);
        reporter.filled(4);
        let now = *tell.borrow();
        assert_eq!((now.done, now.total, now.finished), (4, 10, 0));
        drop(reporter);
        let failed = FillProgress::read(folder.path()).unwrap();
        assert_eq!((failed.is_running, failed.finished, failed.done), (false, 0, 4));
        let mut reporter = Reporter::new(folder.path(), &tell, 10);
        reporter.filled(12);
        reporter.finished();
        drop(reporter);
        let done = FillProgress::read(folder.path()).unwrap();
        assert_eq!((done.is_running, done.finished, done.total), (false, 1, 12));
    }

    #[test]
    fn a_request_is_there_until_it_is_met() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RefillRequest::find(folder.path()), None);
        let asked = RefillRequest::make(&folder.path().join("search")).unwrap();
        assert!(asked.is_open());
        RefillRequest::find(&folder.path().join("search")).unwrap().done();
        assert!(!asked.is_open());
    }
}
