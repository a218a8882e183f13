//! A place in a list of what was found, as a text that is safe in addresses.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ProductId;
use uuid::Uuid;

const VERSION: u8 = 1;
/// Version, offset, product, digest of the question; then a check over these.
const BYTES: usize = 1 + 4 + 16 + 4;

/// Where the next page begins: behind a product, or where that was if it is no longer near there. Good only for the question it was given out with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Products on the pages before.
    pub(super) offset: u32,
    /// The last one of them.
    pub(super) last: ProductId,
    /// Of everything that decides which products there are and in which order.
    pub(super) question: u32,
}

/// A text that was not given out as a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor of a search")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(BYTES + 4);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        bytes.extend_from_slice(self.last.uuid().as_bytes());
        bytes.extend_from_slice(&self.question.to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let bytes: [u8; BYTES + 4] = bytes.try_into().map_err(|_| CursorError)?;
        let (said, check) = bytes.split_at(BYTES);
        if said[0] != VERSION || check != crc32fast::hash(said).to_be_bytes() {
            return Err(CursorError);
        }
        let number =
            |at: usize| u32::from_be_bytes([said[at], said[at + 1], said[at + 2], said[at + 3]]);
        let last = Uuid::from_slice(&said[5..21]).map_err(|_| CursorError)?;
        Ok(Self { offset: number(1), last: ProductId::new(last), question: number(21) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(offset: u32, last: u128, question: u32) {
            let last = ProductId::new(Uuid::from_u128(last));
            let cursor = Cursor { offset, last, question };
            let text = cursor.to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(text.parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn one_that_was_damaged_is_refused(last: u128, at in 0..39_usize, other in "[A-Za-z0-9_-]") {
            let last = ProductId::new(Uuid::from_u128(last));
            let text = Cursor { offset: 24, last, question: 7 }.to_string();
            let mut damaged = text.clone();
            damaged.replace_range(at..=at, &other);
            prop_assume!(damaged != text);
            prop_assert_eq!(damaged.parse::<Cursor>(), Err(CursorError));
        }

        #[test]
        fn no_text_breaks_it(text: String) {
            prop_assert_eq!(text.parse::<Cursor>(), Err(CursorError));
        }
    }

    #[test]
    fn another_version_is_refused() {
        let text = Cursor { offset: 1, last: ProductId::new(Uuid::nil()), question: 1 }.to_string();
        let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        bytes[0] = 2;
        let check = crc32fast::hash(&bytes[..BYTES]).to_be_bytes();
        bytes[BYTES..].copy_from_slice(&check);
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes).parse::<Cursor>(), Err(CursorError));
    }
}
