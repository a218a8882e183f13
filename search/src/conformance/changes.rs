//! What changes while an engine serves.

use domain::CategoryId;
use domain::product::ProductStatus;
use journal::JournalId;
use projections::catalogue::{SearchDocument, TierPrice};

use super::expected::Expected;
use super::{Subject, all_facets, everything, filled, filter, shop, text};
use crate::{Changes, Filled, Filter, Order, Question, SearchError};

/// Tells both the subject and what is expected of it.
async fn apply(subject: &Subject, expected: &mut Expected, changes: Changes, position: u64) {
    for document in &changes.documents {
        expected.documents.insert(document.product_id, document.clone());
    }
    for product_id in &changes.removed {
        expected.documents.remove(product_id);
    }
    if let Some(categories) = &changes.categories {
        expected.categories.clone_from(categories);
    }
    subject.apply(changes, filled(position)).await;
}

/// The subject answers as expected, whatever is asked.
pub(super) async fn assert_same(subject: &Subject, expected: &Expected) {
    let below = |n| Filter { category: Some(shop::category_id(n)), ..Filter::default() };
    for question in [
        everything(),
        text("lantern"),
        text("saucepan"),
        text("weatherproof"),
        filter(below(shop::CAMPING)),
        filter(below(shop::KITCHEN)),
        Question { order: Order::PriceAscending, ..everything() },
    ] {
        let asked = Question { facets: all_facets(), price_bounds: vec![1_000], ..question };
        assert_eq!(subject.found(&asked).await, expected.numbers(&asked));
        let findings = subject.ask(&asked).await;
        assert_eq!(findings.facets, expected.facets(&asked));
        assert_eq!(findings.buckets, expected.buckets(&asked));
    }
    let by_price = Question { order: Order::PriceAscending, ..everything() };
    assert_eq!(subject.hits(&by_price).await, expected.ordered(&by_price));
}

/// Product 12, with all that can change changed.
fn changed() -> SearchDocument {
    let mut document = shop::document(12);
    document.name = "Weatherproof saucepan".to_owned();
    document.description = String::new();
    document.brand = Some("Kestrel".to_owned());
    document.tags = ["brandnew".to_owned()].into();
    document.categories = shop::path(&shop::categories(), shop::CYCLING);
    document.attributes = [("Weight".to_owned(), ["heavy".to_owned()].into())].into();
    for price in &mut document.prices {
        *price = TierPrice { minor: 77, ..*price };
    }
    document.in_stock = !document.in_stock;
    document
}

fn new() -> SearchDocument {
    let product_id = shop::product_id(70);
    SearchDocument {
        number: 700,
        product_id,
        name: "Weatherproof tarp".to_owned(),
        created_at: shop::instant(-1),
        ..shop::document(5)
    }
}

pub(crate) async fn changes_are_seen_at_once(subject: Subject) {
    let subject = subject.with_shop().await;
    let mut expected = Expected::shop();
    assert_same(&subject, &expected).await;
    let changes = Changes { documents: vec![changed(), new()], ..Changes::default() };
    apply(&subject, &mut expected, changes, 2).await;
    assert_same(&subject, &expected).await;
    assert_eq!(subject.found(&text("weatherproof")).await, [12, 70]);
}

pub(crate) async fn removed_products_are_gone(subject: Subject) {
    let subject = subject.with_shop().await;
    let mut expected = Expected::shop();
    // One of them was never there.
    let removed = [6, 12, 15, 900].map(shop::product_id).to_vec();
    let withdrawn = SearchDocument { status: ProductStatus::Inactive, ..shop::document(18) };
    let changes = Changes { documents: vec![new(), withdrawn], removed, categories: None };
    apply(&subject, &mut expected, changes, 2).await;
    assert_same(&subject, &expected).await;
    // What was removed can come again.
    let changes = Changes { documents: vec![shop::document(12)], ..Changes::default() };
    apply(&subject, &mut expected, changes, 3).await;
    assert_same(&subject, &expected).await;
    // All of it at once.
    let removed = expected.documents.keys().copied().collect();
    apply(&subject, &mut expected, Changes { removed, ..Changes::default() }, 4).await;
    assert_eq!(subject.ask(&everything()).await.total, 0);
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(4)), "an empty shop is a shop");
}

pub(crate) async fn a_category_can_move(subject: Subject) {
    let subject = subject.with_shop().await;
    let mut expected = Expected::shop();
    let categories = shop::moved_categories();
    let cookware: CategoryId = shop::category_id(shop::COOKWARE);
    let mut documents = shop::documents();
    documents.retain(|it| it.categories.iter().any(|above| above.category_id == cookware));
    for document in &mut documents {
        document.categories = shop::path(&categories, shop::COOKWARE);
    }
    let changes = Changes { documents, removed: Vec::new(), categories: Some(categories) };
    apply(&subject, &mut expected, changes, 2).await;
    assert_same(&subject, &expected).await;
    let camping = Filter { category: Some(shop::category_id(shop::CAMPING)), ..Filter::default() };
    let saucepans = subject.found(&Question { filter: camping, ..text("saucepan") }).await;
    assert!(saucepans.len() >= 8, "saucepans are below camping now: {saucepans:?}");
}

pub(crate) async fn what_is_served_is_known(subject: Subject) {
    let subject = subject.with_shop().await;
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(1)));
    let changes = Changes { documents: vec![changed()], ..Changes::default() };
    subject.apply(changes, filled(4)).await;
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(4)));
    // Nothing a search would see has changed, but what was read has.
    subject.apply(Changes::default(), filled(9)).await;
    assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(9)));
}

pub(crate) async fn changes_may_be_repeated(subject: Subject) {
    let subject = subject.with_shop().await;
    let mut expected = Expected::shop();
    let changes = Changes {
        documents: vec![changed(), new()],
        removed: vec![shop::product_id(6)],
        categories: Some(shop::categories()),
    };
    for _ in 0..3 {
        apply(&subject, &mut expected, changes.clone(), 2).await;
    }
    assert_same(&subject, &expected).await;
}

/// Somebody else wrote: what is read for another state than the one that serves would leave a gap.
pub(crate) async fn changes_for_something_else_are_refused(subject: Subject) {
    let subject = subject.with_shop().await;
    let changes = || Changes { documents: vec![changed()], ..Changes::default() };
    subject.apply(changes(), filled(4)).await;
    let foreign = Filled { journal: JournalId::nil(), ..filled(4) };
    for before in [filled(3), filled(5), foreign] {
        let again = Changes { removed: vec![shop::product_id(6)], ..Changes::default() };
        let applied = subject.engine.apply(again, before, filled(9)).await;
        assert!(matches!(applied, Err(SearchError::Unavailable(_))), "{before:?}: {applied:?}");
        assert_eq!(subject.engine.filled().await.unwrap(), Some(filled(4)));
    }
    let found = subject.found(&everything()).await;
    assert!(found.contains(&6), "nothing was taken out");
}
