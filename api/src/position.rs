//! Read-your-writes: an opaque token for "this far in this journal".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use journal::{JournalId, Position};
use uuid::Uuid;

use crate::problem::{Problem, catalogue};

/// Given out with every write; sent back as [`MIN_POSITION`].
pub(crate) const POSITION: &str = "tillroll-position";
pub(crate) const MIN_POSITION: &str = "tillroll-min-position";

/// Writes a position of a journal.
#[must_use]
pub fn position_token(journal: JournalId, position: Position) -> String {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(journal.as_bytes());
    bytes[16..].copy_from_slice(&position.0.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position given out for `journal`.
pub(crate) fn read_position(token: &str, journal: JournalId) -> Result<Position, Problem> {
    let malformed =
        || Problem::new(catalogue::MALFORMED_HEADER, "Tillroll-Min-Position is no position token");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| malformed())?;
    let bytes: [u8; 24] = bytes.try_into().map_err(|_| malformed())?;
    let (id, position) = bytes.split_at(16);
    let id = Uuid::from_slice(id).map_err(|_| malformed())?;
    let position = position.try_into().map(u64::from_be_bytes).map_err(|_| malformed())?;
    if id != journal {
        let detail = "Tillroll-Min-Position was given out by another journal";
        return Err(Problem::new(catalogue::FOREIGN_POSITION, detail));
    }
    Ok(Position(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_for_its_journal_only() {
        let journal = Uuid::from_u128(7);
        let token = position_token(journal, Position(42));
        assert_eq!(read_position(&token, journal).unwrap(), Position(42));
        let foreign = read_position(&token, Uuid::from_u128(8)).unwrap_err();
        assert_eq!((foreign.status().as_u16(), foreign.code()), (400, "foreign_position"));
        for broken in ["", "x", "é", &token[1..], &format!("{token}AA")] {
            assert_eq!(read_position(broken, journal).unwrap_err().code(), "malformed_header");
        }
    }
}
