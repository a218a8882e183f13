//! Files that are whole or not there: a head that says what it is, and a checksum over all of it.
//!
//! Layout, numbers little-endian: 8 bytes that name the kind of file, layout version (`u32`), length
//! of the body (`u64`), CRC-32 of all that comes before and of the body (`u32`), the body.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::EmbedError;

const HEAD_BYTES: usize = 24;

/// A kind of file, and the layout of its body that this program writes and reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) mark: [u8; 8],
    pub(crate) layout: u32,
    /// As messages call it: "a vector index".
    pub(crate) name: &'static str,
}

/// A file that cannot be read back. Whatever it held has to be made anew.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
    /// Damaged, cut off, of another program or of another version of this one.
    #[error("{path}: {what}")]
    Unusable { path: String, what: String },
}

impl FileError {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }

    pub(crate) fn unusable(path: &Path, what: impl Into<String>) -> Self {
        Self::Unusable { path: path.display().to_string(), what: what.into() }
    }
}

impl From<FileError> for EmbedError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, source } => Self::Io { path, source },
            unusable @ FileError::Unusable { .. } => Self::Model(unusable.to_string()),
        }
    }
}

/// Writes beside `path`, and gives it that name when it is on the disk: whoever reads sees the old
/// file or the new one. One writer at a time. What cannot be written whole is removed: on a full disk
/// it would take the room that is made for the next try.
pub(crate) fn write(path: &Path, kind: Kind, body: &[u8]) -> Result<(), FileError> {
    let part = part_of(path);
    let written = write_part(&part, kind, body).map_err(|error| FileError::io(&part, error));
    let named =
        written.and_then(|()| fs::rename(&part, path).map_err(|error| FileError::io(path, error)));
    if let Err(error) = named {
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    // The name is on the disk when its directory is.
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| FileError::io(directory, error))
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn write_part(part: &Path, kind: Kind, body: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(part)?;
    file.write_all(&head(kind, body))?;
    file.write_all(body)?;
    file.sync_all()
}

fn head(kind: Kind, body: &[u8]) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(&kind.mark);
    head[8..12].copy_from_slice(&kind.layout.to_le_bytes());
    head[12..20].copy_from_slice(&(body.len() as u64).to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head[..20]);
    sum.update(body);
    head[20..].copy_from_slice(&sum.finalize().to_le_bytes());
    head
}

/// The body of the file, if it is of this kind and layout and not one bit has changed.
pub(crate) fn read(path: &Path, kind: Kind) -> Result<Vec<u8>, FileError> {
    let mut file = fs::read(path).map_err(|error| FileError::io(path, error))?;
    if file.len() < HEAD_BYTES || file[..8] != kind.mark {
        return Err(FileError::unusable(path, format!("is not {}", kind.name)));
    }
    if file[8..12] != kind.layout.to_le_bytes() {
        let what = format!("is {} of another layout than {}", kind.name, kind.layout);
        return Err(FileError::unusable(path, what));
    }
    let body = file.split_off(HEAD_BYTES);
    if file != head(kind, &body) {
        return Err(FileError::unusable(path, format!("is {} that is damaged", kind.name)));
    }
    Ok(body)
}

/// Reads a body part by part; each part is `None` where the body is too short for it.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(part)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    pub(crate) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u64()?).ok()
    }

    /// A length (`u32`) and as many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.u32()?).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    pub(crate) fn f32s(&mut self, count: usize) -> Option<Vec<f32>> {
        let bytes = self.bytes(count.checked_mul(4)?)?;
        Some(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    pub(crate) fn u64s(&mut self, count: usize) -> Option<Vec<u64>> {
        let bytes = self.bytes(count.checked_mul(8)?)?;
        Some(bytes.as_chunks().0.iter().map(|eight| u64::from_le_bytes(*eight)).collect())
    }
}

/// As [`Reader::text`] reads it.
pub(crate) fn put_text(body: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(&text.as_bytes()[..length as usize]);
}

pub(crate) fn put_f32s(body: &mut Vec<u8>, values: &[f32]) {
    for value in values {
        body.extend_from_slice(&value.to_le_bytes());
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Every write into it fails as on a full disk.
    #[test]
    fn what_cannot_be_written_whole_is_removed_and_the_old_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let kind = Kind { mark: *b"TRTESTED", layout: 1, name: "a test" };
        let path = directory.path().join("file");
        write(&path, kind, b"old").unwrap();
        std::os::unix::fs::symlink("/dev/full", part_of(&path)).unwrap();
        let error = write(&path, kind, b"new").unwrap_err();
        assert!(matches!(error, FileError::Io { source, .. } if source.raw_os_error() == Some(28)));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(read(&path, kind).unwrap(), b"old");
    }
}
