//! Pages of what is listed by id: where one begins and how long it is.

use projections::parties::LIMIT_MAX;
use uuid::Uuid;

use crate::problem::Problem;
use crate::wire::query;

const LIMIT: usize = 50;

query! {
    /// Which page.
    ListParties {
        /// `next` of the page before.
        cursor: Uuid = Uuid,
        /// 1 to 100, 50 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

pub(crate) fn limit_of(given: Option<usize>) -> Result<usize, Problem> {
    let limit = given.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::field("limit", "invalid", format!("must be from 1 to {LIMIT_MAX}")))
}

/// Takes off the one row too many that tells of a next page, and says where that begins.
pub(crate) fn next_of<Row, At>(
    rows: &mut Vec<Row>,
    limit: usize,
    at: impl Fn(&Row) -> At,
) -> Option<At> {
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(at)
}
