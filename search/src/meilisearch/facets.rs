//! Facets out of Meilisearch's counts by key.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::encoding::{is_hashed, pair_of, value_of};
use crate::{AttributeFacets, CategoryCount, FacetRequest, Facets, Filter, ValueCount};

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

    /// The facets asked for; what is chosen is always listed. `known` has what hashed keys were made of, `places` the order of the
    /// categories.
    pub(super) fn into_facets(
        self,
        asked: &FacetRequest,
        filter: &Filter,
        known: &HashMap<String, Vec<String>>,
        places: &HashMap<String, usize>,
    ) -> Facets {
        let max = asked.values_max;
        let value = |key: &String| {
            value_of(key).or_else(|| known.get(key).and_then(|made_of| made_of.first().cloned()))
        };
        let plain = |is_asked: bool, counts: &Counts, chosen: &BTreeSet<String>| {
            let counts = counts.iter().filter_map(|(key, count)| Some((value(key)?, *count)));
            if is_asked { most_frequent(counts.collect(), chosen, max) } else { Vec::new() }
        };
        let is_asked = |name: &str| match &asked.attributes {
            AttributeFacets::None => false,
            AttributeFacets::All => true,
            AttributeFacets::Named(names) => names.contains(name),
        };
        let mut by_name = BTreeMap::<String, Vec<(String, u64)>>::new();
        for name in filter.attributes.keys().filter(|name| is_asked(name)) {
            by_name.insert(name.clone(), Vec::new());
        }
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
        add(&self.pairs, &|name| is_asked(name) && !self.chosen.contains_key(name));
        for (chosen, counts) in &self.chosen {
            add(counts, &|name| name == chosen && is_asked(name));
        }
        let nothing = BTreeSet::new();
        let attributes = by_name.into_iter().map(|(name, values)| {
            let chosen = filter.attributes.get(&name).unwrap_or(&nothing);
            let values = most_frequent(values, chosen, max);
            (name, values)
        });
        Facets {
            category: categories(&self.categories, places),
            brand: plain(asked.brand, &self.brands, &filter.brands),
            tags: plain(asked.tags, &self.tags, &filter.tags),
            attributes: attributes.filter(|(_, values)| !values.is_empty()).collect(),
        }
    }
}

fn most_frequent(
    counts: Vec<(String, u64)>,
    chosen: &BTreeSet<String>,
    max: usize,
) -> Vec<ValueCount> {
    let mut missing = chosen.clone();
    for (value, _) in &counts {
        missing.remove(value);
    }
    let counts = counts.into_iter().chain(missing.into_iter().map(|value| (value, 0)));
    let mut values: Vec<ValueCount> =
        counts.map(|(value, count)| ValueCount { value, count }).collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    let mut place = 0;
    values.retain(|counted| {
        place += 1;
        place <= max || chosen.contains(&counted.value)
    });
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
