//! Lists of units: each line once, in any order.

use std::collections::BTreeSet;

use super::LineUnits;
use crate::LineNumber;

/// The first line named a second time, if any.
pub(crate) fn repeated_line(lines: impl IntoIterator<Item = LineNumber>) -> Option<LineNumber> {
    let mut seen = BTreeSet::new();
    lines.into_iter().find(|line| !seen.insert(*line))
}

/// Whether two lists name the same units, whatever their order.
pub(crate) fn same_units(left: &[LineUnits], right: &[LineUnits]) -> bool {
    let sorted = |lines: &[LineUnits]| {
        let mut pairs: Vec<_> = lines.iter().map(|u| (u.line, u.quantity)).collect();
        pairs.sort_unstable();
        pairs
    };
    left.len() == right.len() && sorted(left) == sorted(right)
}

/// Units over all lines of a list.
pub(crate) fn total_units(lines: &[LineUnits]) -> u64 {
    lines.iter().map(|u| u64::from(u.quantity.get())).sum()
}
