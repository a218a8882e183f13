//! Reads a CSV file, packed with gzip or not, and says where it is wrong.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};
use flate2::bufread::MultiGzDecoder;

use super::error::{ImportError, ROWS_NAMED_MAX, RowError};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Characters of a wrong header that are shown.
const SHOWN_MAX: usize = 100;
const BUFFER_BYTES: usize = 256 * 1024;

/// A CSV file with a known header.
pub(super) struct CsvFile {
    path: String,
    reader: Reader<Box<dyn Read + Send>>,
    columns: Vec<&'static str>,
    wrong: Vec<RowError>,
    more: usize,
}

/// One row, not yet understood.
pub(super) struct Fields<'a> {
    record: &'a ByteRecord,
    columns: &'a [&'static str],
    pub(super) line: u64,
}

impl CsvFile {
    /// Opens the file and checks its header: exactly these columns, in this order. Packed files
    /// are known by their content, not their name.
    pub(super) fn open(path: &Path, columns: &[&'static str]) -> Result<Self, ImportError> {
        let name = path.display().to_string();
        let failed =
            |why: std::io::Error| ImportError::File { path: name.clone(), why: why.to_string() };
        let file = File::open(path).map_err(failed)?;
        let mut raw = BufReader::with_capacity(BUFFER_BYTES, file);
        let packed = raw.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC);
        let unpacked: Box<dyn Read + Send> =
            if packed { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
        let mut text = BufReader::with_capacity(BUFFER_BYTES, unpacked);
        let cut = |why: std::io::Error| ImportError::Cut {
            path: name.clone(),
            line: 1,
            why: why.to_string(),
        };
        if text.fill_buf().map_err(cut)?.starts_with(BYTE_ORDER_MARK) {
            text.consume(BYTE_ORDER_MARK.len());
        }
        let text: Box<dyn Read + Send> = Box::new(text);
        let mut reader =
            ReaderBuilder::new().has_headers(false).buffer_capacity(BUFFER_BYTES).from_reader(text);
        let mut header = ByteRecord::new();
        reader.read_byte_record(&mut header).map_err(|error| cut_at(&name, 1, &error))?;
        let found: Vec<String> =
            header.iter().map(|c| String::from_utf8_lossy(c).trim().to_owned()).collect();
        if found != columns {
            let (expected, found) = (columns.join(","), shown(&found.join(",")));
            return Err(ImportError::Header { path: name, expected, found });
        }
        let columns = columns.to_vec();
        Ok(Self { path: name, reader, columns, wrong: Vec::new(), more: 0 })
    }

    /// Gives every row to `take`. Rows that `take` finds wrong are collected and named together
    /// at the end; a file that is cut or changes form ends at once.
    pub(super) fn each(
        mut self,
        mut take: impl FnMut(&Fields<'_>) -> Result<(), RowError>,
    ) -> Result<(), ImportError> {
        let mut record = ByteRecord::new();
        let mut last_line = 0;
        loop {
            let line = self.reader.position().line();
            let more = self.reader.read_byte_record(&mut record);
            if !more.map_err(|error| cut_at(&self.path, line, &error))? {
                break;
            }
            let line = record.position().map_or(line, csv::Position::line);
            last_line = line;
            let fields = Fields { record: &record, columns: &self.columns, line };
            if let Err(error) = take(&fields) {
                if self.wrong.len() < ROWS_NAMED_MAX {
                    self.wrong.push(error);
                } else {
                    self.more += 1;
                }
            }
        }
        match self.wrong.as_slice() {
            [] => return Ok(()),
            // A cut seldom falls between two rows.
            [only] if self.more == 0 && only.line == last_line => {
                let RowError { field, rule, seen, .. } = only;
                let why = format!(
                    "{field} must be {rule}, not `{seen}`; it is the last row, so the file may be cut"
                );
                return Err(ImportError::Cut { path: self.path, line: last_line, why });
            }
            _ => {}
        }
        Err(ImportError::Rows { path: self.path, named: self.wrong, more: self.more })
    }
}

/// What a file begins with, fit for a terminal whatever it is.
fn shown(found: &str) -> String {
    let plain = |c: char| if c.is_control() || c == '\u{fffd}' { '?' } else { c };
    let text: String = found.chars().map(plain).take(SHOWN_MAX).collect();
    if found.chars().nth(SHOWN_MAX).is_some() { format!("{text}…") } else { text }
}

fn cut_at(path: &str, line: u64, error: &csv::Error) -> ImportError {
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields instead of {expected_len}; the file may be cut")
        }
        csv::ErrorKind::Io(why) if why.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the packed file ends in the middle".to_owned()
        }
        _ => error.to_string(),
    };
    let line = error.position().map_or(line, csv::Position::line);
    ImportError::Cut { path: path.to_owned(), line, why }
}

impl<'a> Fields<'a> {
    /// The column's text, trimmed; what is not UTF-8 is taken for Latin-1, which such files often
    /// are.
    pub(super) fn text(&self, column: usize) -> std::borrow::Cow<'a, str> {
        let bytes = self.record.get(column).unwrap_or_default().trim_ascii();
        match std::str::from_utf8(bytes) {
            Ok(text) => text.trim().into(),
            Err(_) => bytes.iter().copied().map(char::from).collect::<String>().into(),
        }
    }

    pub(super) fn wrong(&self, column: usize, rule: &str) -> RowError {
        RowError {
            line: self.line,
            field: (*self.columns.get(column).unwrap_or(&"?")).to_owned(),
            rule: rule.to_owned(),
            seen: self.text(column).chars().take(80).collect(),
        }
    }

    /// The column's value, read by `read`; `rule` says what it must be.
    pub(super) fn value<T>(
        &self,
        column: usize,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, RowError> {
        read(&self.text(column)).ok_or_else(|| self.wrong(column, rule))
    }

    /// As [`Self::value`], but an empty field is `None`.
    pub(super) fn optional<T>(
        &self,
        column: usize,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, RowError> {
        if self.text(column).is_empty() {
            return Ok(None);
        }
        self.value(column, rule, read).map(Some)
    }
}
