//! Who writes to the index, and where it may be begun.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::ProductId;
use projections::catalogue::SearchDocument;
use tantivy::directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{Index, IndexWriter, TantivyError};

use super::super::Language;
use super::super::errors::refusal;
use super::super::schema::{DocumentWriter, Layout};
use crate::SearchError;

/// Memory that documents are gathered in before they become a segment.
const WRITER_BYTES: usize = 50_000_000;
/// Products up to which segments count as equally small: eight of those are merged into one.
const SMALL: u32 = 2_000;
/// Longest that a note alone waits to be written.
const NOTE_WAITS: Duration = Duration::from_secs(60);
/// A segment is written anew when this share of it has been removed.
const REMOVED_MAX: f32 = 0.3;
/// Shows that a directory holds an index, whole or not.
const LEFT_BY_AN_INDEX: [&str; 3] = ["meta.json", ".managed.json", ".tantivy-writer.lock"];

pub(super) struct Writer {
    index: Index,
    layout: Layout,
    language: Language,
    /// `None` after a failure: the next change begins again at the last commit.
    open: Option<IndexWriter>,
    /// Documents have been added and not committed.
    pub(super) adding: bool,
    /// Documents that were added have been lost.
    lost: bool,
    /// Products added since the last commit, for which nothing else could be in the index.
    added: HashSet<ProductId>,
    documents: DocumentWriter,
    pub(super) note: Option<String>,
    /// The note is not written yet: it waits for the next commit.
    owed: bool,
    committed: Instant,
    /// A commit may not be visible yet.
    pub(super) ahead: bool,
}

impl Writer {
    pub(super) fn new(index: Index, language: Language, note: Option<String>) -> Self {
        Self {
            index,
            layout: Layout::new(),
            language,
            open: None,
            adding: false,
            lost: false,
            added: HashSet::new(),
            documents: DocumentWriter::new(language),
            note,
            owed: false,
            committed: Instant::now(),
            ahead: false,
        }
    }

    pub(super) fn write<'a>(
        &mut self,
        documents: impl IntoIterator<Item = &'a SearchDocument>,
    ) -> Result<(), SearchError> {
        // In an index that was never committed, only what was added twice is to be replaced. Each
        // removal is looked up in every segment, and that takes far longer than adding does.
        let new = self.note.is_none();
        for product in documents {
            let document = self.documents.document(&self.layout, product);
            let again = !new || !self.added.insert(product.product_id);
            let id = again.then(|| self.layout.id_term(product.product_id));
            let open = self.open()?;
            if let Some(id) = id {
                open.delete_term(id);
            }
            open.add_document(document).map_err(|error| refusal(&error))?;
        }
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        removed: impl IntoIterator<Item = ProductId>,
    ) -> Result<(), SearchError> {
        for product_id in removed {
            let id = self.layout.id_term(product_id);
            self.open()?.delete_term(id);
        }
        Ok(())
    }

    /// Removes what may have been added since the last commit.
    pub(super) fn forget(&mut self, removed: &[ProductId]) -> Result<(), SearchError> {
        let new = self.note.is_none();
        let gone: Vec<ProductId> =
            removed.iter().filter(|id| self.added.remove(*id) || !new).copied().collect();
        self.remove(gone)
    }

    pub(super) fn commit(&mut self, note: &str) -> Result<(), SearchError> {
        if self.lost {
            return Err(SearchError::Other(
                "the text index lost what was added to it; it has to be filled anew".to_owned(),
            ));
        }
        // Also if it fails: how far it came is not known then.
        self.ahead = true;
        let payload = format!("{}\n{note}", Layout::mark(self.language));
        let failed = |error: TantivyError| refusal(&error);
        let mut commit = self.open()?.prepare_commit().map_err(failed)?;
        commit.set_payload(&payload);
        commit.commit().map_err(failed)?;
        self.index.directory().sync_directory().map_err(|error| refusal(&error.into()))?;
        self.note = Some(note.to_owned());
        self.adding = false;
        self.added = HashSet::new();
        self.owed = false;
        self.committed = Instant::now();
        Ok(())
    }

    /// Keeps a note for the next commit, where nothing else is to be written; whether it did, since it
    /// must not wait for too long.
    pub(super) fn keep(&mut self, note: &str) -> bool {
        let may_wait = self.note.is_some() && self.committed.elapsed() < NOTE_WAITS;
        if may_wait {
            self.note = Some(note.to_owned());
            self.owed = true;
        }
        may_wait
    }

    /// Writes a note that waits.
    pub(super) fn pay(&mut self) -> Result<(), SearchError> {
        match self.note.clone().filter(|_| self.owed && !self.adding) {
            Some(note) => self.commit(&note),
            None => Ok(()),
        }
    }

    /// Begins again at the last commit, and lets others write meanwhile.
    pub(super) fn give_up(&mut self) {
        self.close();
        self.lost |= self.adding;
        self.added = HashSet::new();
    }

    /// Waits for what is being merged: it would change and delete files under whoever opens the index
    /// next.
    pub(super) fn close(&mut self) {
        if let Some(open) = self.open.take()
            && let Err(error) = open.wait_merging_threads()
        {
            tracing::debug!(%error, "merging the text index did not come to an end");
        }
    }

    pub(super) fn open(&mut self) -> Result<&mut IndexWriter, SearchError> {
        let writer = match self.open.take() {
            Some(writer) => writer,
            None => {
                let options = IndexWriterOptions::builder()
                    .num_worker_threads(1)
                    .memory_budget_per_thread(WRITER_BYTES)
                    .num_merge_threads(1)
                    .build();
                let writer: IndexWriter =
                    self.index.writer_with_options(options).map_err(|error| refusal(&error))?;
                let mut merging = LogMergePolicy::default();
                merging.set_del_docs_ratio_before_merge(REMOVED_MAX);
                merging.set_min_layer_size(SMALL);
                writer.set_merge_policy(Box::new(merging));
                writer
            }
        };
        Ok(self.open.insert(writer))
    }
}

/// Empties a directory that holds an index, or nothing.
pub(super) fn clear(directory: &Path) -> Result<(), SearchError> {
    let failed = |error: std::io::Error| refusal(&error.into());
    let mut files = Vec::new();
    for file in fs::read_dir(directory).map_err(failed)? {
        files.push(file.map_err(failed)?.path());
    }
    let left = |path: &PathBuf| {
        path.file_name().is_some_and(|name| LEFT_BY_AN_INDEX.iter().any(|left| name == *left))
    };
    if !files.is_empty() && !files.iter().any(left) {
        return Err(SearchError::Misconfigured(format!(
            "{} holds something that is no text index",
            directory.display()
        )));
    }
    let lock = MmapDirectory::open(directory).map_err(|error| refusal(&error.into()))?;
    let _lock = lock
        .acquire_lock(&INDEX_WRITER_LOCK)
        .map_err(|error| refusal(&TantivyError::LockFailure(error, None)))?;
    // First what makes the rest an index, so that half of one is not taken for a whole.
    files.sort_by_key(|path| !path.ends_with("meta.json"));
    for path in
        files.iter().filter(|path| path.is_file() && !path.ends_with(&INDEX_WRITER_LOCK.filepath))
    {
        fs::remove_file(path).map_err(failed)?;
    }
    Ok(())
}
