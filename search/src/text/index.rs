//! The index in its directory: opened, written by one, searched by many.

use std::any::Any;
use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use domain::ProductId;
use projections::catalogue::SearchDocument;
use tantivy::directory::{Directory, WatchCallback, WatchHandle};
use tantivy::{Index, IndexReader, IndexSettings, ReloadPolicy, TantivyError};

use super::errors::{damaged, refusal};
use super::plan::Plan;
use super::ranking::{Rooms, matched, rank};
use super::schema::{Layout, fingerprint};
use super::snapshot::Snapshot;
use super::synonyms::Thesaurus;
use super::{Language, TextMatches, TextSettings};
use crate::SearchError;

mod files;
mod writer;

use files::{Files, META};
use writer::{Writer, clear};

/// Hits that are explained.
const EXPLAINED_MAX: usize = 200;

/// Finds products by words; see the [module](super) for what matches what.
///
/// Whoever changes it waits for whoever else does; searches wait for nobody.
pub struct TextIndex {
    shared: Arc<Shared>,
    writer: Mutex<Writer>,
    thesaurus: Thesaurus,
    directory: PathBuf,
    /// Its files are about to be deleted.
    retired: AtomicBool,
    /// Hands on what was merged in the background.
    _watch: WatchHandle,
}

struct Shared {
    reader: IndexReader,
    layout: Layout,
    language: Language,
    snapshot: RwLock<Arc<Snapshot>>,
    /// Held while a snapshot is made, so that an older one never takes a newer one's place.
    refreshing: Mutex<()>,
    rooms: Rooms,
}

impl TextIndex {
    /// Opens what is in a directory; `None` if that is nothing, or never was committed, or was
    /// written by another version or with another language: then [`create`](Self::create).
    ///
    /// # Errors
    /// `Unavailable` while somebody else writes there, `Damaged`.
    pub fn open(directory: &Path, settings: &TextSettings) -> Result<Option<Self>, SearchError> {
        guarded(|| {
            if !directory.join(META).is_file() {
                return Ok(None);
            }
            let files = Files::open(directory).map_err(|error| refusal(&error))?;
            let index = match Index::open(files) {
                Ok(index) => index,
                Err(TantivyError::IncompatibleIndex(_)) => return Ok(None),
                Err(error) => return Err(refusal(&error)),
            };
            let layout = Layout::new();
            let payload = index.load_metas().map_err(|error| refusal(&error))?.payload;
            let note = payload.as_deref().and_then(|payload| {
                payload.strip_prefix(&Layout::mark(settings.language))?.strip_prefix('\n')
            });
            let Some(note) = note.filter(|_| index.schema() == layout.schema) else {
                return Ok(None);
            };
            // Only files that are on this list are checked.
            if !directory.join(".managed.json").is_file() {
                return Err(damaged("the list of its files is missing"));
            }
            // Before anything is read in earnest: what is damaged may make the reader panic.
            let files = index.validate_checksum().map_err(|error| refusal(&error))?;
            if let Some(file) = files.iter().min() {
                return Err(damaged(&format!("{} is not what was written", file.display())));
            }
            Self::with(index, layout, directory, settings, Some(note.to_owned())).map(Some)
        })
    }

    /// Begins an empty index, in place of what is in the directory.
    ///
    /// # Errors
    /// `Unavailable` while somebody else writes there; `Misconfigured` if the directory holds
    /// something that is no index.
    pub fn create(directory: &Path, settings: &TextSettings) -> Result<Self, SearchError> {
        guarded(|| {
            let failed = |error: std::io::Error| refusal(&error.into());
            fs::create_dir_all(directory).map_err(failed)?;
            clear(directory)?;
            let layout = Layout::new();
            let files = Files::open(directory).map_err(|error| refusal(&error))?;
            let index = Index::create(files, layout.schema.clone(), IndexSettings::default())
                .map_err(|error| refusal(&error))?;
            Self::with(index, layout, directory, settings, None)
        })
    }

    fn with(
        index: Index,
        layout: Layout,
        directory: &Path,
        settings: &TextSettings,
        note: Option<String>,
    ) -> Result<Self, SearchError> {
        let failed = |error: TantivyError| refusal(&error);
        let mut writer = Writer::new(index.clone(), settings.language, note);
        writer.open()?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(0)
            .try_into()
            .map_err(failed)?;
        let reader: IndexReader = reader;
        let snapshot =
            Snapshot::open(&layout, settings.language, reader.searcher(), None).map_err(failed)?;
        let shared = Arc::new(Shared {
            reader,
            layout,
            language: settings.language,
            snapshot: RwLock::new(Arc::new(snapshot)),
            refreshing: Mutex::default(),
            rooms: Rooms::default(),
        });
        let watched = Arc::downgrade(&shared);
        let callback = WatchCallback::new(move || {
            if let Some(shared) = watched.upgrade()
                && let Err(error) = guarded(|| shared.refresh())
            {
                tracing::warn!(%error, "the text index was merged, but could not be opened again");
            }
        });
        let watch = index.directory().watch(callback).map_err(failed)?;
        Ok(Self {
            shared,
            writer: Mutex::new(writer),
            thesaurus: Thesaurus::new(settings.language, &settings.synonyms),
            directory: directory.to_owned(),
            retired: AtomicBool::new(false),
            _watch: watch,
        })
    }

    /// Adds or replaces documents, forgets others, and commits with a note. Durable and visible on
    /// return.
    ///
    /// Where nothing changed that is searched, nothing is written: then the note waits for the next
    /// commit, for at most a minute of further calls, or until the index is dropped. After a crash the
    /// one before it is found, which stands for the same index.
    ///
    /// # Errors
    /// `Unavailable` (a full disk, for instance), `Damaged`. Nothing is changed then.
    pub fn apply(
        &self,
        documents: &[SearchDocument],
        removed: &[ProductId],
        note: &str,
    ) -> Result<(), SearchError> {
        self.change(|writer| {
            if writer.ahead {
                self.show(writer)?;
            }
            let (documents, removed) = self.changed(documents, removed, writer.adding)?;
            if documents.is_empty() && removed.is_empty() && !writer.adding && writer.keep(note) {
                return Ok(());
            }
            writer.write(documents)?;
            writer.remove(removed)?;
            writer.commit(note)?;
            self.show(writer)
        })
    }

    /// What of it is not so already: all, if something was added that cannot be seen yet.
    fn changed<'a>(
        &self,
        documents: &'a [SearchDocument],
        removed: &[ProductId],
        all: bool,
    ) -> Result<(Vec<&'a SearchDocument>, Vec<ProductId>), SearchError> {
        let failed = |error: TantivyError| refusal(&error);
        let snapshot = self.shared.snapshot();
        let known = snapshot.known().map_err(failed)?;
        // What was changed once may be changed back.
        let mut touched = HashSet::new();
        let mut changed = Vec::new();
        for document in documents {
            let id = document.product_id;
            if all
                || touched.contains(&id)
                || known.fingerprint(id).map_err(failed)? != Some(fingerprint(document))
            {
                touched.insert(id);
                changed.push(document);
            }
        }
        let mut gone = Vec::new();
        for id in removed {
            if all || touched.contains(id) || known.fingerprint(*id).map_err(failed)?.is_some() {
                gone.push(*id);
            }
        }
        Ok((changed, gone))
    }

    fn show(&self, writer: &mut Writer) -> Result<(), SearchError> {
        self.shared.refresh()?;
        writer.ahead = false;
        Ok(())
    }

    /// Makes visible what was committed and could not be shown then.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    pub(crate) fn catch_up(&self) -> Result<(), SearchError> {
        self.change(|writer| if writer.ahead { self.show(writer) } else { Ok(()) })
    }

    /// Adds documents to a new index, and forgets others; they are found after
    /// [`commit`](Self::commit).
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`. All that was added is lost then.
    pub fn add(
        &self,
        documents: &[SearchDocument],
        removed: &[ProductId],
    ) -> Result<(), SearchError> {
        self.change(|writer| {
            // What is added may come to nothing: the note would wait for it.
            writer.pay()?;
            writer.adding = true;
            writer.write(documents)?;
            writer.forget(removed)
        })
    }

    /// Makes what was added durable and visible.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`; `Other` if something that was added has been lost.
    pub fn commit(&self, note: &str) -> Result<(), SearchError> {
        self.change(|writer| {
            writer.commit(note)?;
            self.show(writer)
        })
    }

    /// Nobody opens this one again: it may be closed without waiting for anything.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// The note told last; `None` before the first commit.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.writer().note.clone()
    }

    /// All products that match a text, in no order, with their scores.
    ///
    /// # Errors
    /// `Damaged`.
    pub fn matches(&self, text: &str, explain: bool) -> Result<TextMatches, SearchError> {
        guarded(|| {
            let snapshot = self.shared.snapshot();
            self.find(&snapshot, text, explain).map_err(|error| refusal(&error))
        })
    }

    fn find(
        &self,
        snapshot: &Snapshot,
        text: &str,
        explain: bool,
    ) -> Result<TextMatches, TantivyError> {
        let plan = Plan::new(snapshot, &self.thesaurus, text)?;
        let mut room = self.shared.rooms.take(snapshot.places);
        rank(snapshot, &plan, &mut room)?;
        let matched = if explain {
            matched(snapshot, &plan, &room.hits, EXPLAINED_MAX)?
        } else {
            Default::default()
        };
        let scores = room.hits.iter().map(|hit| (hit.number, hit.score)).collect();
        self.shared.rooms.give_back(room);
        Ok(TextMatches { scores, corrected: plan.corrected, matched })
    }

    /// On disk, with what is about to be deleted.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let Ok(files) = fs::read_dir(&self.directory) else { return 0 };
        files.flatten().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    }

    /// Products that can be found.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.shared.snapshot().documents
    }

    /// Changes the index; after a failure the next change begins at the last commit.
    fn change(
        &self,
        change: impl FnOnce(&mut Writer) -> Result<(), SearchError>,
    ) -> Result<(), SearchError> {
        let mut writer = self.writer();
        let done = guarded(|| change(&mut writer));
        if done.is_err() {
            writer.give_up();
            // The engine tells only that it could not write, whatever became of its files.
            let is_gone = || !self.directory.join(META).try_exists().unwrap_or(true);
            if matches!(done, Err(SearchError::Unavailable(_)))
                && writer.note.is_some()
                && is_gone()
            {
                return Err(damaged("its files are gone"));
            }
        }
        done
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TextIndex {
    fn drop(&mut self) {
        if self.retired.load(Ordering::Relaxed) {
            return;
        }
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = guarded(|| writer.pay()) {
            tracing::debug!(%error, "how far the text index is could not be written");
        }
        let _ = guarded(|| {
            writer.close();
            Ok(())
        });
    }
}

impl Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refresh(&self) -> Result<(), SearchError> {
        let _one = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: TantivyError| refusal(&error);
        self.reader.reload().map_err(failed)?;
        let before = self.snapshot();
        let searcher = self.reader.searcher();
        let snapshot = Snapshot::open(&self.layout, self.language, searcher, Some(&before));
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(snapshot.map_err(failed)?);
        Ok(())
    }
}

/// The engine takes its files for sound, and panics where they are not.
fn guarded<T>(work: impl FnOnce() -> Result<T, SearchError>) -> Result<T, SearchError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic: Box<dyn Any + Send>| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(damaged(message.unwrap_or("what is in its files makes no sense")))
    })
}
