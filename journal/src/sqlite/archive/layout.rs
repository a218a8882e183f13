//! An archive file: old chunks, compressed by the block, with an index at the end.
//!
//! A mark, then blocks, then for each block an index entry, then a footer of fixed size with the mark
//! again. A block is a deflate stream over chunks: place, count, both sums and length of each, then its
//! body as it was in the journal. Numbers are little-endian. Each block has a sum of what is stored, the
//! footer one of the index and itself; each chunk has the sum by which the journal knows it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::read::DeflateDecoder;
use uuid::Uuid;

use crate::held::hold;
use crate::{JournalError, Position};

pub(super) const MARK: &[u8; 8] = b"TILLARC1";
pub(super) const CHUNK_HEAD: usize = 24;
pub(super) const ENTRY: usize = 36;
pub(super) const FOOTER: usize = 72;
/// Longest block, unpacked: what a file claims is not believed past it.
const BLOCK_BYTES_MAX: u32 = 512 << 20;

/// What is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) journal: Uuid,
    pub(super) first: u64,
    pub(super) last: u64,
    /// The chain's sum before the first chunk, and after the last.
    pub(super) chain_before: u32,
    pub(super) chain: u32,
    pub(super) chunks: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) offset: u64,
    pub(super) stored: u32,
    pub(super) raw: u32,
    pub(super) crc: u32,
}

impl Entry {
    pub(super) fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[0..8].copy_from_slice(&self.first.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.last.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.offset.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.stored.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.raw.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }
}

/// The footer's bytes; the index is `entries` from `offset` on.
pub(super) fn footer_bytes(footer: &Footer, offset: u64, index: &[u8]) -> [u8; FOOTER] {
    let mut bytes = [0; FOOTER];
    bytes[0..16].copy_from_slice(footer.journal.as_bytes());
    bytes[16..24].copy_from_slice(&footer.first.to_le_bytes());
    bytes[24..32].copy_from_slice(&footer.last.to_le_bytes());
    bytes[32..36].copy_from_slice(&footer.chain_before.to_le_bytes());
    bytes[36..40].copy_from_slice(&footer.chain.to_le_bytes());
    bytes[40..48].copy_from_slice(&footer.chunks.to_le_bytes());
    bytes[48..56].copy_from_slice(&offset.to_le_bytes());
    bytes[56..60].copy_from_slice(&((index.len() / ENTRY) as u32).to_le_bytes());
    let crc = sum(index, &bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    bytes[64..72].copy_from_slice(MARK);
    bytes
}

fn sum(index: &[u8], footer: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(index);
    hasher.update(footer);
    hasher.finalize()
}

/// An archive that can be read.
#[derive(Debug)]
pub(super) struct ArchiveFile {
    pub(super) path: PathBuf,
    pub(super) footer: Footer,
    index: Vec<Entry>,
    file: Mutex<File>,
}

/// A chunk of an archive, by where it is in its block.
#[derive(Debug, Clone)]
pub(super) struct Archived {
    pub(super) first: u64,
    pub(super) count: u32,
    pub(super) crc: u32,
    pub(super) chain: u32,
    body: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    pub(super) chunks: Vec<Archived>,
}

impl Block {
    pub(super) fn body(&self, chunk: &Archived) -> &[u8] {
        self.bytes.get(chunk.body.clone()).unwrap_or_default()
    }

    /// The chunk that begins at `first`.
    pub(super) fn chunk(&self, first: u64) -> Option<&Archived> {
        let at = self.chunks.binary_search_by_key(&first, |chunk| chunk.first).ok()?;
        self.chunks.get(at)
    }
}

impl ArchiveFile {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |error: std::io::Error| failed(path, &error);
        let mut file = File::open(path).map_err(failed)?;
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let end = length.checked_sub(FOOTER as u64).ok_or_else(|| not_one(path))?;
        let mut footer = [0; FOOTER];
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        file.read_exact(&mut footer).map_err(failed)?;
        let (offset, entries) = (u64_at(&footer, 48), u64::from(u32_at(&footer, 56)));
        let fits = offset.checked_add(entries * ENTRY as u64) == Some(end);
        if &footer[64..] != MARK || !fits {
            return Err(not_one(path));
        }
        let mut bytes = vec![0; entries as usize * ENTRY];
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        file.read_exact(&mut bytes).map_err(failed)?;
        if sum(&bytes, &footer[..60]) != u32_at(&footer, 60) {
            return Err(damaged(path, None, "its index does not match its sum"));
        }
        let index = bytes
            .chunks_exact(ENTRY)
            .map(|entry| Entry {
                first: u64_at(entry, 0),
                last: u64_at(entry, 8),
                offset: u64_at(entry, 16),
                stored: u32_at(entry, 24),
                raw: u32_at(entry, 28),
                crc: u32_at(entry, 32),
            })
            .collect();
        let mut journal = [0; 16];
        journal.copy_from_slice(&footer[0..16]);
        let footer = Footer {
            journal: Uuid::from_bytes(journal),
            first: u64_at(&footer, 16),
            last: u64_at(&footer, 24),
            chain_before: u32_at(&footer, 32),
            chain: u32_at(&footer, 36),
            chunks: u64_at(&footer, 40),
        };
        Ok(Self { path: path.to_owned(), footer, index, file: Mutex::new(file) })
    }

    pub(super) fn holds(&self, position: u64) -> bool {
        (self.footer.first..=self.footer.last).contains(&position)
    }

    pub(super) fn blocks(&self) -> usize {
        self.index.len()
    }

    /// Which block holds this position.
    pub(super) fn block_of(&self, position: u64) -> Option<usize> {
        let at = self.index.partition_point(|entry| entry.last < position);
        self.index.get(at).filter(|entry| entry.first <= position).map(|_| at)
    }

    pub(super) fn block(&self, number: usize) -> Result<Arc<Block>, JournalError> {
        let entry = self.index.get(number).ok_or_else(|| not_one(&self.path))?;
        let bad = |what: &str| damaged(&self.path, Some(entry.first), what);
        if entry.raw > BLOCK_BYTES_MAX || entry.stored > BLOCK_BYTES_MAX {
            return Err(bad("a block is longer than any may be"));
        }
        let mut stored = vec![0; entry.stored as usize];
        {
            let mut file = hold(&self.file);
            file.seek(SeekFrom::Start(entry.offset))
                .and_then(|_| file.read_exact(&mut stored))
                .map_err(|error| failed(&self.path, &error))?;
        }
        if crc32fast::hash(&stored) != entry.crc {
            return Err(bad("a block does not match its sum"));
        }
        let mut bytes = Vec::with_capacity(entry.raw as usize);
        DeflateDecoder::new(&stored[..])
            .take(u64::from(entry.raw) + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| bad("a block cannot be unpacked"))?;
        let chunks = chunks(&bytes).filter(|_| bytes.len() == entry.raw as usize);
        let chunks = chunks.ok_or_else(|| bad("a block is cut short"))?;
        Ok(Arc::new(Block { bytes, chunks }))
    }
}

/// `None` if the bytes end in the middle of a chunk.
fn chunks(bytes: &[u8]) -> Option<Vec<Archived>> {
    let mut chunks = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let head = bytes.get(at..at + CHUNK_HEAD)?;
        let start = at + CHUNK_HEAD;
        at = start.checked_add(u32_at(head, 20) as usize)?;
        let body = bytes.get(start..at).map(|_| start..at)?;
        chunks.push(Archived {
            first: u64_at(head, 0),
            count: u32_at(head, 8),
            crc: u32_at(head, 12),
            chain: u32_at(head, 16),
            body,
        });
    }
    Some(chunks)
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> JournalError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(path, None, "it is cut short"),
        _ => JournalError::Unavailable(format!("{}: {error}", path.display())),
    }
}

pub(super) fn damaged(path: &Path, at: Option<u64>, what: &str) -> JournalError {
    JournalError::Corrupt {
        at: at.map(Position),
        problem: format!("the archive {}: {what}; put a sound copy in its place", path.display()),
    }
}

fn not_one(path: &Path) -> JournalError {
    damaged(path, None, "this is no archive, or not all of one")
}

// Callers give slices of the length they read from.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
