//! A vector index as a file.
//!
//! Body: the model's id (length `u32`, UTF-8), dimensions (`u64`), count (`u64`), ids (`u64` each,
//! ascending), scales (`f32` each), values (`i8`, dimensions for each).

use std::path::Path;

use super::{DIMENSIONS_MAX, IndexError, VectorIndex};
use crate::sealed::{self, FileError, Kind, Reader, put_f32s, put_text};

const KIND: Kind = Kind { mark: *b"tr-vecs\n", layout: 1, name: "a vector index" };

impl VectorIndex {
    /// Writes the index to one file, whole or not at all; the same vectors give the same bytes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let mut order: Vec<usize> = (0..self.ids.len()).collect();
        order.sort_unstable_by_key(|at| self.ids[*at]);
        let mut body = Vec::with_capacity(64 + self.ids.len() * (self.dimensions + 12));
        put_text(&mut body, &self.model);
        body.extend_from_slice(&(self.dimensions as u64).to_le_bytes());
        body.extend_from_slice(&(self.ids.len() as u64).to_le_bytes());
        order.iter().for_each(|at| body.extend_from_slice(&self.ids[*at].to_le_bytes()));
        order.iter().for_each(|at| put_f32s(&mut body, &[self.scales[*at]]));
        for at in &order {
            body.extend(self.row(*at)[..self.dimensions].iter().map(|value| value.cast_unsigned()));
        }
        sealed::write(path, KIND, &body)
    }

    /// Reads what [`Self::save`] wrote, if its vectors are of this model.
    ///
    /// # Errors
    /// `File` if there is no such file, or it is damaged or not an index; `OtherModel` if it is of
    /// another one. In each case the index has to be built again.
    pub fn load(path: &Path, model: &str, dimensions: usize) -> Result<Self, IndexError> {
        let body = sealed::read(path, KIND)?;
        let mut reader = Reader(&body);
        let inconsistent =
            || FileError::unusable(path, "is a vector index that contradicts itself");
        let found = reader.text().ok_or_else(inconsistent)?;
        let found_dimensions = reader.length().ok_or_else(inconsistent)?;
        if found != model || found_dimensions != dimensions {
            return Err(IndexError::OtherModel {
                path: path.display().to_string(),
                found: format!("{found}, {found_dimensions} dimensions"),
                expected: format!("{model}, {dimensions} dimensions"),
            });
        }
        let mut index = Self::new(model, dimensions)?;
        index.read(&mut reader).ok_or_else(inconsistent)?;
        Ok(index)
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let count = reader.length()?;
        self.ids = reader.u64s(count)?;
        self.scales = reader.f32s(count)?;
        let values = reader.bytes(count.checked_mul(self.dimensions)?)?;
        let ascending = self.ids.is_sorted_by(|a, b| a < b);
        let sound = self.scales.iter().all(|scale| (0.0..=1.0).contains(scale));
        if !reader.0.is_empty() || !ascending || !sound || self.dimensions > DIMENSIONS_MAX {
            return None;
        }
        self.rows = vec![0; count * self.stride];
        let rows = self.rows.chunks_exact_mut(self.stride);
        for (row, saved) in rows.zip(values.chunks_exact(self.dimensions)) {
            for (value, saved) in row.iter_mut().zip(saved) {
                *value = saved.cast_signed();
            }
        }
        self.places = self.ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> VectorIndex {
        let mut index = VectorIndex::new("model-1", 3).unwrap();
        index.insert(9, &[0.1, -0.2, 0.3]).unwrap();
        index.insert(u64::MAX, &[0.0, 0.0, 0.0]).unwrap();
        index.insert(2, &[1.0, 0.0, 0.0]).unwrap();
        index
    }

    #[test]
    fn comes_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vectors");
        let saved = index();
        saved.save(&path).unwrap();
        let loaded = VectorIndex::load(&path, "model-1", 3).unwrap();
        assert_eq!(loaded.len(), 3);
        for id in [9, u64::MAX, 2] {
            assert_eq!(loaded.get(id), saved.get(id), "{id}");
        }
        let question = [0.3, 0.1, 0.5];
        let near = loaded.nearest(&question, 5, |_| true).unwrap();
        assert_eq!(near, saved.nearest(&question, 5, |_| true).unwrap());

        let again = directory.path().join("again");
        loaded.save(&again).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
        let empty = VectorIndex::new("none", 7).unwrap();
        empty.save(&path).unwrap();
        assert!(VectorIndex::load(&path, "none", 7).unwrap().is_empty());
    }

    #[test]
    fn any_damage_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vectors");
        index().save(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let load = || VectorIndex::load(&path, "model-1", 3).map(drop);
        for at in 0..whole.len() {
            for bit in [1, 0x10, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= bit;
                std::fs::write(&path, &damaged).unwrap();
                assert!(matches!(load(), Err(IndexError::File(_))), "bit {bit} of byte {at}");
            }
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(matches!(load(), Err(IndexError::File(_))), "cut off at {at}");
        }
        std::fs::write(&path, [whole.clone(), vec![0]].concat()).unwrap();
        assert!(matches!(load(), Err(IndexError::File(_))), "longer");
        std::fs::write(&path, &whole).unwrap();
        load().unwrap();
    }

    /// What a checksum cannot tell, as whoever wrote it meant it so.
    #[test]
    fn a_body_that_contradicts_itself_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vectors");
        index().save(&path).unwrap();
        let body = sealed::read(&path, KIND).unwrap();
        let ids = 4 + 7 + 8 + 8;
        let huge = [&body[..ids - 8], &u64::MAX.to_le_bytes(), &body[ids..]].concat();
        let twice = [&body[..ids], &body[ids + 8..ids + 16], &body[ids + 8..]].concat();
        let scale = [&body[..ids + 24], &f32::NAN.to_le_bytes(), &body[ids + 28..]].concat();
        for wrong in [huge, twice, scale, body[..body.len() - 1].to_vec(), Vec::new()] {
            sealed::write(&path, KIND, &wrong).unwrap();
            let error = VectorIndex::load(&path, "model-1", 3).map(drop).unwrap_err();
            assert!(error.to_string().contains("contradicts itself"), "{error}");
        }
    }

    #[test]
    fn of_another_model_or_of_nothing_it_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vectors");
        index().save(&path).unwrap();
        for (model, dimensions) in [("model-2", 3), ("model-1", 4)] {
            let error = VectorIndex::load(&path, model, dimensions).map(drop).unwrap_err();
            assert!(matches!(&error, IndexError::OtherModel { .. }), "{error}");
            assert!(error.to_string().contains("model-1, 3 dimensions"), "{error}");
        }
        let missing = VectorIndex::load(&directory.path().join("no"), "m", 3).map(drop);
        assert!(matches!(missing, Err(IndexError::File(FileError::Io { .. }))));
        assert!(index().save(&directory.path().join("no/where")).is_err());
    }
}
