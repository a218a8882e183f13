//! The hits of an answer: a page of what matches the text, and of what is only near, in the order that
//! was asked for.

use std::collections::{BTreeSet, HashMap};

use domain::ProductId;

use super::answer::{Asked, Batch, Source, id_of, ids};
use super::filter::Without;
use super::query::{self, Answer, Query, Row};
use super::{explain, merge};
use crate::fusion::{Fused, fuse};
use crate::{Explanation, Hit, Neighbour, Order, Question, SearchError, SemanticScore};

/// So many hits of a text are fused with neighbours; the others follow as they are.
const FUSED_MAX: usize = 1_000;
/// All that is fetched of those.
const FUSED_FIELDS: &[&str] = &["id", "number"];

/// Where in a batch the rows are that hits are made of.
pub(super) struct Wanted {
    rows: Option<usize>,
    /// Which of all rows is the first.
    start: usize,
    /// Neighbours that pass, in no order.
    near: Option<usize>,
    /// Neighbours that pass and do not match the text, in the question's order.
    sorted_near: Option<usize>,
}

impl Asked<'_> {
    fn is_relevance(&self) -> bool {
        self.question.order == Order::Relevance
    }

    fn is_fused(&self) -> bool {
        self.is_relevance() && !self.near.is_empty() && !self.question.fusion.only_behind
    }

    fn rows(&self, window: (usize, usize), filter: Vec<String>, fields: &[&'static str]) -> Query {
        let by_relevance = self.is_relevance() && self.text().is_some();
        Query::hits(self.index(), self.text(), filter, window, Some(fields.to_vec()))
            .sorted(query::sorting(self.question, by_relevance))
    }

    /// Rows of a page, with what explains them if that is wanted.
    fn page_rows(&self, window: (usize, usize), filter: Vec<String>) -> Query {
        let query = self.rows(window, filter, merge::FIELDS);
        if self.explains_text() { query.explained() } else { query }
    }

    fn explains_text(&self) -> bool {
        self.question.explain && self.text().is_some()
    }

    pub(super) fn want_hits(&self, batch: &mut Batch) -> Wanted {
        let Question { offset, limit, .. } = *self.question;
        let mut wanted = Wanted { rows: None, start: offset, near: None, sorted_near: None };
        if limit == 0 {
            return wanted;
        }
        let filter = || self.filter(Without::Nothing);
        let near = |among: Vec<ProductId>| {
            let mut filter = filter();
            filter.push(ids(among.into_iter()));
            let window = (0, self.near.len());
            Query::hits(self.index(), None, filter, window, Some(merge::FIELDS.to_vec()))
        };
        let mut window = (offset, limit);
        if self.is_fused() {
            window = (0, FUSED_MAX);
        } else if !self.is_relevance() && !self.only_near.is_empty() {
            let start = offset.saturating_sub(self.only_near.len());
            window = (start, limit.saturating_add(offset - start));
            let sort = query::sorting(self.question, false);
            wanted.sorted_near = Some(batch.push(near(self.only_near.clone()).sorted(sort)));
        }
        wanted.start = window.0;
        if !matches!(self.source, Source::Nothing) {
            // What is fused is explained when it is known what of it is on the page.
            let rows = match self.is_fused() {
                true => self.rows(window, filter(), FUSED_FIELDS),
                false => self.page_rows(window, filter()),
            };
            wanted.rows = Some(batch.push(rows));
        }
        if !self.near.is_empty() && (self.is_relevance() || self.question.explain) {
            let all = self.near.iter().map(|near| near.product_id).collect();
            wanted.near = Some(batch.push(near(all)));
        }
        wanted
    }

    pub(super) async fn hits(
        &self,
        wanted: Wanted,
        text_total: u64,
        answers: &mut [Answer],
    ) -> Result<Vec<Hit>, SearchError> {
        let Question { offset, limit, .. } = *self.question;
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut take = |place: Option<usize>| {
            let answer = place.and_then(|place| answers.get_mut(place));
            answer.map(|answer| std::mem::take(&mut answer.hits)).unwrap_or_default()
        };
        let rows = take(wanted.rows);
        let passing = take(wanted.near);
        let passing: HashMap<ProductId, i64> =
            passing.iter().filter_map(key_of).map(|(n, id)| (id, n)).collect();
        // In the neighbours' order, ranked among those that pass.
        let near = self.near.iter().filter(|near| passing.contains_key(&near.product_id));
        let near: Vec<Neighbour> = near.copied().collect();
        let semantic: HashMap<ProductId, SemanticScore> = (near.iter().zip(1..))
            .map(|(near, rank)| {
                (near.product_id, SemanticScore { rank, similarity: near.similarity })
            })
            .collect();

        if self.is_fused() {
            return self.fused_hits(&rows, &near, &passing, text_total).await;
        }
        if !self.is_relevance() {
            let page = merge::page(self.question, wanted.start, rows, take(wanted.sorted_near));
            let hit = |row: &Row| {
                let product_id = id_of(row)?;
                Some(self.hit(product_id, || Explanation {
                    semantic: semantic.get(&product_id).copied(),
                    ..Explanation::default()
                }))
            };
            return Ok(page.iter().filter_map(hit).take(limit).collect());
        }
        let mut hits = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let Some(product_id) = id_of(row) else { continue };
            hits.push(self.hit(product_id, || Explanation {
                text: self.text().map(|_| explain::text_score(row, wanted.start + index + 1)),
                semantic: semantic.get(&product_id).copied(),
                ..Explanation::default()
            }));
        }
        // What is only near begins where the text's hits end.
        let text_total = usize::try_from(text_total).unwrap_or(usize::MAX);
        let behind: BTreeSet<ProductId> = self.only_near.iter().copied().collect();
        let behind = near.iter().filter(|near| behind.contains(&near.product_id));
        let left = limit.saturating_sub(hits.len());
        let ends_here = offset.saturating_add(hits.len()) >= text_total;
        for near in
            behind.skip(offset.saturating_sub(text_total)).take(if ends_here { left } else { 0 })
        {
            hits.push(self.hit(near.product_id, || Explanation {
                semantic: semantic.get(&near.product_id).copied(),
                ..Explanation::default()
            }));
        }
        Ok(hits)
    }

    async fn fused_hits(
        &self,
        rows: &[Row],
        near: &[Neighbour],
        passing: &HashMap<ProductId, i64>,
        text_total: u64,
    ) -> Result<Vec<Hit>, SearchError> {
        let Question { offset, limit, .. } = *self.question;
        let text: Vec<(i64, ProductId)> = rows.iter().filter_map(key_of).collect();
        let near: Vec<((i64, ProductId), f32)> = near
            .iter()
            .map(|near| ((passing[&near.product_id], near.product_id), near.similarity))
            .collect();
        let fused = fuse(&text, &near, &self.question.fusion, usize::MAX);
        let page: Vec<&Fused<_>> = fused.iter().skip(offset).take(limit).collect();
        let mut batch = Batch::default();
        let of_text = page.iter().filter(|hit| hit.text_rank.is_some()).map(|hit| hit.key.1);
        let of_text: Vec<ProductId> = of_text.collect();
        let explained = (self.explains_text() && !of_text.is_empty()).then(|| {
            let window = (0, of_text.len());
            let filter = vec![self.engine.products.clone(), ids(of_text.iter().copied())];
            batch.push(self.page_rows(window, filter))
        });
        let left = limit - page.len();
        let is_tail =
            left > 0 && text_total > FUSED_MAX as u64 && !matches!(self.source, Source::Nothing);
        // Behind what is fused, the text's other hits as they are; neighbours among them are fused.
        let is_near: BTreeSet<ProductId> = passing.keys().copied().collect();
        let seen = text.iter().filter(|(_, product_id)| !is_near.contains(product_id)).count();
        let start = offset.saturating_sub(fused.len()).saturating_add(seen);
        let tail = is_tail.then(|| {
            let mut filter = self.filter(Without::Nothing);
            if !is_near.is_empty() {
                filter.push(format!("NOT {}", ids(is_near.into_iter())));
            }
            batch.push(self.page_rows((start, left), filter))
        });
        let answers = if batch.0.is_empty() { Vec::new() } else { self.ask(batch).await? };
        let rows_of = |place: Option<usize>| {
            let answer = place.and_then(|place| answers.get(place));
            answer.map(|answer| &answer.hits[..]).unwrap_or_default()
        };
        let explained: HashMap<ProductId, &Row> =
            rows_of(explained).iter().filter_map(|row| Some((id_of(row)?, row))).collect();
        let hit = |fused: &&Fused<(i64, ProductId)>| {
            self.hit(fused.key.1, || Explanation {
                text: explained
                    .get(&fused.key.1)
                    .zip(fused.text_rank)
                    .map(|(row, rank)| explain::text_score(row, rank)),
                ..fused.explanation()
            })
        };
        let mut hits: Vec<Hit> = page.iter().map(hit).collect();
        for (index, row) in rows_of(tail).iter().enumerate() {
            let Some(product_id) = id_of(row) else { continue };
            hits.push(self.hit(product_id, || Explanation {
                // Neighbours before it are not counted, which makes the rank the least it can be.
                text: self.text().map(|_| explain::text_score(row, start + index + 1)),
                ..Explanation::default()
            }));
        }
        Ok(hits)
    }

    fn hit(&self, product_id: ProductId, explanation: impl FnOnce() -> Explanation) -> Hit {
        Hit { product_id, explanation: self.question.explain.then(explanation) }
    }
}

/// What is greater is newer, as near as the fusion has to know.
fn key_of(row: &Row) -> Option<(i64, ProductId)> {
    Some((row.get("number")?.as_i64()?, id_of(row)?))
}
