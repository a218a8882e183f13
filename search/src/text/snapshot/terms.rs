//! Where in a segment's files the lists of each stem are.
//!
//! Read once when the segment is opened: a text that ends in a word that is only begun asks for fifty
//! words, each with a list for every field, and looking each of them up in the fields' dictionaries would
//! take longer than reading the lists.

use std::io;

use tantivy::postings::TermInfo;
use tantivy::termdict::TermDictionary;

/// Lists by the ordinal of the stem among all of the segment.
#[derive(Debug, Default)]
pub(in super::super) struct Terms {
    /// Where the lists of each stem begin, and of the last end.
    begins: Vec<u32>,
    lists: Vec<Place>,
}

/// The list of products that have a stem, in any field or in one.
#[derive(Debug, Clone, Copy)]
struct Place {
    begin: u64,
    length: u32,
    frequency: u32,
    field: u8,
}

impl Place {
    fn new(field: u8, info: &TermInfo) -> io::Result<Self> {
        let length = u32::try_from(info.postings_range.len()).map_err(io::Error::other)?;
        let begin = info.postings_range.start as u64;
        Ok(Self { begin, length, frequency: info.doc_freq, field })
    }

    fn info(&self) -> TermInfo {
        let begin = self.begin as usize;
        TermInfo {
            doc_freq: self.frequency,
            postings_range: begin..begin + self.length as usize,
            positions_range: 0..0,
        }
    }
}

impl Terms {
    /// `all` has every stem that one of the fields has.
    pub(super) fn read(all: &TermDictionary, fields: &[&TermDictionary]) -> io::Result<Self> {
        let mut terms = Self::default();
        let mut others = Vec::new();
        for field in fields {
            let mut stream = field.stream()?;
            let more = stream.advance();
            others.push((stream, more));
        }
        let mut stream = all.stream()?;
        while let Some((stem, info)) = stream.next() {
            terms.begin()?;
            terms.lists.push(Place::new(0, info)?);
            for ((other, more), field) in others.iter_mut().zip(0..) {
                while *more && other.key() < stem {
                    *more = other.advance();
                }
                if *more && other.key() == stem {
                    terms.lists.push(Place::new(field, other.value())?);
                }
            }
        }
        terms.begin()?;
        terms.begins.shrink_to_fit();
        terms.lists.shrink_to_fit();
        Ok(terms)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.begins.push(u32::try_from(self.lists.len()).map_err(io::Error::other)?);
        Ok(())
    }

    fn lists(&self, ordinal: u32) -> &[Place] {
        let ordinal = ordinal as usize;
        let begin = self.begins.get(ordinal).copied().unwrap_or_default();
        let end = self.begins.get(ordinal + 1).copied().unwrap_or(begin);
        &self.lists[begin as usize..end as usize]
    }

    /// The list of products that have the stem in any field; `None` for an ordinal that is none.
    pub(in super::super) fn all(&self, ordinal: u32) -> Option<TermInfo> {
        self.lists(ordinal).first().map(Place::info)
    }

    /// Products that have it, removed ones among them.
    pub(super) fn frequency(&self, ordinal: u32) -> u64 {
        self.lists(ordinal).first().map_or(0, |all| u64::from(all.frequency))
    }

    /// The list of each field in which any product has it, in the order of fields.
    pub(in super::super) fn fields(&self, ordinal: u32) -> impl Iterator<Item = (usize, TermInfo)> {
        let fields = self.lists(ordinal).get(1..).unwrap_or_default();
        fields.iter().map(|list| (usize::from(list.field), list.info()))
    }
}
