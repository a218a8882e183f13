//! What is on disk: files of vectors and of models, each with a number of its own, and one that names
//! those that serve. That one is put in place last and in one step: whenever the program ends, a model,
//! its vectors and their texts are of one moment.
//!
//! Layout of the file that names them, numbers little-endian: 8 bytes that name the file, CRC-32 of all
//! that follows, number of the model's file, 0 where the model is not ours (`u64`), number of the vectors'
//! file (`u64`), number of vectors (`u64`), for each its product's number (`u64`), id (16 bytes) and text's
//! hash (`u64`); then to the end the hashes of the texts that the model was trained on. Whether the vectors
//! are of the right model is in their own file.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::ProductId;
use embeddings::{IndexError, VectorIndex};
use uuid::Uuid;

const MARK: &[u8; 8] = b"TRTEXTS2";
const NAMES: &str = "vectors.texts";
/// How long whoever opens the directory waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);
const LOCK_AGAIN: Duration = Duration::from_millis(20);

/// Of which text a vector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Embedded {
    pub(super) product_id: ProductId,
    pub(super) hash: u64,
}

/// What serves, as it is written down.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Saved {
    pub(super) model: u64,
    pub(super) vectors: u64,
    pub(super) embedded: HashMap<u64, Embedded>,
    pub(super) trained_on: HashSet<u64>,
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
}

impl Files {
    /// Makes the directory if it is not there.
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    pub(super) fn vectors(&self, number: u64) -> PathBuf {
        self.directory.join(format!("vectors.{number}.index"))
    }

    pub(super) fn model(&self, number: u64) -> PathBuf {
        self.directory.join(format!("vectors.{number}.model"))
    }

    fn names(&self) -> PathBuf {
        self.directory.join(NAMES)
    }

    /// Where vectors are made that are to take the place of those here.
    pub(super) fn anew(&self) -> PathBuf {
        self.directory.join("anew")
    }

    /// Keeps other processes from writing here as long as the file is open; `None` where one does. The
    /// system lets go of it when the process dies.
    pub(super) fn lock(&self) -> io::Result<Option<File>> {
        let file = File::create(self.directory.join("vectors.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The same, after a while in which another process puts what it made in place.
    pub(super) fn lock_soon(&self) -> io::Result<Option<File>> {
        self.lock_within(PATIENCE)
    }

    /// The same, after a while in which another process only looks, or begins to make vectors elsewhere.
    pub(super) fn lock_within(&self, patience: Duration) -> io::Result<Option<File>> {
        let began = Instant::now();
        loop {
            let lock = self.lock()?;
            if lock.is_some() || began.elapsed() >= patience {
                return Ok(lock);
            }
            std::thread::sleep(LOCK_AGAIN);
        }
    }

    /// A number that no file has.
    pub(super) fn fresh(&self) -> io::Result<u64> {
        let numbers = self.numbered()?.into_iter().map(|(number, _)| number);
        Ok(numbers.max().unwrap_or(0).saturating_add(1))
    }

    fn numbered(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.strip_prefix("vectors.").and_then(|rest| rest.split_once('.'));
            if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
                found.push((number, path));
            }
        }
        Ok(found)
    }

    /// Writes vectors and all that goes with them, and has them serve from the next start on. What that
    /// began is removed where it fails: on a full disk each further try would leave another.
    pub(super) fn save(&self, mut saved: Saved, index: &VectorIndex) -> Result<(), IndexError> {
        let io = |error| self.failed(error);
        saved.vectors = self.fresh().map_err(io)?;
        let vectors = self.vectors(saved.vectors);
        let written = index
            .save(&vectors)
            .map_err(IndexError::from)
            .and_then(|()| self.name(&saved).map_err(io));
        // They may be named although it is not known to be on the disk.
        if written.is_err()
            && let Ok(named) = self.load()
            && named.is_none_or(|named| named.vectors != saved.vectors)
        {
            let _ = fs::remove_file(vectors);
        }
        written
    }

    pub(super) fn failed(&self, source: io::Error) -> IndexError {
        let path = self.names().display().to_string();
        IndexError::File(embeddings::FileError::Io { path, source })
    }

    fn name(&self, saved: &Saved) -> io::Result<()> {
        let numbers = [saved.model, saved.vectors, saved.embedded.len() as u64];
        let mut body: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        for (number, of) in &saved.embedded {
            body.extend(number.to_le_bytes());
            body.extend(of.product_id.uuid().as_bytes());
            body.extend(of.hash.to_le_bytes());
        }
        body.extend(saved.trained_on.iter().flat_map(|hash| hash.to_le_bytes()));
        let part = self.directory.join("vectors.texts.part");
        if let Err(error) = write(&part, &body).and_then(|()| fs::rename(&part, self.names())) {
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        File::open(&self.directory)?.sync_all()
    }

    /// `None` if nothing is named, or that is not whole. An error says nothing of what is named.
    pub(super) fn load(&self) -> io::Result<Option<Saved>> {
        match fs::read(self.names()) {
            Ok(bytes) => Ok(read(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes vectors and models that nobody names, but for those in `keep`; nothing while it cannot be
    /// read what is named. What cannot be deleted now is the next time.
    pub(super) fn sweep(&self, keep: &[PathBuf]) {
        let Ok(named) = self.load() else { return };
        let named = named.unwrap_or_default();
        let named = [self.vectors(named.vectors), self.model(named.model)];
        for (_, path) in self.numbered().unwrap_or_default() {
            if !named.contains(&path) && !keep.contains(&path) {
                // A directory is none of ours.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Whether another process makes vectors that are to take the place of those here.
    pub(super) fn is_made_anew(&self) -> bool {
        let anew = Self { directory: self.anew() };
        anew.directory.is_dir() && matches!(anew.lock(), Ok(None))
    }

    /// Deletes what was begun elsewhere and did not come to its end, but not what goes on.
    pub(super) fn sweep_anew(&self) {
        if !self.is_made_anew() {
            let _ = fs::remove_dir_all(self.anew());
        }
    }

    /// Puts what was made in another directory of the same disk in place of what is here, in one step.
    /// False if there is nothing whole.
    pub(super) fn take_over(&self, other: &Self) -> io::Result<bool> {
        let Some(mut saved) = other.load()? else { return Ok(false) };
        let number = self.fresh()?;
        fs::rename(other.vectors(saved.vectors), self.vectors(number))?;
        if saved.model > 0 {
            fs::rename(other.model(saved.model), self.model(number))?;
            saved.model = number;
        }
        saved.vectors = number;
        // What is named is there first.
        File::open(&self.directory)?.sync_all()?;
        self.name(&saved)?;
        self.sweep(&[]);
        Ok(true)
    }
}

fn write(path: &Path, body: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(MARK)?;
    file.write_all(&crc32fast::hash(body).to_le_bytes())?;
    file.write_all(body)?;
    file.sync_all()
}

fn read(bytes: &[u8]) -> Option<Saved> {
    let rest = bytes.strip_prefix(MARK)?;
    let (sum, body) = rest.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (model, body) = body.split_first_chunk::<8>()?;
    let (vectors, body) = body.split_first_chunk::<8>()?;
    let (count, body) = body.split_first_chunk::<8>()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let (entries, trained_on) = body.split_at_checked(count.checked_mul(32)?)?;
    let entries = entries.as_chunks::<32>().0.iter().map(|entry| {
        let (number, rest) = entry.split_first_chunk::<8>()?;
        let (id, hash) = rest.split_first_chunk::<16>()?;
        let product_id = ProductId::new(Uuid::from_bytes(*id));
        let hash = u64::from_le_bytes(*hash.first_chunk()?);
        Some((u64::from_le_bytes(*number), Embedded { product_id, hash }))
    });
    let trained_on = trained_on.as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash));
    Some(Saved {
        model: u64::from_le_bytes(*model),
        vectors: u64::from_le_bytes(*vectors),
        embedded: entries.collect::<Option<_>>()?,
        trained_on: trained_on.collect(),
    })
}

#[cfg(test)]
mod tests;
