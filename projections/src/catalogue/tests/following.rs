//! Following the catalogue from checkpoint to checkpoint against reading all of it.

use std::collections::BTreeMap;

use domain::pricing::{Tier, WholesalePolicy, effective_price};
use journal::Position;
use proptest::prelude::*;

use super::any_shop::any_shop;
use super::*;
use crate::given::{empty, feed};

/// Whoever keeps documents as they are told.
#[derive(Debug, Default)]
struct Reader {
    since: Position,
    /// The lowest of the pages so far, while there are more.
    lowest: Option<Position>,
    after: i64,
    documents: BTreeMap<i64, SearchDocument>,
    categories: Vec<CategoryView>,
}

impl Reader {
    /// Reads one page; the numbers it was told.
    fn read(&mut self, connection: &Connection, limit: usize) -> Vec<i64> {
        let found = changes(connection, self.since, self.after, limit).unwrap();
        let numbers: Vec<i64> = found.documents.iter().map(|d| d.number).collect();
        assert!(numbers.is_sorted() && numbers.len() <= limit);
        let lowest = self.lowest.map_or(found.position, |lowest| lowest.min(found.position));
        self.lowest = Some(lowest);
        self.after = numbers.last().copied().unwrap_or(self.after);
        self.documents.extend(found.documents.into_iter().map(|d| (d.number, d)));
        if let Some(categories) = found.categories {
            self.categories = categories;
        }
        if !found.more {
            (self.since, self.lowest, self.after) = (lowest, None, 0);
        }
        numbers
    }

    fn read_all(&mut self, connection: &Connection) -> Vec<i64> {
        let mut numbers = self.read(connection, 3);
        while self.lowest.is_some() {
            numbers.extend(self.read(connection, 3));
        }
        numbers
    }
}

fn told(events: &[Given], then: &[Given]) -> Vec<u128> {
    let all: Vec<Given> = events.iter().chain(then).cloned().collect();
    let all = log(all);
    let connection = empty::<Catalogue>();
    feed::<Catalogue>(&connection, &all[..events.len()], 7);
    let mut reader = Reader::default();
    reader.read_all(&connection);
    assert!(reader.read_all(&connection).is_empty(), "nothing is told twice");
    feed::<Catalogue>(&connection, &all[events.len()..], 7);
    let numbers = reader.read_all(&connection);
    let of = |number| reader.documents[&number].product_id.uuid().as_u128() - 0xa000;
    numbers.into_iter().map(of).collect()
}

#[test]
fn only_products_that_changed_are_told() {
    let mut events = vec![category_added(1, None), category_added(2, Some(1))];
    events.extend([category_added(3, None), category_added(4, Some(3))]);
    for (number, category) in [(1, 1), (2, 2), (3, 3)] {
        let mut details = details("Thing");
        details.category_id = Some(id(category));
        events.extend(offered(number, details, 100));
        events.extend([sku_added(number, 1, sale(9, None)), received(number, 1, 5, 2)]);
    }
    let category = |event: CategoryEvent| (Uuid::nil(), AnyEvent::from(event));
    let renamed = |number| {
        let (name, slug) = ("New".to_owned(), "c1".to_owned());
        category(CategoryEvent::Renamed { category_id: id(number), name, slug })
    };
    let moved = |number, parent| {
        let parent_id = Some(id(parent));
        category(CategoryEvent::Moved { category_id: id(number), parent_id })
    };
    let closed = (id::<Uuid>(5), AnyEvent::from(WarehouseEvent::Deactivated {}));
    assert_eq!(told(&events, &[rated(1, 3)]), [1]);
    assert_eq!(told(&events, &[held(2, 1, 5, 1)]), [], "still in stock");
    assert_eq!(told(&events, &[held(2, 1, 5, 2)]), [2]);
    assert_eq!(told(&events, &[closed]), [1, 2, 3]);
    assert_eq!(told(&events, &[renamed(1)]), [1, 2]);
    assert_eq!(told(&events, &[renamed(4)]), []);
    assert_eq!(told(&events, &[moved(2, 3)]), [2]);
    let gone = category(CategoryEvent::Removed { category_id: id(2) });
    assert_eq!(told(&events, &[gone]), [2]);
}

#[test]
fn a_document_is_what_a_shopper_may_find() {
    let mut events = vec![category_added(1, None), category_added(2, Some(1))];
    let mut about = details("Thing");
    about.category_id = Some(id(2));
    events.extend(offered(1, about, 1_000));
    let sku = |number: u128, colour: &str, minor| {
        let details = SkuDetails {
            attributes: [("colour".to_owned(), colour.to_owned())].into(),
            ..SkuDetails::default()
        };
        let prices = PriceBook {
            wholesale: Prices::from([(GBP, minor - 100), (Currency::USD, 7)]),
            ..sale(minor, Some(at(100)))
        };
        of_product(1, ProductEvent::SkuAdded { sku_id: sku_id(1, number), details, prices })
    };
    events.extend([sku(1, "red", 500), sku(2, "blue", 400), sku(3, "green", 300)]);
    events.push(of_product(1, ProductEvent::SkuWithdrawn { sku_id: sku_id(1, 3) }));
    events.push(received(1, 2, 5, 1));
    let connection = model(events);
    let found = changes(&connection, Position(0), 0, 10).unwrap();
    let [document] = &found.documents[..] else { panic!("one product") };
    let path: Vec<_> = document.categories.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(path, ["Category 1", "Category 2"]);
    let colours: Vec<_> = document.attributes["colour"].iter().map(String::as_str).collect();
    assert_eq!(colours, ["blue", "red"]);
    assert!(document.in_stock);
    let price = |tier, currency, seconds| {
        document.price(tier, currency, at(seconds).timestamp_nanos_opt().unwrap())
    };
    assert_eq!(price(Tier::Retail, GBP, 99), Some(400));
    assert_eq!(price(Tier::Retail, GBP, 100), Some(1_000));
    assert_eq!(price(Tier::Wholesale, GBP, 100), Some(300));
    assert_eq!(price(Tier::Wholesale, Currency::USD, 0), Some(7));
    assert_eq!(price(Tier::Retail, Currency::USD, 0), None);
}

/// What a page of the product says, as a document.
fn by_hand(connection: &Connection, view: ProductView, number: i64) -> SearchDocument {
    let mut categories = Vec::new();
    let mut next = view.category;
    while let Some(found) = next {
        categories
            .insert(0, NamedCategory { category_id: found.category_id, name: found.name.clone() });
        next = found.parent_id.and_then(|id| category(connection, id).unwrap());
    }
    let mut attributes = BTreeMap::<String, BTreeSet<String>>::new();
    for sku in view.skus.iter().filter(|sku| !sku.withdrawn) {
        for (name, value) in &sku.details.attributes {
            attributes.entry(name.clone()).or_default().insert(value.clone());
        }
    }
    SearchDocument {
        number,
        product_id: view.product_id,
        seller_id: view.seller_id,
        status: view.status,
        name: view.details.name,
        description: view.details.description,
        brand: view.details.brand,
        tags: view.details.tags,
        categories,
        attributes,
        prices: Vec::new(),
        in_stock: view.in_stock,
        stars: view.stars,
        created_at: view.created_at,
    }
}

fn lowest(view: &ProductView, tier: Tier, now: Timestamp) -> Option<i64> {
    let of = |sku| {
        let policy = WholesalePolicy::default();
        effective_price(sku, &view.base_prices, tier, GBP, now, policy).map(|price| price.minor)
    };
    let on_sale: Vec<_> = view.skus.iter().filter(|sku| !sku.withdrawn).collect();
    match on_sale[..] {
        [] => of(&PriceBook::default()),
        _ => on_sale.iter().filter_map(|sku| of(&sku.prices)).min(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Folds so many more events in one batch.
    Fold(usize),
    /// Reads a page of so many documents.
    Read(usize),
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(1_usize..25).prop_map(Step::Fold), (1_usize..5).prop_map(Step::Read)];
    prop::collection::vec(step, 0..40)
}

/// Follows a store that is at the first `folded` events; returns where it is then.
fn take(
    steps: &[Step],
    reader: &mut Reader,
    store: &Connection,
    events: &[Envelope],
    mut folded: usize,
) -> usize {
    for step in steps {
        match step {
            Step::Fold(count) => {
                let end = events.len().min(folded + count);
                feed::<Catalogue>(store, &events[folded..end], usize::MAX);
                folded = end;
            }
            Step::Read(limit) => drop(reader.read(store, *limit)),
        }
    }
    folded
}

proptest! {
    #![proptest_config(crate::given::cases())]

    #[test]
    fn following_ends_where_reading_everything_does(
        mut events in any_shop(), steps in any_steps(), lost in 0_usize..30, again in any_steps(),
    ) {
        if lost > 0 {
            // Moved there and back within a batch is not marked, see there.
            events.retain(|(_, event)| {
                !matches!(event, AnyEvent::Category(CategoryEvent::Moved { .. }))
            });
        }
        let events = log(events);
        let mut store = empty::<Catalogue>();
        let mut reader = Reader::default();
        let mut folded = take(&steps, &mut reader, &store, &events, 0);
        if lost > 0 {
            // The server fell and lost its last commits; or the reader goes on elsewhere.
            folded = folded.saturating_sub(lost);
            store = empty::<Catalogue>();
            feed::<Catalogue>(&store, &events[..folded], 10);
        }
        folded = take(&again, &mut reader, &store, &events, folded);
        feed::<Catalogue>(&store, &events[folded..], usize::MAX);
        // Pages that were begun, and what changed meanwhile.
        for _ in 0..2 {
            reader.read_all(&store);
        }
        let everything = changes(&store, Position(0), 0, CHANGES_MAX).unwrap();
        prop_assert!(!everything.more);
        prop_assert_eq!(everything.position.0 as usize, events.len());
        prop_assert_eq!(Some(reader.categories), everything.categories);
        let documents: Vec<_> = reader.documents.into_values().collect();
        prop_assert_eq!(&documents, &everything.documents);
        for mut document in documents {
            let view = product(&store, document.product_id).unwrap().unwrap();
            for (tier, seconds) in [
                (Tier::Retail, 0), (Tier::Wholesale, 0),
                (Tier::Retail, 10), (Tier::Wholesale, 15), (Tier::Retail, 20),
            ] {
                let now_ns = at(seconds).timestamp_nanos_opt().unwrap();
                let lowest = lowest(&view, tier, at(seconds));
                prop_assert_eq!(document.price(tier, GBP, now_ns), lowest);
            }
            document.prices.clear();
            prop_assert_eq!(&document, &by_hand(&store, view, document.number));
        }
    }
}

crate::given::also_in_postgres! {
    only_products_that_changed_are_told
    a_document_is_what_a_shopper_may_find
    following_ends_where_reading_everything_does
}
