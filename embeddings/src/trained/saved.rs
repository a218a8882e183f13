//! A trained embedder as a file.
//!
//! Body: its id (length `u32`, UTF-8), dimensions (`u64`), count of words (`u64`), the words (as the
//! id), the share of each (`f32`), the vector of each (`f32`, dimensions for each), 0 or the number
//! of dimensions (`u64`) and as many values (`f32`) of what all texts have in common.

use std::path::Path;

use super::TrainedEmbedder;
use crate::EmbedError;
use crate::sealed::{self, FileError, Kind, Reader, put_f32s, put_text};

const KIND: Kind = Kind { mark: *b"tr-word\n", layout: 1, name: "a trained embedder" };

impl TrainedEmbedder {
    /// Writes the model to one file, whole or not at all; the same model gives the same bytes.
    ///
    /// # Errors
    /// `Io`: what the file system says.
    pub fn save(&self, path: &Path) -> Result<(), EmbedError> {
        let mut body = Vec::with_capacity(64 + self.words.len() * (self.dimensions + 4) * 4);
        put_text(&mut body, &self.id);
        body.extend_from_slice(&(self.dimensions as u64).to_le_bytes());
        body.extend_from_slice(&(self.words.len() as u64).to_le_bytes());
        self.words.iter().for_each(|word| put_text(&mut body, word));
        put_f32s(&mut body, &self.shares);
        put_f32s(&mut body, &self.vectors);
        body.extend_from_slice(&(self.common.len() as u64).to_le_bytes());
        put_f32s(&mut body, &self.common);
        Ok(sealed::write(path, KIND, &body)?)
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// `Io` if there is no such file; `Model` if it is damaged or not a trained embedder: it has to
    /// be trained again.
    pub fn load(path: &Path) -> Result<Self, EmbedError> {
        let body = sealed::read(path, KIND)?;
        let inconsistent =
            || FileError::unusable(path, "is a trained embedder that contradicts itself");
        Ok(Self::read(&mut Reader(&body)).ok_or_else(inconsistent)?)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.text()?.to_owned();
        let dimensions = reader.length()?;
        let count = reader.length()?;
        let mut words = Vec::new();
        for _ in 0..count {
            words.push(reader.text()?.to_owned());
        }
        let shares = reader.f32s(count)?;
        let vectors = reader.f32s(count.checked_mul(dimensions)?)?;
        let common = match reader.length()? {
            0 => Vec::new(),
            length if length == dimensions => reader.f32s(length)?,
            _ => return None,
        };
        let finite = vectors.iter().chain(&common).all(|value| value.is_finite());
        let sound = shares.iter().all(|share| (0.0..=1.0).contains(share));
        if !reader.0.is_empty() || dimensions == 0 || !finite || !sound {
            return None;
        }
        let mut model = Self::new(id, dimensions, words, shares, vectors);
        model.common = common;
        (model.numbers.len() == count).then_some(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Embedder, Field, Trainer, TrainingOptions};

    fn model() -> TrainedEmbedder {
        let options = TrainingOptions { dimensions: 4, ..TrainingOptions::default() };
        let mut trainer = Trainer::new(options);
        for number in 0..120 {
            let text = ["red kettle", "blue kettle", "red crème lamp"][number % 3];
            trainer.text(&[Field { text, weight: 1.0 }]);
        }
        trainer.train()
    }

    #[test]
    fn comes_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let (path, again) = (directory.path().join("model"), directory.path().join("again"));
        let saved = model();
        assert_eq!(saved.common.len(), 4, "enough texts to have something in common");
        saved.save(&path).unwrap();
        let loaded = TrainedEmbedder::load(&path).unwrap();
        assert_eq!((loaded.id(), loaded.dimensions()), (saved.id(), 4));
        for text in ["a red kettle", "lamps", "creme", ""] {
            assert_eq!(loaded.embed_text(text), saved.embed_text(text), "{text}");
        }
        loaded.save(&again).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
        model().save(&again).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap(), "trained again");
    }

    #[test]
    fn any_damage_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        model().save(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            std::fs::write(&path, &damaged).unwrap();
            let error = TrainedEmbedder::load(&path).map(drop).unwrap_err();
            assert!(matches!(error, EmbedError::Model(_)), "byte {at}: {error}");
        }
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(TrainedEmbedder::load(&path).is_err());
        let missing = TrainedEmbedder::load(&directory.path().join("none")).map(drop);
        assert!(matches!(missing, Err(EmbedError::Io { .. })));

        std::fs::write(&path, &whole).unwrap();
        let body = sealed::read(&path, KIND).unwrap();
        let mut nan = body.clone();
        let last = nan.len() - 4;
        nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        for wrong in [nan, body[..body.len() - 4].to_vec(), [&body[..], &[0]].concat()] {
            sealed::write(&path, KIND, &wrong).unwrap();
            let error = TrainedEmbedder::load(&path).map(drop).unwrap_err();
            assert!(error.to_string().contains("contradicts itself"), "{error}");
        }
    }
}
