//! What the index finds, against looking at everything.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;

fn index_of(vectors: &[Vec<f32>]) -> VectorIndex {
    let mut index = VectorIndex::new("m", vectors[0].len()).unwrap();
    for (id, vector) in (0..).zip(vectors) {
        index.insert(id, vector).unwrap();
    }
    index
}

/// Looks at everything, one by one, with the vectors as they are kept.
fn brute_force(index: &VectorIndex, query: &[f32], keep: impl Fn(u64) -> bool) -> Vec<Near> {
    let mut all: Vec<Near> = index
        .ids()
        .filter(|id| keep(*id))
        .filter_map(|id| {
            let vector = index.get(id).unwrap();
            let dot: f64 =
                vector.iter().zip(query).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let length = query.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            let similarity = (dot / length) as f32;
            vector.iter().any(|value| *value != 0.0).then_some(Near { id, similarity })
        })
        .collect();
    all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id)));
    all
}

fn vectors(dimensions: usize) -> impl Strategy<Value = Vec<Vec<f32>>> {
    let vector = prop::collection::vec(-1f32..1.0, dimensions);
    prop::collection::vec(vector, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn finds_what_looking_at_everything_finds(
        vectors in (1usize..70).prop_flat_map(vectors),
        count in 0usize..20,
        apart in 1u64..4,
    ) {
        let index = index_of(&vectors);
        let keep = |id: u64| id.is_multiple_of(apart);
        let query: Vec<f32> = vectors[0].iter().map(|v| v + 0.01).collect();
        let found = index.nearest(&query, count, keep).unwrap();
        let wanted = brute_force(&index, &query, keep);
        prop_assert_eq!(found.len(), wanted.len().min(count));
        for (found, wanted) in found.iter().zip(&wanted) {
            // The query is rounded too, by 2^-15 or so.
            prop_assert!((found.similarity - wanted.similarity).abs() < 1e-3);
            prop_assert!(keep(found.id));
        }
        let sorted = found.is_sorted_by(|a, b| {
            a.similarity > b.similarity || a.similarity == b.similarity && a.id < b.id
        });
        prop_assert!(sorted);
    }

    #[test]
    fn many_at_once_is_as_one_by_one(
        vectors in (1usize..40).prop_flat_map(vectors),
        count in 0usize..7,
    ) {
        let index = index_of(&vectors);
        let keep = |of: u64, other: u64| !(of + other).is_multiple_of(3);
        let mut seen = 0;
        let flow = index.all_nearest(count, keep, |id, near| {
            assert_eq!(id, seen);
            assert_eq!(near, index.nearest_to(id, count, |other| keep(id, other)));
            seen += 1;
            ControlFlow::<()>::Continue(())
        });
        prop_assert!(flow.is_continue());
        prop_assert_eq!(seen, vectors.len() as u64);
        let ids: Vec<u64> = (0..vectors.len() as u64 + 2).rev().collect();
        let each = index.nearest_to_each(&ids, count, keep);
        prop_assert!(each[0].is_empty() && each[1].is_empty(), "there are no such vectors");
        for (id, near) in ids.iter().zip(&each) {
            prop_assert_eq!(near, &index.nearest_to(*id, count, |other| keep(*id, other)));
        }
    }

    #[test]
    fn what_went_through_any_changes_is_as_if_built_at_once(
        changes in prop::collection::vec((0u64..12, prop::option::of(-1f32..1.0)), 1..80)
    ) {
        let mut index = VectorIndex::new("m", 2).unwrap();
        let mut model = std::collections::BTreeMap::new();
        for (id, change) in changes {
            match change {
                Some(value) => {
                    index.insert(id, &[value, 0.5]).unwrap();
                    model.insert(id, value);
                }
                None => prop_assert_eq!(index.remove(id), model.remove(&id).is_some()),
            }
        }
        let mut fresh = VectorIndex::new("m", 2).unwrap();
        for (id, value) in model.iter().rev() {
            fresh.insert(*id, &[*value, 0.5]).unwrap();
        }
        prop_assert_eq!(index.len(), model.len());
        for id in 0..12 {
            prop_assert_eq!(index.get(id), fresh.get(id));
            prop_assert_eq!(index.nearest_to(id, 5, |_| true), fresh.nearest_to(id, 5, |_| true));
        }
        let query = [0.3, 0.7];
        let nearest = index.nearest(&query, 20, |_| true).unwrap();
        prop_assert_eq!(nearest, fresh.nearest(&query, 20, |_| true).unwrap());
    }
}

/// Against exact arithmetic on the vectors as they came. Vectors of independent values are the
/// worst there is: all are nearly as far apart.
#[test]
fn most_of_what_is_truly_nearest_is_found() {
    let mut state = 1u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let vectors: Vec<Vec<f32>> = (0..2_000).map(|_| (0..128).map(|_| next()).collect()).collect();
    let index = index_of(&vectors);
    let mut found = 0;
    for query in vectors.iter().step_by(50) {
        let length = |v: &[f32]| v.iter().map(|v| v * v).sum::<f32>().sqrt();
        let cosine = |v: &[f32]| {
            v.iter().zip(query).map(|(a, b)| a * b).sum::<f32>() / length(v) / length(query)
        };
        let mut exact: Vec<(u64, f32)> =
            (0..).zip(&vectors).map(|(id, vector)| (id, cosine(vector))).collect();
        exact.sort_by(|a, b| b.1.total_cmp(&a.1));
        let near = index.nearest(query, 10, |_| true).unwrap();
        assert_eq!(near[0].id, exact[0].0, "a vector is nearest to itself");
        assert!((near[0].similarity - 1.0).abs() < 1e-4);
        found += near.iter().filter(|n| exact[..10].iter().any(|(id, _)| *id == n.id)).count();
    }
    assert!(found * 100 >= 40 * 10 * 97, "{found} of 400");
}

#[test]
fn equally_near_goes_by_id_and_a_vector_is_not_near_itself() {
    let mut index = VectorIndex::new("m", 2).unwrap();
    for id in [5, 3, 9, 1] {
        index.insert(id, &[0.6, 0.8]).unwrap();
    }
    let ids = |near: Vec<Near>| near.iter().map(|near| near.id).collect::<Vec<_>>();
    assert_eq!(ids(index.nearest(&[3.0, 4.0], 3, |_| true).unwrap()), [1, 3, 5]);
    assert_eq!(ids(index.nearest_to(3, 9, |_| true)), [1, 5, 9]);
    assert_eq!(ids(index.nearest_to(3, 9, |id| id > 4)), [5, 9]);
    assert_eq!(ids(index.nearest_to(4, 9, |_| true)), [0; 0]);
    assert_eq!(ids(index.nearest(&[3.0, 4.0], usize::MAX, |_| true).unwrap()), [1, 3, 5, 9]);
}

#[test]
fn nothing_is_near_a_vector_of_zeros() {
    let mut index = VectorIndex::new("m", 2).unwrap();
    index.insert(1, &[0.0, 0.0]).unwrap();
    index.insert(2, &[-1.0, 0.0]).unwrap();
    assert_eq!(index.nearest(&[0.0, 0.0], 5, |_| true).unwrap(), []);
    assert_eq!(index.nearest_to(1, 5, |_| true), []);
    assert_eq!(index.nearest_to(2, 5, |_| true), []);
    let opposite = [Near { id: 2, similarity: -1.0 }];
    assert_eq!(index.nearest(&[1.0, 0.0], 5, |_| true).unwrap(), opposite);
    assert_eq!(index.get(1), Some(vec![0.0, 0.0]));
    assert_eq!(index.len(), 2);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut index = VectorIndex::new("m", 2).unwrap();
    index.insert(1, &[1.0, 0.0]).unwrap();
    for wrong in [&[1.0][..], &[1.0, 2.0, 3.0], &[f32::NAN, 1.0], &[1.0, f32::INFINITY]] {
        assert!(index.insert(1, wrong).is_err(), "{wrong:?}");
        assert!(index.insert(2, wrong).is_err(), "{wrong:?}");
        assert!(index.nearest(wrong, 1, |_| true).is_err(), "{wrong:?}");
    }
    assert_eq!(index.get(1), Some(vec![1.0, 0.0]));
    assert_eq!(index.len(), 1);
    assert!(matches!(VectorIndex::new("m", 0), Err(IndexError::Unsupported(0))));
    assert!(VectorIndex::new("m", DIMENSIONS_MAX + 1).is_err());
}
