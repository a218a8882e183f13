//! Where chunks are found that are no longer in the journal's file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension};

use super::layout::{ArchiveFile, Block, damaged};
use crate::held::hold;
use crate::sqlite::fault::read_error;
use crate::sqlite::record::corrupt;
use crate::{JournalError, JournalId};

/// The directory beside the journal's file where archives are looked for that are not where they were
/// made.
pub(super) const BESIDE: &str = "archive";
/// Blocks kept unpacked: enough for a scan and a few streams at a time.
const BLOCKS_KEPT: usize = 8;

/// Opens archives as they are asked for.
#[derive(Debug)]
pub(in crate::sqlite) struct Shelf {
    journal: PathBuf,
    files: Mutex<Vec<Arc<ArchiveFile>>>,
    /// Newest first.
    blocks: Mutex<Vec<Arc<Block>>>,
}

impl Shelf {
    pub(in crate::sqlite) fn of(journal: &Path) -> Self {
        Self { journal: journal.to_owned(), files: Mutex::default(), blocks: Mutex::default() }
    }

    /// The block with the chunk that begins at `first`.
    pub(super) fn block(
        &self,
        connection: &Connection,
        first: u64,
    ) -> Result<Arc<Block>, JournalError> {
        {
            let mut blocks = hold(&self.blocks);
            if let Some(at) = blocks.iter().position(|block| block.chunk(first).is_some()) {
                blocks[..=at].rotate_right(1);
                return Ok(Arc::clone(&blocks[0]));
            }
        }
        let file = self.file(connection, first)?;
        let missing = || damaged(&file.path, Some(first), "a chunk is missing");
        let block = file.block(file.block_of(first).ok_or_else(missing)?)?;
        if block.chunk(first).is_none() {
            return Err(missing());
        }
        let mut blocks = hold(&self.blocks);
        blocks.insert(0, Arc::clone(&block));
        blocks.truncate(BLOCKS_KEPT);
        Ok(block)
    }

    fn file(
        &self,
        connection: &Connection,
        position: u64,
    ) -> Result<Arc<ArchiveFile>, JournalError> {
        let mut files = hold(&self.files);
        if let Some(file) = files.iter().find(|file| file.holds(position)) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(find(connection, &self.journal, position)?);
        files.push(Arc::clone(&file));
        Ok(file)
    }
}

/// Looks where the archive was made, then beside the journal.
fn find(
    connection: &Connection,
    journal: &Path,
    position: u64,
) -> Result<ArchiveFile, JournalError> {
    let row: Option<(String, String, i64, i64)> = connection
        .prepare_cached(
            "SELECT name, directory, first, last FROM archive WHERE first <= ?1 \
             ORDER BY first DESC LIMIT 1",
        )
        .and_then(|mut select| {
            let row =
                |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            select.query_row([position as i64], row).optional()
        })
        .map_err(read_error)?;
    let Some((name, directory, first, last)) = row else {
        return Err(corrupt(position, "a chunk is empty, and no archive is on record for it"));
    };
    let beside = journal.with_file_name(BESIDE).join(&name);
    let made = Path::new(&directory).join(&name);
    let Some(path) = [&made, &beside].into_iter().find(|path| path.exists()) else {
        return Err(JournalError::Unavailable(format!(
            "positions {first} to {last} are in the archive {name}, which is neither in {directory} \
             nor at {}: bring it back to one of them",
            beside.display()
        )));
    };
    let file = ArchiveFile::open(path)?;
    let id: JournalId = super::id_of(connection)?;
    let found = (file.footer.journal, file.footer.first as i64, file.footer.last as i64);
    if found != (id, first, last) {
        return Err(damaged(path, Some(position), "it is another one by the same name"));
    }
    Ok(file)
}
