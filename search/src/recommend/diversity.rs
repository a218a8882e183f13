//! A page that is not ten times the same.

use std::collections::BTreeMap;

/// Chooses at most `k` of a list that is in order of preference: no more than `max` of a group while
/// others are left, then those that were held back. What has no group is held back by none. Returns
/// places in the list.
pub(super) fn at_most_of_a_group<G: Ord>(
    groups: impl IntoIterator<Item = Option<G>>,
    max: usize,
    k: usize,
) -> Vec<usize> {
    let mut taken: BTreeMap<G, usize> = BTreeMap::new();
    let (mut chosen, mut held_back) = (Vec::new(), Vec::new());
    for (place, group) in groups.into_iter().enumerate() {
        if chosen.len() == k {
            return chosen;
        }
        let full = group.is_some_and(|group| {
            let taken = taken.entry(group).or_default();
            *taken += 1;
            *taken > max
        });
        if full { held_back.push(place) } else { chosen.push(place) }
    }
    chosen.extend(held_back);
    chosen.truncate(k);
    chosen
}

/// Chooses at most `k` by maximal marginal relevance (Carbonell and Goldstein, 1998): each time
/// what has the greatest `lambda × score − (1 − lambda) × likeness to the likest chosen before`.
/// `scores` descend and are not negative; they are taken relative to the first. Returns places.
pub(super) fn maximal_marginal_relevance(
    scores: &[f32],
    likeness: impl Fn(usize, usize) -> f32,
    lambda: f32,
    k: usize,
) -> Vec<usize> {
    let greatest = scores.first().copied().filter(|score| *score > 0.0).unwrap_or(1.0);
    let mut left: Vec<(usize, f32)> = (0..scores.len()).map(|place| (place, 0.0)).collect();
    let mut chosen = Vec::new();
    while chosen.len() < k {
        let worth = |&(place, like): &(usize, f32)| {
            lambda * scores[place] / greatest - (1.0 - lambda) * like
        };
        let best = (left.iter().enumerate())
            .max_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)).then(b.0.cmp(&a.0)));
        let Some((at, _)) = best else { break };
        let (place, _) = left.swap_remove(at);
        chosen.push(place);
        for (other, like) in &mut left {
            *like = like.max(likeness(place, *other));
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn others_come_before_a_third_of_the_same() {
        let groups = [Some(1), Some(1), Some(1), None, Some(2), None, None];
        assert_eq!(at_most_of_a_group(groups, 2, 5), [0, 1, 3, 4, 5]);
        assert_eq!(at_most_of_a_group(groups, 2, 9), [0, 1, 3, 4, 5, 6, 2]);
    }

    #[test]
    fn likeness_costs_as_much_as_it_is_told_to() {
        let scores = [1.0, 0.9, 0.5];
        let twins = |a: usize, b: usize| if a.min(b) == 0 && a.max(b) == 1 { 1.0 } else { 0.0 };
        assert_eq!(maximal_marginal_relevance(&scores, twins, 1.0, 3), [0, 1, 2]);
        assert_eq!(maximal_marginal_relevance(&scores, twins, 0.5, 2), [0, 2]);
    }

    proptest! {
        #[test]
        fn a_page_is_full_and_says_nothing_twice(
            groups in prop::collection::vec(prop::option::of(0u8..4), 0..30), max in 0usize..4, k in 0usize..12
        ) {
            let wanted = k.min(groups.len());
            let scores: Vec<f32> = (0..groups.len()).map(|at| 1.0 / (at + 1) as f32).collect();
            let mmr = maximal_marginal_relevance(&scores, |a, b| f32::from(groups[a] == groups[b]), 0.5, k);
            for chosen in [at_most_of_a_group(groups.clone(), max, k), mmr] {
                prop_assert_eq!(chosen.len(), wanted);
                let distinct: std::collections::BTreeSet<_> = chosen.iter().collect();
                prop_assert_eq!(distinct.len(), wanted);
            }
        }
    }
}
