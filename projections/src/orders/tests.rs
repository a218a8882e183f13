//! Orders as their readers get them, over logs of events.

use std::sync::Arc;

use domain::order::OrderStatus;
use domain::payment::PaymentStatus;
use journal::{Journal, MemoryJournal};

use super::*;
use crate::story::{self, Teller};
use crate::{Directory, Options, Registration, Runner};

/// A runner over the orders model alone, and the journal it reads.
async fn runner() -> (Teller, Runner) {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let models = [Registration::of::<Orders>()];
    let directory = Directory::in_memory();
    let runner = Runner::open(Arc::clone(&journal), &directory, &models, Options::default());
    (Teller::new(journal), runner.unwrap())
}

async fn catch_up(runner: &mut Runner) {
    while runner.run_once(7).await.unwrap().events > 0 {}
}

#[tokio::test]
async fn an_order_shows_its_lines_units_money_parcels_and_returns() {
    let (mut teller, mut runner) = runner().await;
    teller.tell(story::bought(1, 2)).await;
    catch_up(&mut runner).await;
    let models = runner.read_models();
    let order = by_id(&models, story::order(1)).unwrap().unwrap();
    assert_eq!(order.status, OrderStatus::Confirmed);
    assert_eq!(order.version, 2);
    let payment = order.payment.unwrap();
    assert_eq!(payment.status, PaymentStatus::Captured);
    assert_eq!(payment.captured_minor, order.totals.total_minor);

    teller.tell(story::delivered(1, 2)).await;
    teller.tell(story::returned(1, 2)).await;
    catch_up(&mut runner).await;
    let order = by_id(&models, story::order(1)).unwrap().unwrap();
    assert_eq!(order.status, OrderStatus::Returned);
    for line in &order.lines {
        let units = (line.shipped, line.delivered, line.returned);
        assert_eq!(units, (line.ordered, line.ordered, line.ordered));
    }
    let parcel = order.shipments.values().next().unwrap();
    assert_eq!(parcel.carrier.as_deref(), Some("UPS"));
    assert!(parcel.delivered_at.is_some());
    let back = order.returns.values().next().unwrap();
    assert_eq!(back.rma_number, "RMA-1");
    assert_eq!(back.refund_minor, order.totals.total_minor);
    assert_eq!(order.payment.unwrap().status, PaymentStatus::Refunded);
}

#[tokio::test]
async fn an_order_of_1000_lines_is_not_written_again_by_small_events() {
    let (mut teller, mut runner) = runner().await;
    teller.tell(story::bought(1, 1_000)).await;
    catch_up(&mut runner).await;
    let models = runner.read_models();
    let state_bytes: usize = models
        .read(Orders::NAME, |connection| {
            connection.query_row("SELECT length(state) FROM orders", [], |row| row.get(0))
        })
        .unwrap();
    assert!(state_bytes < 20_000, "{state_bytes}");
    assert_eq!(by_id(&models, story::order(1)).unwrap().unwrap().lines.len(), 1_000);
}

#[tokio::test]
async fn lists_meet_every_part_of_their_filter() {
    let (mut teller, mut runner) = runner().await;
    for number in 0..50 {
        teller.tell(vec![story::filled(number, 1), story::ordered(number, 1)]).await;
        if number % 2 == 0 {
            teller.tell(vec![story::cancelled(number, 1)]).await;
        }
    }
    catch_up(&mut runner).await;
    let models = runner.read_models();
    let ids = |filter: &Filter| -> Vec<OrderId> {
        let page = list(&models, filter, None, 200).unwrap().unwrap();
        page.orders.iter().map(|order| order.order_id).collect()
    };
    let all = ids(&Filter::default());
    assert_eq!(all.len(), 50);
    assert_eq!(all[0], story::order(49), "newest first");
    let cancelled = Filter { status: Some(OrderStatus::Cancelled), ..Filter::default() };
    assert_eq!(ids(&cancelled).len(), 25);
    for status in [None, Some(OrderStatus::Pending)] {
        let seller = story::placed(7, 1).lines[0].seller_id;
        let of_seller = Filter {
            seller: Some(seller),
            status,
            placed_from: Some(story::at(5)),
            placed_to: Some(story::at(10)),
            ..Filter::default()
        };
        assert_eq!(ids(&of_seller), [story::order(7)]);
        let of_both = Filter { customer: Some(story::customer(7)), ..of_seller.clone() };
        assert_eq!(ids(&of_both), [story::order(7)]);
        let of_another = Filter { customer: Some(story::customer(8)), ..of_seller };
        assert!(ids(&of_another).is_empty());
    }
    let unknown = Filter { reference: Some("none".to_owned()), ..Filter::default() };
    assert!(ids(&unknown).is_empty());
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_orders_come_in() {
    let (mut teller, mut runner) = runner().await;
    for number in 100..160 {
        teller.tell(vec![story::ordered(number, 1)]).await;
    }
    catch_up(&mut runner).await;
    let models = runner.read_models();
    let (mut seen, mut after, mut late) = (Vec::new(), None, 0);
    loop {
        let page = list(&models, &Filter::default(), after, 7).unwrap().unwrap();
        seen.extend(page.orders.iter().map(|order| order.order_id));
        // The next page is asked for when there is one order more.
        teller.tell(vec![story::ordered(200 + late, 1)]).await;
        catch_up(&mut runner).await;
        late += 1;
        let Some(next) = page.next else { break };
        after = Some(next.to_string().parse().unwrap());
    }
    let expected: Vec<OrderId> = (100..160).rev().map(story::order).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_cursor_works_only_for_its_own_filter() {
    let (mut teller, mut runner) = runner().await;
    for number in 0..3 {
        teller.tell(vec![story::ordered(number, 1)]).await;
    }
    catch_up(&mut runner).await;
    let models = runner.read_models();
    let page = list(&models, &Filter::default(), None, 1).unwrap().unwrap();
    let other = Filter { status: Some(OrderStatus::Pending), ..Filter::default() };
    let refused = list(&models, &other, page.next, 1).unwrap();
    assert_eq!(refused, Err(CursorError::OtherFilter));
    for text in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(text.parse::<Cursor>(), Err(CursorError::Malformed));
    }
}
