//! What a reader is given.

use super::*;

#[tokio::test]
async fn a_reader_goes_through_all_periods_and_on_into_the_next() {
    let mut shop = Shop::open(BrowsingOptions::default());
    for (time, product) in [
        ("2026-08-01T00:00:00Z", 0),
        ("2026-09-15T00:00:00Z", 1),
        ("2026-10-15T00:00:00Z", 2),
        ("2026-11-15T00:00:00Z", 3),
    ] {
        shop.set(time);
        shop.viewed(7, product);
        shop.writer.write().await;
    }
    let products = |given: Vec<(BrowsingEvent, Timestamp)>| {
        let product = |(event, _): &(BrowsingEvent, Timestamp)| match event {
            BrowsingEvent::Viewed { products, .. } => products[0].product_id,
            other => panic!("{other:?}"),
        };
        given.iter().map(product).collect::<Vec<ProductId>>()
    };
    let mut reader = shop.reader();
    // The first is older than the retention, though its month is not.
    shop.set("2026-11-20T00:00:00Z");
    assert_eq!(products(given(&mut reader).await), [1, 2, 3].map(id));
    assert_eq!(products(given(&mut reader).await), []);

    shop.set("2026-11-30T23:59:59Z");
    shop.viewed(7, 4);
    shop.set("2026-12-01T00:00:00Z");
    shop.viewed(7, 5);
    assert_eq!(products(given(&mut reader).await), []);
    // The last window of November is written in December.
    shop.writer.write().await;
    assert_eq!(products(given(&mut reader).await), [4, 5].map(id));
    shop.set("2026-12-01T01:00:00Z");
    shop.viewed(7, 6);
    shop.writer.write().await;
    assert_eq!(products(given(&mut reader).await), [6].map(id));
    // A clock that is set back gives nothing twice.
    shop.set("2026-11-30T00:00:00Z");
    assert_eq!(products(given(&mut reader).await), []);
}

#[tokio::test]
async fn a_reader_passes_over_what_is_gone_and_what_it_cannot_read() {
    let mut shop = Shop::open(BrowsingOptions::default());
    shop.set("2026-10-15T00:00:00Z");
    shop.viewed(7, 1);
    shop.writer.write().await;
    let foreign = NewEvent {
        id: Uuid::from_u128(1),
        event_type: EventType::from_static("browsing.sung"),
        schema_version: 1,
        payload: Arc::from("{}"),
        occurred: shop.clock.now(),
    };
    let stream = StreamId::of_uuid(Category::from_static("browsing"), Uuid::from_u128(2));
    let group = Group { stream, expected: 0, events: vec![foreign] };
    let october = shop.journals.open("2026-10".parse().unwrap()).unwrap();
    october.append(vec![Unit::new(vec![group], Arc::from("{}"))]).await.unwrap();

    shop.set("2026-11-20T00:00:00Z");
    let mut reader = shop.reader();
    assert_eq!(given(&mut reader).await.len(), 1);
    assert_eq!(reader.unreadable(), 1);

    let mut reader = shop.reader();
    shop.set("2026-10-31T12:00:00Z");
    assert_eq!(given(&mut reader).await.len(), 1);
    // October is open and followed when it is deleted.
    shop.set("2026-11-01T00:30:00Z");
    shop.journals.remove("2026-10".parse().unwrap()).unwrap();
    shop.viewed(7, 2);
    shop.writer.write().await;
    assert_eq!(given(&mut reader).await.len(), 1);
}

#[tokio::test]
async fn a_running_reader_says_when_it_has_caught_up() {
    let mut shop = Shop::open(BrowsingOptions::default());
    shop.viewed(7, 1);
    shop.writer.write().await;
    let (caught_up, told) = oneshot::channel();
    let (give, mut given) = tokio::sync::mpsc::unbounded_channel();
    let run = shop.reader().run(
        Arc::new(TokioTimer),
        std::future::pending(),
        move || caught_up.send(()).unwrap(),
        move |event, _| give.send(event).unwrap(),
    );
    let reader = tokio::spawn(run);
    told.await.unwrap();
    assert!(given.try_recv().is_ok());
    shop.viewed(7, 2);
    shop.writer.write().await;
    let next = given.recv().await.unwrap();
    assert_eq!(next, views(7, &[(2, 1, "2026-11-20T12:00:00Z")]));
    reader.abort();
}
