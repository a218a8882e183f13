//! The journal's file is as it was written: sums, the chain from chunk to chunk, stream links,
//! saved heads. What the journal itself can prove, under the name of a law.

use std::path::Path;

use journal::{JournalError, Position};

use super::findings::{Findings, LawReport, Place};

pub(super) fn check(
    path: &Path,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<LawReport, JournalError> {
    let verified = journal::verify(path, progress)?;
    let mut found = Findings::default();
    found.checked_many(verified.events);
    for problem in &verified.problems {
        let place = Place { position: problem.at, stream: "the journal's file".to_owned() };
        found.violation(&place, "as it was written", &problem.what);
    }
    found.more_violations(verified.problem_count - verified.problems.len() as u64);
    Ok(found.into_report("file", "every chunk has its sum and its place, every stream its links"))
}
