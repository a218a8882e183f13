//! Pages and orders.

use std::collections::BTreeSet;

use domain::Currency;
use domain::pricing::Tier;

use super::expected::Expected;
use super::{Subject, everything, filters, numbers, shop, text};
use crate::{Order, Question};

const ORDERS: [Order; 6] = [
    Order::Relevance,
    Order::Newest,
    Order::Name,
    Order::PriceAscending,
    Order::PriceDescending,
    Order::Rating,
];

/// Asks for all pages one by one; the total must be the same on each.
pub(super) async fn page_by_page(subject: &Subject, question: &Question, size: usize) -> Vec<u32> {
    let mut all = Vec::new();
    let mut total = None;
    loop {
        let page = Question { offset: all.len(), limit: size, ..question.clone() };
        let findings = subject.ask(&page).await;
        assert_eq!(
            *total.get_or_insert(findings.total),
            findings.total,
            "every page has one total"
        );
        assert!(findings.hits.len() <= size, "no page is longer than asked for");
        if findings.hits.is_empty() {
            break;
        }
        all.extend(numbers(&findings));
    }
    assert_eq!(total, Some(all.len() as u64), "pages together are the total");
    let distinct: BTreeSet<u32> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "nothing is on two pages: {all:?}");
    all
}

pub(crate) async fn pages_are_disjoint_and_together_everything(subject: Subject) {
    let subject = subject.with_shop().await;
    for words in [None, Some("lantern"), Some("crimson lantern")] {
        for order in ORDERS {
            let question = Question { text: words.map(str::to_owned), order, ..everything() };
            let whole = subject.hits(&question).await;
            for size in [1, 7, 59, 60, 61] {
                let pages = page_by_page(&subject, &question, size).await;
                assert_eq!(pages, whole, "{words:?} by {order:?} in pages of {size}");
            }
        }
    }
    // A page need not begin at a multiple of its length.
    let whole = subject.hits(&everything()).await;
    let middle = subject.ask(&Question { offset: 5, limit: 13, ..everything() }).await;
    assert_eq!(numbers(&middle), whole[5..18]);
}

pub(crate) async fn past_the_end_is_empty(subject: Subject) {
    let subject = subject.with_shop().await;
    for offset in [60, 61, 1_000, 1_000_000, usize::MAX] {
        let findings = subject.ask(&Question { offset, limit: 20, ..everything() }).await;
        assert!(findings.hits.is_empty(), "nothing is past the end");
        assert_eq!(findings.total, u64::from(shop::PRODUCTS), "but the total is what it is");
    }
}

pub(crate) async fn no_limit_asks_for_numbers_only(subject: Subject) {
    let subject = subject.with_shop().await;
    for question in [everything(), text("lantern")] {
        let total = subject.found(&question).await.len() as u64;
        let findings = subject.ask(&Question { limit: 0, ..question }).await;
        assert!(findings.hits.is_empty());
        assert_eq!(findings.total, total);
    }
}

pub(crate) async fn every_order_is_kept(subject: Subject) {
    let subject = subject.with_shop().await;
    let expected = Expected::shop();
    for order in ORDERS {
        for (tier, currency) in [
            (Tier::Retail, Currency::GBP),
            (Tier::Wholesale, Currency::GBP),
            (Tier::Retail, Currency::EUR),
            (Tier::Retail, Currency::USD),
        ] {
            for (name, filter) in filters() {
                let currency = Some(currency);
                let question = Question { order, tier, currency, filter, ..everything() };
                let hits = subject.hits(&question).await;
                assert_eq!(hits, expected.ordered(&question), "{order:?}, filter: {name}");
            }
        }
        if order != Order::Relevance {
            let question = Question { order, ..text("durable") };
            let hits = subject.hits(&question).await;
            assert_eq!(hits, expected.ordered(&question), "{order:?} of what matches a text");
        }
    }
}
