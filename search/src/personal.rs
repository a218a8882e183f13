//! Moves hits a little towards what a customer is used to buying.

use std::collections::HashMap;

use domain::{CategoryId, ProductId};

use crate::{Hit, PersonalScore, Shelf};

/// How far personal re-ranking goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalRanking {
    /// Hits from the first on that take part; what is behind stays where it is.
    pub first: usize,
    /// Places that a hit moves at most, up or down.
    pub places_max: usize,
}

impl Default for PersonalRanking {
    fn default() -> Self {
        Self { first: 100, places_max: 5 }
    }
}

/// Sorts the first hits by `rank - places_max × affinity`, what is equal in the order it had: a hit is
/// passed by one behind it only if that is nearer than `places_max` places, so nobody moves further.
///
/// `hits` begin at the first of all. An affinity is 0 to 1; anything else counts as the nearer of the
/// two, and what is no number as 0. With `explain` each hit that took part says what it did.
pub fn rerank(
    hits: &mut [Hit],
    affinity: impl Fn(ProductId) -> f32,
    ranking: PersonalRanking,
    explain: bool,
) {
    let first = ranking.first.min(hits.len());
    let (taking_part, _) = hits.split_at_mut(first);
    let likings: Vec<f32> = taking_part
        .iter()
        .map(|hit| affinity(hit.product_id))
        .map(|liking| if liking.is_nan() { 0.0 } else { liking.clamp(0.0, 1.0) })
        .collect();
    if likings.iter().all(|liking| *liking == 0.0) && !explain {
        return;
    }
    let mut order: Vec<usize> = (0..first).collect();
    let key = |rank: usize| rank as f64 - ranking.places_max as f64 * f64::from(likings[rank]);
    order.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
    let mut before: Vec<Option<Hit>> =
        taking_part.iter_mut().map(|hit| Some(std::mem::replace(hit, NOBODY))).collect();
    for (place, (rank, hit)) in order.into_iter().zip(taking_part).enumerate() {
        if let Some(moved) = before[rank].take() {
            *hit = moved;
        }
        if explain {
            hit.explanation.get_or_insert_default().personal =
                Some(PersonalScore { affinity: likings[rank], moved: rank as i32 - place as i32 });
        }
    }
}

const NOBODY: Hit = Hit { product_id: ProductId::new(uuid::Uuid::nil()), explanation: None };

/// How much a customer likes a product's category, by what they bought, each with its weight: less the
/// longer ago it was.
///
/// A product's affinity is the share of all weight that was in its category or below. What was bought
/// elsewhere counts half for each level that one has to go up from the product's category before it is
/// below: of someone who bought nothing but running shoes, running shoes have 1, hiking shoes ½, shirts
/// ¼ (shoes and clothes lying in one root), and books 0. Products no longer for sale or without a
/// category tell nothing.
pub fn category_affinity(
    bought: &[(ProductId, f32)],
    shelf: &Shelf,
) -> impl Fn(ProductId) -> f32 + Send + Sync + 'static {
    let mut weights: HashMap<CategoryId, f32> = HashMap::new();
    let mut all = 0.0;
    for (product_id, weight) in
        bought.iter().filter(|(_, weight)| weight.is_finite() && *weight > 0.0)
    {
        let path = shelf.categories_of(*product_id);
        if !path.is_empty() {
            all += weight;
        }
        for category in path {
            *weights.entry(category).or_default() += weight;
        }
    }
    let shelf = shelf.clone();
    move |product_id| {
        if weights.is_empty() {
            return 0.0;
        }
        let mut affinity = 0.0;
        let (mut below, mut part) = (0.0, 1.0);
        for category in shelf.categories_of(product_id).iter().rev() {
            let within = weights.get(category).copied().unwrap_or(0.0);
            affinity += part * (within - below) / all;
            below = within;
            part /= 2.0;
        }
        affinity.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::shelf::tests::{categories, category_id, document};

    fn product(number: usize) -> ProductId {
        ProductId::new(Uuid::from_u128(number as u128))
    }

    fn hits(count: usize) -> Vec<Hit> {
        (0..count).map(|at| Hit { product_id: product(at), explanation: None }).collect()
    }

    fn rank(hit: &Hit) -> usize {
        hit.product_id.uuid().as_u128() as usize
    }

    #[test]
    fn what_is_liked_moves_up_and_says_so() {
        let mut hits = hits(6);
        let ranking = PersonalRanking { first: 5, places_max: 2 };
        let likes = |id: ProductId| f32::from(u8::from(id == product(3) || id == product(5)));
        rerank(&mut hits, likes, ranking, true);
        assert_eq!(hits.iter().map(rank).collect::<Vec<_>>(), [0, 1, 3, 2, 4, 5]);
        let personal = |at: usize| hits[at].explanation.as_ref().and_then(|why| why.personal);
        assert_eq!(personal(2), Some(PersonalScore { affinity: 1.0, moved: 1 }));
        assert_eq!(personal(3), Some(PersonalScore { affinity: 0.0, moved: -1 }));
        assert_eq!(personal(5), None);
    }

    #[test]
    fn affinity_halves_with_each_level_up() {
        // 0 ─ 1 ─ 2, 0 ─ 1 ─ 3, 0 ─ 4; 5 apart.
        let tree = categories(&[
            (0, None),
            (1, Some(0)),
            (2, Some(1)),
            (3, Some(1)),
            (4, Some(0)),
            (5, None),
        ]);
        let documents: Vec<_> = (0..6).map(|at| document(at, &[at as u128])).collect();
        let shelf = Shelf::default();
        shelf.replace(&documents, &tree);
        assert_eq!(shelf.categories_of(documents[2].product_id), [0, 1, 2].map(category_id));
        let of = |bought: &[(usize, f32)]| {
            let bought: Vec<_> =
                bought.iter().map(|(at, weight)| (documents[*at].product_id, *weight)).collect();
            let affinity = category_affinity(&bought, &shelf);
            documents.iter().map(|document| affinity(document.product_id)).collect::<Vec<f32>>()
        };
        assert_eq!(of(&[(2, 0.5)]), [1.0, 1.0, 1.0, 0.5, 0.5, 0.0]);
        assert_eq!(of(&[(2, 3.0), (5, 1.0)]), [0.75, 0.75, 0.75, 0.375, 0.375, 0.25]);
        assert_eq!(of(&[(4, 2.0)]), [1.0, 0.5, 0.25, 0.25, 1.0, 0.0]);
        assert_eq!(of(&[]), [0.0; 6]);
    }

    proptest! {
        #[test]
        fn nobody_moves_further_than_allowed(
            likings in prop::collection::vec(prop_oneof![0.0_f32..1.0, Just(f32::NAN), Just(9.0), Just(-1.0)], 0..60),
            first in 0_usize..80,
            places_max in 0_usize..20,
        ) {
            let mut hits = hits(likings.len());
            let ranking = PersonalRanking { first, places_max };
            rerank(&mut hits, |id| likings[id.uuid().as_u128() as usize], ranking, true);
            let mut seen: Vec<usize> = hits.iter().map(rank).collect();
            for (place, before) in seen.iter().enumerate() {
                prop_assert!(place.abs_diff(*before) <= places_max);
                prop_assert!(place < first || place == *before);
                let personal = hits[place].explanation.as_ref().and_then(|why| why.personal);
                prop_assert_eq!(personal.map(|it| it.moved), (place < first).then(|| *before as i32 - place as i32));
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..likings.len()).collect::<Vec<_>>());
        }
    }
}
