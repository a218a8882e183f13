//! Writes an archive: under another name first, on the disk before it gets its own.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::layout::{CHUNK_HEAD, ENTRY, Entry, Footer, MARK, failed, footer_bytes};
use crate::JournalError;
use crate::sqlite::chunks::StoredChunk;

/// Bytes of chunks compressed together: more saves little, and all are unpacked to read one.
const BLOCK_BYTES: usize = 256 << 10;

pub(super) struct Writing {
    directory: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
    sum: Sha256,
    written: u64,
    raw: Vec<u8>,
    raw_first: u64,
    index: Vec<u8>,
    footer: Footer,
}

/// A file that is complete and on the disk.
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Writing {
    pub(super) fn begin(
        directory: &Path,
        journal: Uuid,
        first: u64,
        chain_before: u32,
    ) -> Result<Self, JournalError> {
        let part =
            directory.join(format!("{}-{first:012}.part", &journal.simple().to_string()[..8]));
        // One that was cut off is worth nothing.
        let file = File::create(&part).map_err(|error| failed(&part, &error))?;
        let footer =
            Footer { journal, first, last: 0, chain_before, chain: chain_before, chunks: 0 };
        let mut writing = Self {
            directory: directory.to_owned(),
            part,
            out: BufWriter::new(file),
            sum: Sha256::new(),
            written: 0,
            raw: Vec::new(),
            raw_first: first,
            index: Vec::new(),
            footer,
        };
        writing.write(MARK)?;
        Ok(writing)
    }

    pub(super) fn add(&mut self, stored: &StoredChunk<'_>) -> Result<(), JournalError> {
        let view = stored.view;
        let mut head = [0; CHUNK_HEAD];
        head[0..8].copy_from_slice(&view.first.to_le_bytes());
        head[8..12].copy_from_slice(&view.count.to_le_bytes());
        head[12..16].copy_from_slice(&stored.crc.to_le_bytes());
        head[16..20].copy_from_slice(&stored.chain.to_le_bytes());
        head[20..24].copy_from_slice(&(view.body.len() as u32).to_le_bytes());
        if self.raw.is_empty() {
            self.raw_first = view.first;
        }
        self.raw.extend_from_slice(&head);
        self.raw.extend_from_slice(view.body);
        self.footer.last = view.first + u64::from(view.count) - 1;
        self.footer.chain = stored.chain;
        self.footer.chunks += 1;
        if self.raw.len() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), JournalError> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&self.raw).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| failed(&self.part, &error))?;
        let entry = Entry {
            first: self.raw_first,
            last: self.footer.last,
            offset: self.written,
            stored: packed.len() as u32,
            raw: self.raw.len() as u32,
            crc: crc32fast::hash(&packed),
        };
        self.write(&packed)?;
        self.index.extend_from_slice(&entry.to_bytes());
        self.raw.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        self.sum.update(bytes);
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| failed(&self.part, &error))
    }

    /// Ends the file, and leaves its SHA-256 beside it as `sha256sum` writes it.
    pub(super) fn finish(mut self) -> Result<Written, JournalError> {
        if !self.raw.is_empty() {
            self.end_block()?;
        }
        let index = std::mem::take(&mut self.index);
        debug_assert!(index.len().is_multiple_of(ENTRY));
        let footer = footer_bytes(&self.footer, self.written, &index);
        self.write(&index)?;
        self.write(&footer)?;
        let Footer { journal, first, last, .. } = self.footer;
        let name = super::name(journal, first, last);
        let path = self.directory.join(&name);
        let sha256: String = self.sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let part = self.part;
        let out = self.out;
        let placed = || -> std::io::Result<()> {
            let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all()?;
            let mut beside = File::create(self.directory.join(format!("{name}.sha256")))?;
            writeln!(beside, "{sha256}  {name}")?;
            beside.sync_all()?;
            std::fs::rename(&part, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        placed().map_err(|error| failed(&path, &error))?;
        Ok(Written { path, bytes: self.written, sha256 })
    }
}
