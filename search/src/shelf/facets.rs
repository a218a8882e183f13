//! Lists of values with counts, as shoppers see them.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Columns;
use crate::{AttributeFacets, CategoryCount, FacetRequest, Filter, ValueCount};

/// Counts for each category with what is below it, from the counts of products that have it as their
/// own; categories with none are left out.
pub(super) fn roll_up(columns: &Columns, own: &[u32]) -> Vec<CategoryCount> {
    let mut before = Vec::with_capacity(own.len() + 1);
    before.push(0_u64);
    for (count, sum) in own.iter().zip(0..) {
        before.push(before[sum] + u64::from(*count));
    }
    let count = |place: u32| {
        let below = columns.tree.subtree(place);
        before[below.end as usize] - before[below.start as usize]
    };
    (0..own.len() as u32)
        .map(|place| (place, count(place)))
        .filter(|(_, count)| *count > 0)
        .filter_map(|(place, count)| {
            Some(CategoryCount { category_id: columns.tree.id(place)?, count })
        })
        .collect()
}

pub(super) struct Wanted<'c> {
    pub(super) columns: &'c Columns,
    pub(super) filter: &'c Filter,
    pub(super) request: &'c FacetRequest,
}

impl Wanted<'_> {
    pub(super) fn brands(&self, counts: &[u32]) -> Vec<ValueCount> {
        let values = found(counts).map(|(id, count)| (self.columns.brands.text(id), count));
        self.list(values.collect(), &self.filter.brands)
    }

    pub(super) fn tags(&self, counts: &[u32]) -> Vec<ValueCount> {
        let values = found(counts).map(|(id, count)| (self.columns.tag_names.text(id), count));
        self.list(values.collect(), &self.filter.tags)
    }

    /// Attributes of which nothing was counted and nothing chosen are left out.
    pub(super) fn attributes(&self, counts: &[u32]) -> BTreeMap<String, Vec<ValueCount>> {
        let wanted = |name: &str| match &self.request.attributes {
            AttributeFacets::None => false,
            AttributeFacets::All => true,
            AttributeFacets::Named(names) => names.contains(name),
        };
        let mut by_name: BTreeMap<&str, Vec<(&str, u32)>> = BTreeMap::new();
        for (id, count) in found(counts) {
            if let Some((attribute, value)) = self.columns.attribute_values.value(id) {
                let name = self.columns.attribute_names.text(*attribute);
                if wanted(name) {
                    by_name.entry(name).or_default().push((value, count));
                }
            }
        }
        for name in self.filter.attributes.keys().filter(|name| wanted(name)) {
            by_name.entry(name).or_default();
        }
        let nothing = BTreeSet::new();
        by_name
            .into_iter()
            .map(|(name, values)| {
                let chosen = self.filter.attributes.get(name).unwrap_or(&nothing);
                (name.to_owned(), self.list(values, chosen))
            })
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }

    /// The most frequent first, then by value: as many as are wanted, and behind them what was chosen and
    /// is not among those.
    fn list(&self, mut values: Vec<(&str, u32)>, chosen: &BTreeSet<String>) -> Vec<ValueCount> {
        let first = self.request.values_max.min(values.len());
        let mut behind: Vec<(&str, u32)> = Vec::new();
        if !chosen.is_empty() {
            let counted: BTreeMap<&str, u32> = values.iter().copied().collect();
            behind.extend(
                chosen.iter().map(|value| {
                    (value.as_str(), counted.get(value.as_str()).copied().unwrap_or(0))
                }),
            );
        }
        let by_rank = |a: &(&str, u32), b: &(&str, u32)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
        if first < values.len() && first > 0 {
            values.select_nth_unstable_by(first, by_rank);
        }
        values.truncate(first);
        values.sort_unstable_by(by_rank);
        behind.retain(|value| !values.contains(value));
        behind.sort_unstable_by(by_rank);
        values
            .into_iter()
            .chain(behind)
            .map(|(value, count)| ValueCount { value: value.to_owned(), count: u64::from(count) })
            .collect()
    }
}

/// Numbers of values that were counted at all.
fn found(counts: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    (0..).zip(counts.iter().copied()).filter(|(_, count)| *count > 0)
}
