//! Values that are hard to keep apart, and prices that end.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::CategoryId;
use projections::catalogue::{NamedCategory, SearchDocument};

use super::{Place, with_shop};
use crate::conformance::{Subject, all_facets, everything, filled, filter, shop};
use crate::{Changes, FacetRequest, Filter, PriceFilter, Question, SearchEngine};

/// One product for each has it as its brand, a tag, an attribute's name and value, and a category's
/// name; it must be found by it, and nothing else, and be counted under it.
#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_itself_and_nothing_else() {
    let place = Place::doubled();
    let engine = Arc::new(place.engine().await);
    let long = "длинный ".repeat(60);
    let values = [
        "a",
        "A",
        "á",
        "a ",
        " a",
        "aa",
        "\"",
        "\\",
        "\\\"",
        "'",
        "\"]",
        "x\" OR kind = \"product",
        "kind = product",
        "a\nb",
        "a\u{0}b",
        "a,b",
        "[a]",
        "(a)",
        "a.b",
        "a:b",
        "a/b",
        "a_b",
        "a~b",
        "a~5fb",
        "%",
        "_",
        "~",
        "-",
        "NOT",
        "IN",
        "EXISTS",
        "null",
        "true",
        "1",
        "1.0",
        "ß",
        "ss",
        "SS",
        "ｆull",
        "🏕",
        "🏕\u{fe0f}",
        "\u{202e}a",
        "prices",
        "_geoRadius(1, 2, 3)",
        "${x}",
        "{{x}}",
        "<b>",
        long.as_str(),
        &long[..long.len() - 1],
        "long 1",
    ];
    let document = |(index, value): (usize, &&str)| {
        let n = index as u32 + 1;
        let one = || [(*value).to_owned()].into();
        SearchDocument {
            name: format!("Thing {n}"),
            brand: Some((*value).to_owned()),
            tags: one(),
            attributes: BTreeMap::from([((*value).to_owned(), one()), ("Same".to_owned(), one())]),
            categories: vec![NamedCategory { category_id: category(n), name: (*value).to_owned() }],
            ..shop::document(n % 60 + 1)
        }
        .with_number(n)
    };
    let documents: Vec<SearchDocument> = values.iter().enumerate().map(document).collect();
    let subject = Subject::new(engine.clone());
    subject.refill(&documents, &[], filled(1)).await;

    for (index, value) in values.iter().enumerate() {
        let one = || [(*value).to_owned()].into();
        for chosen in [
            Filter { brands: one(), ..Filter::default() },
            Filter { tags: one(), ..Filter::default() },
            Filter { attributes: [((*value).to_owned(), one())].into(), ..Filter::default() },
            Filter { attributes: [("Same".to_owned(), one())].into(), ..Filter::default() },
            Filter { category: Some(category(index as u32 + 1)), ..Filter::default() },
        ] {
            let found = subject.found(&filter(chosen)).await;
            assert_eq!(found, [index as u32 + 1], "{value:?}");
        }
    }
    let facets = FacetRequest { values_max: 1000, ..all_facets() };
    let found = engine.search(&Question { facets, ..everything() }).await.unwrap().facets;
    let mut sorted: Vec<&str> = values.to_vec();
    sorted.sort_unstable();
    for counted in [&found.brand, &found.tags, &found.attributes["Same"]] {
        let values: Vec<&str> = counted.iter().map(|counted| counted.value.as_str()).collect();
        assert_eq!(values, sorted);
        assert!(counted.iter().all(|counted| counted.count == 1));
    }
    for value in values {
        assert_eq!(found.attributes[value].len(), 1, "{value:?}");
    }
}

fn category(n: u32) -> CategoryId {
    shop::category_id(100 + n)
}

trait WithNumber {
    fn with_number(self, n: u32) -> Self;
}

impl WithNumber for SearchDocument {
    fn with_number(self, n: u32) -> Self {
        Self { number: i64::from(n), product_id: shop::product_id(n), ..self }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_has_ended_is_found_by_no_filter() {
    let place = Place::doubled();
    let engine = with_shop(&place).await;
    let price = |min, max| Some(PriceFilter { min_minor: Some(min), max_minor: Some(max) });
    // Product 1 is 1,900, and 1,140 while the sale lasts.
    let asked = |price, now| Question { now, ..filter(Filter { price, ..Filter::default() }) };
    let has_it = |question: Question| {
        let engine = engine.clone();
        async move {
            let findings = engine.search(&question).await.unwrap();
            findings.hits.iter().any(|hit| hit.product_id == shop::product_id(1))
        }
    };
    let before = shop::instant(86_399);
    assert!(has_it(asked(price(1_140, 1_140), before)).await);
    // The sale has ended, and nobody has handed the product in again.
    assert!(!has_it(asked(price(1_140, 1_140), shop::sale_end())).await);
    *place.clock.lock().unwrap() = shop::sale_end();
    let changes = Changes { documents: vec![shop::document(1)], ..Changes::default() };
    engine.apply(changes, filled(1), filled(2)).await.unwrap();
    assert!(has_it(asked(price(1_900, 1_900), shop::sale_end())).await);
}
