//! What lists, and reading what changed, cost in a shop of 100,000 products; run by hand in release mode.

use journal::Position;

use super::*;
use crate::given::{empty, feed, processor_time};

#[test]
#[ignore = "weighs; judged by people"]
#[expect(clippy::print_stderr, reason = "figures are for people")]
fn lists_of_100_000_products() {
    let mut events = vec![category_added(1, None)];
    events.extend((2..200).map(|number| category_added(number, Some(1 + number / 10))));
    for number in 0..100_000_u128 {
        let mut details = details(&format!("Thing {}", number * 7_919 % 100_000));
        details.category_id = Some(id(1 + number % 199));
        details.brand = Some(format!("Brand {}", number % 300));
        details.tags = BTreeSet::from([format!("tag {}", number % 50)]);
        let minor = 100 + (number * 31 % 10_000) as i64;
        events.extend(offered(number + 1, details, minor));
        let ends = (number % 3 == 0).then(|| at((number % 1_000) as i64));
        events.push(sku_added(number + 1, 1, sale(minor - 50, ends)));
        if number % 4 > 0 {
            events.push(received(number + 1, 1, 5, 10));
        }
    }
    let events = log(events);
    let connection = empty::<Catalogue>();
    let started = processor_time();
    feed::<Catalogue>(&connection, &events, 1_000);
    eprintln!("{} events: {:?}", events.len(), (processor_time() - started));

    let everything = Filter::default;
    let in_category = |category| Filter { category: Some(id(category)), ..everything() };
    let brand = Filter { brand: Some("Brand 7".to_owned()), ..everything() };
    let tag = Filter { tags: BTreeSet::from(["tag 7".to_owned()]), ..in_stock() };
    let all = [
        ("everything, newest", everything(), Sort::Newest),
        ("everything, by name", everything(), Sort::Name),
        ("everything, cheapest", everything(), Sort::PriceAscending(GBP)),
        ("everything, best rated", everything(), Sort::Rating),
        ("in stock, newest", in_stock(), Sort::Newest),
        ("prices 1.00 to 5.00, newest", priced(100, 500), Sort::Newest),
        ("prices 1.00 to 5.00, dearest", priced(100, 500), Sort::PriceDescending(GBP)),
        ("prices 1.00 to 90.00, newest", priced(100, 9_000), Sort::Newest),
        ("a leaf category", in_category(150), Sort::Newest),
        ("the root category by name", in_category(1), Sort::Name),
        ("a brand", brand, Sort::Newest),
        ("a tag in stock", tag, Sort::Newest),
    ];
    for (what, filter, sort) in all {
        let mut request = ask(filter, sort, at(500));
        request.limit = 20;
        let started = processor_time();
        let page = list(&connection, &request).unwrap();
        eprintln!(
            "{what}: {} of {} in {:?}",
            page.products.len(),
            page.total,
            (processor_time() - started)
        );
    }
    let started = processor_time();
    let holds: Vec<_> = (0..10_000_u128).map(|n| held(n + 1, 1, 5, 1)).collect();
    feed::<Catalogue>(&connection, &log(holds), 1_000);
    eprintln!("a stock event: {:?}", (processor_time() - started) / 10_000);

    read_changes(&connection, Position(0), "all documents");
    let mut other: Vec<Given> = Vec::new();
    for number in 0..10_000_u128 {
        let mut details = details(&format!("Thing {number}"));
        details.description = "What there is to say about a thing. ".repeat(15);
        other.push(of_product(number * 10 + 1, ProductEvent::DetailsChanged(details)));
    }
    let mut other = log(other);
    for event in &mut other {
        event.position.0 += events.len() as u64;
    }
    let started = processor_time();
    feed::<Catalogue>(&connection, &other, 1_000);
    eprintln!("a change of details: {:?}", (processor_time() - started) / 10_000);
    let since = Position(events.len() as u64);
    read_changes(&connection, since, "those with 540 letters of description");
    let rename = CategoryEvent::Renamed {
        category_id: id(1),
        name: "New name".to_owned(),
        slug: "c1".to_owned(),
    };
    let mut rename = log([(Uuid::nil(), rename.into())]);
    rename[0].position.0 = since.0 + 10_001;
    let started = processor_time();
    feed::<Catalogue>(&connection, &rename, 1);
    eprintln!("the root of all categories renamed: {:?}", processor_time() - started);
    read_changes(&connection, Position(since.0 + 10_000), "all of them below it");
}

#[expect(clippy::print_stderr, reason = "figures are for people")]
fn read_changes(connection: &Connection, since: Position, what: &str) {
    for limit in [100, 1_000, 10_000] {
        let started = processor_time();
        let (mut after, mut documents) = (0, 0);
        loop {
            let page = changes(connection, since, after, limit).unwrap();
            documents += page.documents.len();
            after = page.documents.last().map_or(after, |document| document.number);
            if !page.more {
                break;
            }
        }
        let took = processor_time() - started;
        let each = took / u32::try_from(documents.max(1)).unwrap();
        eprintln!("{what}, {limit} a page: {documents} in {took:?}, {each:?} each");
    }
}
