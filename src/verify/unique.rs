//! Finds ids that occur twice among any number of them, in bounded memory: sorted runs, merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// Ids kept in memory, 24 bytes each; more go to a file, sorted.
const IN_MEMORY: usize = 1 << 20;
const RECORD_BYTES: usize = 24;

/// An id (as bytes, so that it sorts as it reads) and where it was seen.
type Seen = ([u8; 16], u64);

pub(super) struct UniqueIds {
    in_memory_max: usize,
    seen: Vec<Seen>,
    runs: Vec<Run>,
    /// The first failure of the disk; without all ids nothing can be said.
    failed: Option<io::Error>,
}

impl Default for UniqueIds {
    fn default() -> Self {
        Self::keeping(IN_MEMORY)
    }
}

impl UniqueIds {
    pub(super) fn keeping(in_memory_max: usize) -> Self {
        Self { in_memory_max, seen: Vec::new(), runs: Vec::new(), failed: None }
    }

    pub(super) fn push(&mut self, id: Uuid, position: u64) {
        if self.seen.len() >= self.in_memory_max && self.failed.is_none() {
            match Run::write(&mut self.seen) {
                Ok(run) => self.runs.push(run),
                Err(error) => self.failed = Some(error),
            }
        }
        if self.failed.is_none() {
            self.seen.push((*id.as_bytes(), position));
        }
    }

    /// Calls `report` with every id seen again, and the positions of the first and of this time.
    ///
    /// # Errors
    /// Those of the temporary files.
    pub(super) fn repeated(mut self, report: &mut dyn FnMut(Uuid, u64, u64)) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.seen.sort_unstable();
        let mut sources: Vec<Source<'_>> = vec![Source::Memory(self.seen.iter())];
        for run in &mut self.runs {
            run.file.rewind()?;
            sources.push(Source::Disk(BufReader::new(&mut run.file)));
        }
        let mut heap = BinaryHeap::new();
        for (index, source) in sources.iter_mut().enumerate() {
            heap.extend(source.next()?.map(|seen| Reverse((seen, index))));
        }
        let mut first: Option<Seen> = None;
        while let Some(Reverse(((id, position), index))) = heap.pop() {
            match first {
                Some((known, at)) if known == id => report(Uuid::from_bytes(id), at, position),
                Some(_) | None => first = Some((id, position)),
            }
            heap.extend(sources[index].next()?.map(|seen| Reverse((seen, index))));
        }
        Ok(())
    }
}

enum Source<'a> {
    Memory(std::slice::Iter<'a, Seen>),
    Disk(BufReader<&'a mut File>),
}

impl Source<'_> {
    fn next(&mut self) -> io::Result<Option<Seen>> {
        let reader = match self {
            Self::Memory(seen) => return Ok(seen.next().copied()),
            Self::Disk(reader) => reader,
        };
        let (mut id, mut position) = ([0; 16], [0; 8]);
        match reader.read_exact(&mut id) {
            Ok(()) => reader.read_exact(&mut position)?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        Ok(Some((id, u64::from_be_bytes(position))))
    }
}

/// A sorted file, deleted when dropped.
struct Run {
    file: File,
    path: PathBuf,
}

impl Run {
    /// Sorts and writes what is there, and empties it.
    fn write(seen: &mut Vec<Seen>) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tillroll-verify-{}-{number}.ids", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let mut run = Self { file, path };
        seen.sort_unstable();
        let mut out = BufWriter::with_capacity(RECORD_BYTES << 12, &mut run.file);
        for (id, position) in seen.drain(..) {
            out.write_all(&id)?;
            out.write_all(&position.to_be_bytes())?;
        }
        out.flush()?;
        drop(out);
        Ok(run)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // A file left behind in the temporary directory harms nothing.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_found_in_memory_and_across_files() {
        for in_memory_max in [1, 3, 7, 1_000] {
            let mut ids = UniqueIds::keeping(in_memory_max);
            for number in 0..20_u128 {
                ids.push(Uuid::from_u128(number * 7 % 20), number as u64 + 1);
            }
            ids.push(Uuid::from_u128(14), 99);
            let mut found = Vec::new();
            ids.repeated(&mut |id, first, again| found.push((id.as_u128(), first, again)))
                .expect("temporary files work");
            assert_eq!(found, [(14, 3, 99)], "{in_memory_max} in memory");
        }
    }
}
