//! Makes one ranked list of what was found by words and of what is near in meaning.

use std::cmp::Reverse;
use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::{Explanation, Fusion, SemanticScore};

/// A hit of the fused list, and where it stood in the two it was made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused<K> {
    pub key: K,
    /// From 1.
    pub text_rank: Option<usize>,
    pub near: Option<SemanticScore>,
    /// The fused score, if the lists were fused by it.
    pub score: Option<f32>,
}

impl<K> Fused<K> {
    /// What the fusion knows of why the hit is where it is; the text's score is the engine's to add.
    #[must_use]
    pub fn explanation(&self) -> Explanation {
        Explanation { semantic: self.near, fused: self.score, ..Explanation::default() }
    }
}

/// The first `wanted` of the union of two ranked lists, both the best first and without repetitions:
/// what was found by text, and neighbours with their similarity.
///
/// The lists are fused by rank ([`Fusion`]); what has the same score goes with the greater key first,
/// which for numbers and for time-ordered ids is the newest. With `only_behind` the text list stays as
/// it is, and neighbours that are not on it follow.
#[must_use]
pub fn fuse<K: Copy + Eq + Hash + Ord>(
    text: &[K],
    near: &[(K, f32)],
    fusion: &Fusion,
    wanted: usize,
) -> Vec<Fused<K>> {
    let mut neighbours: FxHashMap<K, SemanticScore> = (near.iter().zip(1..))
        .map(|((key, similarity), rank)| (*key, SemanticScore { rank, similarity: *similarity }))
        .collect();
    let mut fused: Vec<Fused<K>> = Vec::with_capacity(wanted.min(text.len()) + near.len());
    for (key, rank) in text.iter().zip(1..) {
        let near = neighbours.remove(key);
        // What is only on the text list cannot come before what is better on it.
        if near.is_some() || rank <= wanted || fusion.text_weight <= 0.0 {
            fused.push(Fused { key: *key, text_rank: Some(rank), near, score: None });
        }
    }
    // What was found by both has been taken out.
    let only_near = near.iter().filter_map(|(key, _)| {
        let near = neighbours.get(key)?;
        Some(Fused { key: *key, text_rank: None, near: Some(*near), score: None })
    });
    fused.extend(only_near);
    if !fusion.only_behind {
        for hit in &mut fused {
            hit.score = Some(score(hit, fusion));
        }
        fused.sort_unstable_by(|a, b| {
            let [left, right] = [a, b].map(|hit| hit.score.unwrap_or(0.0));
            right.total_cmp(&left).then_with(|| Reverse(a.key).cmp(&Reverse(b.key)))
        });
    }
    fused.truncate(wanted);
    fused
}

fn score<K>(hit: &Fused<K>, fusion: &Fusion) -> f32 {
    let part = |weight: f32, rank: Option<usize>| {
        rank.map_or(0.0, |rank| weight / (fusion.k + rank as f32))
    };
    part(fusion.text_weight, hit.text_rank)
        + part(fusion.semantic_weight, hit.near.map(|near| near.rank))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn keys(fused: &[Fused<u32>]) -> Vec<u32> {
        fused.iter().map(|hit| hit.key).collect()
    }

    #[test]
    fn what_is_on_both_lists_rises() {
        let fusion = Fusion { only_behind: false, ..Fusion::default() };
        let fused = fuse(&[1, 2, 3, 4], &[(4, 0.9), (9, 0.8)], &fusion, 10);
        // 4: 1/64 + 0.5/61; 1: 1/61; 9: 0.5/62.
        assert_eq!(keys(&fused), [4, 1, 2, 3, 9]);
        assert_eq!(fused[0].text_rank, Some(4));
        assert_eq!(fused[0].near, Some(SemanticScore { rank: 1, similarity: 0.9 }));
        assert!((fused[0].score.unwrap() - (1.0 / 64.0 + 0.5 / 61.0)).abs() < 1e-7);
        assert_eq!(fused[4].text_rank, None);
    }

    #[test]
    fn what_is_only_near_goes_behind_and_leaves_the_text_list_alone() {
        let fused = fuse(&[1, 2, 3], &[(3, 0.9), (9, 0.8), (8, 0.7)], &Fusion::default(), 10);
        assert_eq!(keys(&fused), [1, 2, 3, 9, 8]);
        assert_eq!(fused[2].near.map(|near| near.rank), Some(1));
        assert!(fused.iter().all(|hit| hit.score.is_none()));
    }

    #[test]
    fn equals_go_newest_first() {
        let even = Fusion { only_behind: false, semantic_weight: 1.0, ..Fusion::default() };
        assert_eq!(keys(&fuse(&[1], &[(2, 0.5)], &even, 2)), [2, 1]);
        assert_eq!(keys(&fuse(&[2], &[(1, 0.5)], &even, 2)), [2, 1]);
    }

    proptest! {
        /// Leaving out what cannot be wanted changes nothing, whatever the weights are.
        #[test]
        fn a_shorter_answer_is_the_beginning_of_the_whole(
            text in Just((0..40_u32).collect::<Vec<_>>()).prop_shuffle(),
            near in prop::sample::subsequence((20..60_u32).collect::<Vec<_>>(), 0..20).prop_shuffle(),
            (text_weight, semantic_weight) in (0.1_f32..2.0, 0.0_f32..2.0),
            (only_behind, wanted) in (any::<bool>(), 0_usize..80),
        ) {
            let fusion = Fusion { k: 60.0, text_weight, semantic_weight, only_behind };
            let near: Vec<(u32, f32)> = near.into_iter().map(|key| (key, 0.5)).collect();
            let whole = fuse(&text, &near, &fusion, usize::MAX);
            let short = fuse(&text, &near, &fusion, wanted);
            prop_assert_eq!(&short[..], &whole[..wanted.min(whole.len())]);
            let union: BTreeSet<u32> =
                text.iter().copied().chain(near.iter().map(|(key, _)| *key)).collect();
            prop_assert_eq!(whole.len(), union.len());
            prop_assert_eq!(keys(&whole).into_iter().collect::<BTreeSet<_>>(), union);
        }
    }
}
