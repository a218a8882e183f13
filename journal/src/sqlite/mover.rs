//! Moving the log ahead of the file into the file, beside the committing thread.
//!
//! SQLite would do it in the middle of a commit, which then takes as long as a hundred. Here a
//! second thread moves most of it while commits go on, and the committing thread only what
//! came meanwhile: the log can begin anew only once all of it has been moved.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::file;
use super::options::Options;
use crate::JournalError;
use crate::held::hold;

/// How many times the usual the log may grow before a commit moves it by itself after all,
/// because the other thread gets no processor time or no disk.
pub(super) const PATIENCE: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Asked,
    Moved,
    Over,
}

#[derive(Debug)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

/// Lives as long as the writer's connection; dropping it waits for the move under way.
#[derive(Debug)]
pub(super) struct Mover {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
    pages: u64,
    pages_max: u64,
}

impl Mover {
    pub(super) fn start(path: &std::path::Path, options: &Options) -> Result<Self, JournalError> {
        let connection = file::open_beside_writer(path, options)?;
        let desk = Arc::new(Desk { state: Mutex::new(State::Idle), changed: Condvar::new() });
        let theirs = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("journal-mover".to_owned())
            .spawn(move || theirs.serve(&connection))
            .map_err(|error| JournalError::Unavailable(error.to_string()))?;
        let pages_max = u64::from(options.checkpoint_pages);
        Ok(Self { desk, thread: Some(thread), pages: 0, pages_max })
    }

    /// To be called after each commit, with about as many pages as it wrote.
    pub(super) fn committed(&mut self, connection: &Connection, pages: u64) {
        self.pages += pages;
        if self.pages < self.pages_max {
            return;
        }
        let mut state = hold(&self.desk.state);
        match *state {
            State::Idle => {
                *state = State::Asked;
                drop(state);
                self.desk.changed.notify_one();
            }
            State::Moved => {
                *state = State::Idle;
                drop(state);
                move_log(connection);
                // A reader in the way keeps the log; it is tried again after as many pages.
                self.pages = 0;
            }
            State::Asked | State::Over => {}
        }
    }
}

impl Desk {
    fn serve(&self, connection: &Connection) {
        loop {
            let mut state = hold(&self.state);
            while *state != State::Asked {
                if *state == State::Over {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
            move_log(connection);
            let mut state = hold(&self.state);
            if *state == State::Asked {
                *state = State::Moved;
            }
        }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        *hold(&self.desk.state) = State::Over;
        self.desk.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there leaves the log longer, which a commit will see to.
            let _ = thread.join();
        }
    }
}

/// Failing is no harm: the log is complete and durable, and will be moved another time.
fn move_log(connection: &Connection) {
    let moved = connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut pragma| pragma.query_row([], |row| row.get::<_, i64>(0)));
    if let Err(error) = moved {
        tracing::debug!(%error, "the journal's log could not be moved for now");
    }
}
