//! Answers to browsing, kept until a product or a price changes: the front page of the shop and of its
//! categories are asked for again and again, and each looks at all products.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;

use crate::shelf::Columns;
use crate::{Findings, Question};

/// Answers that are kept, some thousand bytes each.
const KEPT: usize = 64;
/// Hits up to which an answer is worth its memory.
const HITS_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Browsed(Mutex<VecDeque<Known>>);

#[derive(Debug)]
struct Known {
    question: Question,
    revision: u64,
    /// Up to but without this instant.
    until: Option<Timestamp>,
    findings: Findings,
}

impl Known {
    fn answers(&self, question: &Question, revision: u64) -> bool {
        let Question { text, filter, tier, currency, now, order, offset, limit, .. } = question;
        let Question { facets, price_bounds, neighbours, fusion: _, explain, .. } = question;
        let known = &self.question;
        self.revision == revision
            && known.now <= *now
            && self.until.is_none_or(|until| *now < until)
            && (known.tier, known.currency, known.order) == (*tier, *currency, *order)
            && (known.offset, known.limit, known.explain) == (*offset, *limit, *explain)
            && known.filter == *filter
            && known.facets == *facets
            && known.price_bounds == *price_bounds
            && known.neighbours == *neighbours
            && known.text == *text
    }
}

impl Browsed {
    /// The answer, if the question is one that browses; worked out by `answer` if it is not known.
    pub(super) fn get(
        &self,
        columns: &Columns,
        question: &Question,
        answer: impl FnOnce() -> Findings,
    ) -> Findings {
        let browses = question.text.is_none() && question.neighbours.is_empty();
        if !browses || question.limit > HITS_MAX {
            return answer();
        }
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = columns.revision();
        if let Some(known) = known().iter().find(|known| known.answers(question, revision)) {
            return known.findings.clone();
        }
        let findings = answer();
        let until = columns.next_price_change(question.now);
        let one = Known { question: question.clone(), revision, until, findings };
        let findings = one.findings.clone();
        let mut known = known();
        known.retain(|known| known.revision == revision);
        known.truncate(KEPT - 1);
        known.push_front(one);
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{everything, shop};
    use crate::embedded::answer;
    use crate::{Changes, Filter, Shelf};

    #[test]
    fn an_answer_is_kept_until_something_changes() {
        let shelf = Shelf::default();
        shelf.replace(&shop::documents(), &shop::categories());
        let browsed = Browsed::default();
        let mut asked = 0;
        let mut ask = |question: &Question| {
            let columns = shelf.read();
            let mut worked_out = false;
            let findings = browsed.get(&columns, question, || {
                worked_out = true;
                answer(&columns, question, None)
            });
            assert_eq!(findings, answer(&columns, question, None));
            asked += 1;
            worked_out
        };
        let first = Question { limit: 20, ..everything() };
        assert!(ask(&first));
        assert!(!ask(&first));
        let filter = Filter { in_stock: Some(true), ..Filter::default() };
        let others = [
            Question { filter, ..first.clone() },
            Question { offset: 3, ..first.clone() },
            Question { limit: 2, ..first.clone() },
            Question { order: crate::Order::Name, ..first.clone() },
            Question { explain: true, ..first.clone() },
            Question { price_bounds: vec![7], ..first.clone() },
            Question { facets: crate::FacetRequest::default(), ..first.clone() },
        ];
        for other in &others {
            let known = *other == first;
            assert_eq!(ask(other), !known);
            assert!(!ask(other));
        }
        if let Some(change) = shelf.next_price_change(first.now) {
            assert!(ask(&Question { now: change, ..first.clone() }), "a price is another one");
        }
        assert!(!ask(&first));
        shelf.apply(&Changes { removed: vec![shop::product_id(1)], ..Changes::default() });
        assert!(ask(&first));
        assert!(asked > 10);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let shelf = Shelf::default();
        shelf.replace(&shop::documents(), &shop::categories());
        let browsed = Browsed::default();
        let columns = shelf.read();
        for offset in 0..3 * KEPT {
            let question = Question { offset, limit: 20, ..everything() };
            browsed.get(&columns, &question, || answer(&columns, &question, None));
        }
        assert_eq!(browsed.0.lock().unwrap().len(), KEPT);
    }
}
