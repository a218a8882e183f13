//! Facets out of Meilisearch's counts by key.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::encoding::{is_hashed, pair_of, value_of};
use crate::{AttributeFacets, CategoryCount, FacetRequest, Facets, ValueCount};

/// Products by key.
pub(super) type Counts = BTreeMap<String, u64>;

/// Values that cannot be read from their keys and are looked up for one answer, at most.
const LOOKED_UP_MAX: usize = 100;

/// What was counted; where something was chosen in a facet, without that.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) categories: Counts,
    pub(super) brands: Counts,
    pub(super) tags: Counts,
    /// All attributes but those in which something was chosen.
    pub(super) pairs: Counts,
    /// For each attribute in which something was chosen, all pairs; only its own are of use.
    pub(super) chosen: BTreeMap<String, Counts>,
}

impl Counted {
    /// Keys whose values have to be looked up, with the field they are in.
    pub(super) fn hashed(&self) -> Vec<(&'static str, String)> {
        let of = |field: &'static str, counts: &Counts| {
            let hashed = counts.iter().filter(|(key, _)| is_hashed(key));
            hashed.map(|(key, count)| (Reverse(*count), field, key.clone())).collect::<Vec<_>>()
        };
        let mut all = of("brand_key", &self.brands);
        all.extend(of("tag_keys", &self.tags));
        all.extend(of("pairs", &self.pairs));
        all.extend(self.chosen.values().flat_map(|counts| of("pairs", counts)));
        all.sort_unstable();
        all.dedup_by(|a, b| a.2 == b.2);
        all.truncate(LOOKED_UP_MAX);
        all.into_iter().map(|(_, field, key)| (field, key)).collect()
    }

    /// The facets asked for. `known` has what hashed keys were made of, `places` the order of the
    /// categories.
    pub(super) fn into_facets(
        self,
        asked: &FacetRequest,
        known: &HashMap<String, Vec<String>>,
        places: &HashMap<String, usize>,
    ) -> Facets {
        let max = asked.values_max;
        let value = |key: &String| {
            value_of(key).or_else(|| known.get(key).and_then(|made_of| made_of.first().cloned()))
        };
        let plain = |counts: &Counts| {
            let counts = counts.iter().filter_map(|(key, count)| Some((value(key)?, *count)));
            most_frequent(counts.collect(), max)
        };
        let mut by_name = BTreeMap::<String, Vec<(String, u64)>>::new();
        let mut add = |counts: &Counts, wanted: &dyn Fn(&str) -> bool| {
            for (key, count) in counts {
                let pair = pair_of(key).or_else(|| match known.get(key).map(Vec::as_slice) {
                    Some([name, value]) => Some((name.clone(), value.clone())),
                    _ => None,
                });
                if let Some((name, value)) = pair
                    && wanted(&name)
                {
                    by_name.entry(name).or_default().push((value, *count));
                }
            }
        };
        let is_asked = |name: &str| match &asked.attributes {
            AttributeFacets::None => false,
            AttributeFacets::All => true,
            AttributeFacets::Named(names) => names.contains(name),
        };
        add(&self.pairs, &|name| is_asked(name) && !self.chosen.contains_key(name));
        for (chosen, counts) in &self.chosen {
            add(counts, &|name| name == chosen && is_asked(name));
        }
        let attributes =
            by_name.into_iter().map(|(name, values)| (name, most_frequent(values, max)));
        Facets {
            category: categories(&self.categories, places),
            brand: plain(&self.brands),
            tags: plain(&self.tags),
            attributes: attributes.collect(),
        }
    }
}

fn most_frequent(counts: Vec<(String, u64)>, max: usize) -> Vec<ValueCount> {
    let mut values: Vec<ValueCount> =
        counts.into_iter().map(|(value, count)| ValueCount { value, count }).collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(max);
    values
}

/// In the order of the tree; those it does not have, which are about to go or to come, are left out.
fn categories(counts: &Counts, places: &HashMap<String, usize>) -> Vec<CategoryCount> {
    let mut placed: Vec<(usize, CategoryCount)> = counts
        .iter()
        .filter_map(|(id, count)| {
            let category_id = Uuid::parse_str(id).ok()?.into();
            Some((*places.get(id)?, CategoryCount { category_id, count: *count }))
        })
        .collect();
    placed.sort_unstable_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, counted)| counted).collect()
}
