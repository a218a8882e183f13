//! On disk, `<name>-<generation>.db` is a generation's file, `<name>.serving` names the one that
//! answers, `<name>-<generation>.ready` says that a rebuild is finished, `<name>.retry` asks for
//! parked events to be tried again.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::OpenFlags;

use super::{Generation, HeldLock, Place, SharedConnection};
use crate::StoreError;
use crate::file::{Pragmas, set_up};

#[derive(Debug)]
pub(super) struct Disk(PathBuf);

impl Disk {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path)?;
        Ok(Self(path.to_owned()))
    }

    fn file(&self, name: &str, generation: Generation) -> PathBuf {
        self.0.join(format!("{name}-{generation}.db"))
    }

    fn ready(&self, name: &str, generation: Generation) -> PathBuf {
        self.0.join(format!("{name}-{generation}.ready"))
    }
}

impl Place for Disk {
    fn lock(&self, name: &str) -> Result<Option<HeldLock>, StoreError> {
        let file = File::create(self.0.join(format!("{name}.lock")))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(HeldLock::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn serving(&self, name: &str) -> Result<Option<Generation>, StoreError> {
        match fs::read_to_string(self.0.join(format!("{name}.serving"))) {
            // Written by rename, so never half there; anything else is not ours.
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn serve(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        let next = self.0.join(format!("{name}.serving.next"));
        let mut file = File::create(&next)?;
        writeln!(file, "{generation}")?;
        file.sync_all()?;
        fs::rename(next, self.0.join(format!("{name}.serving")))?;
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }

    fn generations(&self, name: &str) -> Result<Vec<Generation>, StoreError> {
        let mut found: Vec<Generation> = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let file = entry?.file_name();
            let generation = file
                .to_str()
                .and_then(|file| file.strip_suffix(".db"))
                .and_then(|file| file.strip_prefix(name))
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|number| number.parse::<Generation>().ok());
            found.extend(generation);
        }
        found.sort_unstable();
        Ok(found)
    }

    fn writer(
        &self,
        name: &str,
        generation: Generation,
        pragmas: Pragmas,
    ) -> Result<SharedConnection, StoreError> {
        let connection = rusqlite::Connection::open(self.file(name, generation))?;
        set_up(&connection, pragmas)?;
        Ok(Arc::new(Mutex::new(connection.into())))
    }

    fn reader(&self, name: &str, generation: Generation) -> Result<SharedConnection, StoreError> {
        // Not SQLITE_OPEN_READ_ONLY: a reader may have to make the WAL's index file.
        let connection = rusqlite::Connection::open_with_flags(
            self.file(name, generation),
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        set_up(&connection, Pragmas::Query)?;
        Ok(Arc::new(Mutex::new(connection.into())))
    }

    fn remove(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        let file = self.file(name, generation);
        for suffix in ["", "-wal", "-shm"] {
            let mut with_suffix = file.clone().into_os_string();
            with_suffix.push(suffix);
            remove_if_there(Path::new(&with_suffix))?;
        }
        Ok(())
    }

    fn mark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        File::create(self.ready(name, generation))?.sync_all()?;
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }

    fn unmark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        remove_if_there(&self.ready(name, generation))
    }

    fn is_ready(&self, name: &str, generation: Generation) -> Result<bool, StoreError> {
        Ok(self.ready(name, generation).exists())
    }

    fn request_retry(&self, name: &str) -> Result<(), StoreError> {
        File::create(self.0.join(format!("{name}.retry")))?;
        Ok(())
    }

    fn take_retry(&self, name: &str) -> Result<bool, StoreError> {
        Ok(fs::remove_file(self.0.join(format!("{name}.retry"))).is_ok())
    }

    fn keeps_readers(&self) -> bool {
        true
    }
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
