//! In memory: a generation is a database that readers and the writer share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::{Generation, HeldLock, Place, SharedConnection, hold};
use crate::StoreError;
use crate::file::{Pragmas, set_up};

#[derive(Debug, Default)]
pub(super) struct Memory {
    files: Mutex<Files>,
    locks: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Debug, Default)]
struct Files {
    files: BTreeMap<(String, Generation), SharedConnection>,
    serving: BTreeMap<String, Generation>,
    ready: BTreeSet<(String, Generation)>,
    retries: BTreeSet<String>,
}

struct Held {
    locks: Arc<Mutex<BTreeSet<String>>>,
    name: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        hold(&self.locks).remove(&self.name);
    }
}

impl Place for Memory {
    fn lock(&self, name: &str) -> Result<Option<HeldLock>, StoreError> {
        let free = hold(&self.locks).insert(name.to_owned());
        Ok(free
            .then(|| HeldLock::new(Held { locks: Arc::clone(&self.locks), name: name.to_owned() })))
    }

    fn serving(&self, name: &str) -> Result<Option<Generation>, StoreError> {
        Ok(hold(&self.files).serving.get(name).copied())
    }

    fn serve(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.files).serving.insert(name.to_owned(), generation);
        Ok(())
    }

    fn generations(&self, name: &str) -> Result<Vec<Generation>, StoreError> {
        let files = hold(&self.files);
        let of_name = files.files.keys().filter(|(file, _)| file == name);
        Ok(of_name.map(|(_, generation)| *generation).collect())
    }

    fn writer(
        &self,
        name: &str,
        generation: Generation,
        pragmas: Pragmas,
    ) -> Result<SharedConnection, StoreError> {
        let mut files = hold(&self.files);
        let key = (name.to_owned(), generation);
        if let Some(connection) = files.files.get(&key) {
            return Ok(Arc::clone(connection));
        }
        let connection = rusqlite::Connection::open_in_memory()?;
        set_up(&connection, pragmas)?;
        let connection = Arc::new(Mutex::new(connection.into()));
        files.files.insert(key, Arc::clone(&connection));
        Ok(connection)
    }

    fn reader(&self, name: &str, generation: Generation) -> Result<SharedConnection, StoreError> {
        hold(&self.files)
            .files
            .get(&(name.to_owned(), generation))
            .map(Arc::clone)
            .ok_or_else(|| StoreError::Other(format!("no generation {generation} of {name}")))
    }

    fn remove(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.files).files.remove(&(name.to_owned(), generation));
        Ok(())
    }

    fn mark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.files).ready.insert((name.to_owned(), generation));
        Ok(())
    }

    fn unmark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.files).ready.remove(&(name.to_owned(), generation));
        Ok(())
    }

    fn is_ready(&self, name: &str, generation: Generation) -> Result<bool, StoreError> {
        Ok(hold(&self.files).ready.contains(&(name.to_owned(), generation)))
    }

    fn request_retry(&self, name: &str) -> Result<(), StoreError> {
        hold(&self.files).retries.insert(name.to_owned());
        Ok(())
    }

    fn take_retry(&self, name: &str) -> Result<bool, StoreError> {
        Ok(hold(&self.files).retries.remove(name))
    }
}
