//! Answers a question from what matched its text and from the shelf.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::fusion::{Fused, fuse};
use crate::shelf::{Columns, Counter, Place, Places, TopK};
use crate::{Explanation, Findings, Hit, Order, Question, SemanticScore, TextScore};

/// The number of a product's document, and how well it matches the text.
pub(crate) type Scored = (i64, f32);

/// Matches whose slots are looked up together: the processor then waits for many at once.
const TOGETHER: usize = 256;

/// What matched and passes the filter.
#[derive(Debug, Default)]
struct Found {
    /// With scores, in the order they came in; kept only where ranks have to be worked out.
    by_text: Vec<(u32, f32)>,
    /// The nearest first.
    near: Vec<(u32, f32)>,
}

/// `matches` is what the text matches, each once, in any order; `None` if there is no text. Numbers
/// that the shelf does not know are left out, and so are unknown neighbours.
pub(crate) fn answer(
    columns: &Columns,
    question: &Question,
    matches: Option<&[Scored]>,
) -> Findings {
    let mut counter = Counter::new(columns, question);
    let places = Places::new(columns, question.order);
    let wanted =
        if question.limit == 0 { 0 } else { question.offset.saturating_add(question.limit) };
    let mut top = TopK::new(wanted, |a: &Place, b: &Place| places.compare(a, b));
    let mut found = Found::default();

    let by_relevance = question.order == Order::Relevance;
    let fused = matches.is_some()
        && by_relevance
        && !question.neighbours.is_empty()
        && !question.fusion.only_behind;
    let neighbours = match matches {
        Some(_) => neighbours(columns, question),
        // All products are found as it is.
        None => Vec::new(),
    };
    let mut only_near = Slots::of(neighbours.iter().map(|(slot, _)| *slot));
    match matches {
        None => {
            for slot in columns.slots() {
                if counter.take(slot) {
                    top.push(places.by_product(slot, || counter.price(slot)));
                }
            }
        }
        Some(matches) => {
            let mut slots = Vec::with_capacity(TOGETHER);
            let mut passing = Vec::with_capacity(TOGETHER);
            let open = counter.is_open();
            let mut near = columns.near();
            for matches in matches.chunks(TOGETHER) {
                slots.clear();
                let numbers = matches.iter().map(|(number, _)| *number);
                near.find(numbers, &mut slots);
                if open {
                    passing.clear();
                    passing.extend(slots.iter().flatten().copied());
                    counter.count(&passing);
                }
                for (slot, (_, score)) in slots.iter().zip(matches) {
                    let Some(slot) = *slot else { continue };
                    only_near.take_out(slot);
                    if !open && !counter.take(slot) {
                        continue;
                    }
                    if by_relevance {
                        let behind = |worst: &Place| Places::is_behind(*score, worst);
                        if !top.worst().is_some_and(behind) {
                            top.push(places.by_score(slot, *score));
                        }
                    } else {
                        top.push(places.by_product(slot, || counter.price(slot)));
                    }
                    if fused || question.explain {
                        found.by_text.push((slot, *score));
                    }
                }
            }
        }
    }
    for (slot, similarity) in neighbours {
        if !only_near.has(slot) {
            if counter.passes(slot) {
                found.near.push((slot, similarity));
            }
        } else if counter.take(slot) {
            top.push(if by_relevance {
                places.behind(slot, found.near.len())
            } else {
                places.by_product(slot, || counter.price(slot))
            });
            found.near.push((slot, similarity));
        }
    }

    let hits: Vec<_> = if fused {
        found.fuse(columns, question, &places, wanted)
    } else {
        let hits = top.finish().into_iter();
        hits.map(|place| Fused { key: place.slot, text_rank: None, near: None, score: None })
            .collect()
    };
    let hits = found.page(columns, question, hits);
    let counted = counter.finish();
    Findings {
        hits,
        total: counted.total,
        facets: counted.facets,
        buckets: counted.buckets,
        corrected: None,
    }
}

impl Found {
    /// The hits of the page, explained if that is wanted.
    fn page(&self, columns: &Columns, question: &Question, hits: Vec<Fused<u32>>) -> Vec<Hit> {
        let page: Vec<_> = hits.into_iter().skip(question.offset).collect();
        let scores = if question.explain {
            self.scores(columns, page.iter().map(|hit| hit.key))
        } else {
            FxHashMap::default()
        };
        let hit = |hit: &Fused<u32>| Hit {
            product_id: columns.product_at(hit.key),
            explanation: question.explain.then(|| self.explain(hit, scores.get(&hit.key))),
        };
        page.iter().map(hit).collect()
    }

    fn fuse(
        &self,
        columns: &Columns,
        question: &Question,
        places: &Places<'_>,
        wanted: usize,
    ) -> Vec<Fused<u32>> {
        let mut ranked: Vec<Place> =
            self.by_text.iter().map(|(slot, score)| places.by_score(*slot, *score)).collect();
        ranked.sort_unstable_by(|a, b| places.compare(a, b));
        // Numbers, so that what is equal goes newest first.
        let key = |slot: u32| (columns.number_at(slot), slot);
        let text: Vec<(i64, u32)> = ranked.iter().map(|place| key(place.slot)).collect();
        let near: Vec<((i64, u32), f32)> =
            self.near.iter().map(|(slot, similarity)| (key(*slot), *similarity)).collect();
        let fused = fuse(&text, &near, &question.fusion, wanted).into_iter();
        fused
            .map(|Fused { key: (_, slot), text_rank, near, score }| Fused {
                key: slot,
                text_rank,
                near,
                score,
            })
            .collect()
    }

    /// Rank and score of some products, as far as they match the text. Ranks are counted in one pass,
    /// which is cheaper than sorting for the few hits of a page.
    fn scores(
        &self,
        columns: &Columns,
        wanted: impl Iterator<Item = u32> + Clone,
    ) -> FxHashMap<u32, (usize, f32)> {
        let wanted = Slots::of(wanted);
        let of = self.by_text.iter().filter(|(slot, _)| wanted.has(*slot));
        let key = |(slot, score): &(u32, f32)| (*score, columns.number_at(*slot));
        let better = |a: (f32, i64), b: (f32, i64)| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1));
        let mut of: Vec<(u32, f32)> = of.copied().collect();
        of.sort_unstable_by(|a, b| better(key(a), key(b)));
        // For each, how many come between it and the one before.
        let mut between = vec![0; of.len() + 1];
        for other in &self.by_text {
            let other = key(other);
            between[of.partition_point(|one| better(key(one), other).is_le())] += 1;
        }
        let mut before = 0;
        let ranked = of.iter().zip(between).map(|((slot, score), between)| {
            before += between;
            (*slot, (before + 1, *score))
        });
        ranked.collect()
    }

    fn explain(&self, hit: &Fused<u32>, score: Option<&(usize, f32)>) -> Explanation {
        let text = score.map(|(rank, score)| TextScore {
            rank: *rank,
            score: *score,
            matched: Default::default(),
        });
        let near = self.near.iter().zip(1..).find(|((of, _), _)| *of == hit.key);
        let semantic =
            near.map(|((_, similarity), rank)| SemanticScore { rank, similarity: *similarity });
        Explanation { text, semantic, fused: hit.score, personal: None }
    }
}

/// Slots of the neighbours that are for sale, each once, the nearest first.
fn neighbours(columns: &Columns, question: &Question) -> Vec<(u32, f32)> {
    let mut seen = FxHashSet::default();
    let known = question.neighbours.iter().filter_map(|neighbour| {
        let slot = columns.slot_of_product(neighbour.product_id)?;
        seen.insert(slot).then_some((slot, neighbour.similarity))
    });
    known.collect()
}

/// A set of slots, to be asked for each of many matches.
struct Slots(Vec<u64>);

impl Slots {
    fn of(members: impl Iterator<Item = u32> + Clone) -> Self {
        let bound = members.clone().map(|slot| slot as usize + 1).max().unwrap_or(0);
        let mut words = vec![0; bound.div_ceil(64)];
        for slot in members {
            words[slot as usize / 64] |= 1 << (slot % 64);
        }
        Self(words)
    }

    fn take_out(&mut self, slot: u32) {
        if let Some(word) = self.0.get_mut(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    fn has(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }
}
