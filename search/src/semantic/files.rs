//! What is kept beside the vectors: of which text each is, and what the model was trained on.
//!
//! Layout, numbers little-endian: 8 bytes that name the file, CRC-32 of all that follows, number of
//! vectors (`u64`), for each its product's number (`u64`), id (16 bytes) and text's hash (`u64`); then
//! to the end the hashes of the texts that the model was trained on. Whether the vectors are of the
//! right model is in their own file.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use domain::ProductId;
use uuid::Uuid;

const MARK: &[u8; 8] = b"TRTEXTS1";

/// Of which text a vector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Embedded {
    pub(super) product_id: ProductId,
    pub(super) hash: u64,
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
}

impl Files {
    pub(super) fn vectors(&self) -> PathBuf {
        self.directory.join("vectors.index")
    }

    pub(super) fn texts(&self) -> PathBuf {
        self.directory.join("vectors.texts")
    }

    pub(super) fn model(&self) -> PathBuf {
        self.directory.join("vectors.model")
    }

    /// To be called before the vectors are written: those and the texts then are of one moment, or
    /// there are no texts and vectors count for nothing.
    pub(super) fn remove_texts(&self) -> io::Result<()> {
        match fs::remove_file(self.texts()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn save_texts(
        &self,
        embedded: &HashMap<u64, Embedded>,
        trained_on: &HashSet<u64>,
    ) -> io::Result<()> {
        let mut body = (embedded.len() as u64).to_le_bytes().to_vec();
        for (number, of) in embedded {
            body.extend(number.to_le_bytes());
            body.extend(of.product_id.uuid().as_bytes());
            body.extend(of.hash.to_le_bytes());
        }
        body.extend(trained_on.iter().flat_map(|hash| hash.to_le_bytes()));
        let part = self.directory.join("vectors.texts.part");
        let mut file = File::create(&part)?;
        file.write_all(MARK)?;
        file.write_all(&crc32fast::hash(&body).to_le_bytes())?;
        file.write_all(&body)?;
        file.sync_all()?;
        fs::rename(&part, self.texts())?;
        File::open(&self.directory)?.sync_all()
    }

    /// `None` if there are none, or they are not whole.
    pub(super) fn load_texts(&self) -> Option<(HashMap<u64, Embedded>, HashSet<u64>)> {
        read(&self.texts())
    }
}

fn read(path: &Path) -> Option<(HashMap<u64, Embedded>, HashSet<u64>)> {
    let bytes = fs::read(path).ok()?;
    let rest = bytes.strip_prefix(MARK)?;
    let (sum, body) = rest.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (count, body) = body.split_first_chunk::<8>()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let (entries, trained_on) = body.split_at_checked(count.checked_mul(32)?)?;
    let entries = entries.as_chunks::<32>().0.iter().map(|entry| {
        let (number, rest) = entry.split_first_chunk::<8>()?;
        let (id, hash) = rest.split_first_chunk::<16>()?;
        let product_id = ProductId::new(Uuid::from_bytes(*id));
        let hash = u64::from_le_bytes(*hash.first_chunk()?);
        Some((u64::from_le_bytes(*number), Embedded { product_id, hash }))
    });
    let trained_on = trained_on.as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash));
    Some((entries.collect::<Option<_>>()?, trained_on.collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_saved_is_read_back_and_damage_is_seen(
            entries in prop::collection::hash_map(any::<u64>(), (any::<u128>(), any::<u64>()), 0..20),
            trained_on in prop::collection::hash_set(any::<u64>(), 0..20),
            damage in any::<prop::sample::Index>(),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let files = Files { directory: directory.path().to_owned() };
            prop_assert!(files.load_texts().is_none());
            let embedded: HashMap<u64, Embedded> = entries
                .into_iter()
                .map(|(number, (id, hash))| {
                    (number, Embedded { product_id: ProductId::new(Uuid::from_u128(id)), hash })
                })
                .collect();
            files.save_texts(&embedded, &trained_on).unwrap();
            prop_assert_eq!(files.load_texts(), Some((embedded, trained_on)));
            let mut bytes = fs::read(files.texts()).unwrap();
            let at = damage.index(bytes.len());
            bytes[at] ^= 1;
            fs::write(files.texts(), bytes).unwrap();
            prop_assert!(files.load_texts().is_none());
            files.remove_texts().unwrap();
            files.remove_texts().unwrap();
        }
    }
}
