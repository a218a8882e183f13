//! The same events give the same rows and the same answers, wherever the rows are kept.

use std::sync::Arc;

use journal::{Journal, MemoryJournal};

use crate::frequently_bought_together::{
    FrequentlyBoughtTogether, Freshness, Score, all_pairs, top,
};
use crate::runner::tests::{assert_same, catch_up, open, rows, tell_some};
use crate::story::{self, Teller};
use crate::{
    Directory, Projector, ReadModels, Runner, carts, checkouts, order_history, orders, stock,
};

const ORDERS: u64 = 40;

#[tokio::test]
async fn the_same_events_give_the_same_rows_and_answers() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let mut teller = Teller::new(Arc::clone(&journal));
    tell_some(&mut teller, 0..ORDERS).await;
    // What order 2 has, a second time.
    teller.tell(story::bought(2 + story::SKUS, 3)).await;
    let (_url, directory) = super::fresh();
    let mut remote = open(&journal, &directory);
    let mut local = open(&journal, &Directory::in_memory());
    for runner in [&mut remote, &mut local] {
        catch_up(runner).await;
        rank(runner);
    }
    let (remote, local) = (remote.read_models(), local.read_models());
    assert_same(&rows(&remote), &rows(&local));
    assert_same(&answers(&remote), &answers(&local));
}

fn rank(runner: &mut Runner) {
    for feed in &mut runner.feeds {
        while feed.upkeep().unwrap() > 0 {}
    }
}

/// The answers of every query, as text.
fn answers(models: &ReadModels) -> Vec<String> {
    let mut all = Vec::new();
    let later = story::at(1_000_000_000);
    for number in 0..ORDERS {
        let (order, sku) = (story::order(number), story::sku(number));
        let cart = domain::CartId::of_customer(story::customer(number));
        all.push(format!("{:?}", orders::by_id(models, order).unwrap()));
        all.push(format!("{:?}", order_history::history(models, order).unwrap()));
        all.push(format!("{:?}", checkouts::by_order(models, order).unwrap()));
        all.push(format!("{:?}", carts::by_id(models, cart).unwrap()));
        all.push(format!("{:?}", stock::by_sku(models, sku, later).unwrap()));
        let product = story::product(number * 7);
        let asked = models.read(FrequentlyBoughtTogether::NAME, |rows| {
            top(rows, product, 20, Score::Cosine, Freshness::Current)
        });
        all.push(format!("{:?}", asked.unwrap()));
    }
    let of_seller = orders::Filter {
        seller: Some(story::seller(7)),
        status: Some(domain::order::OrderStatus::Confirmed),
        ..orders::Filter::default()
    };
    let of_customer =
        orders::Filter { customer: Some(story::customer(3)), ..orders::Filter::default() };
    for filter in [orders::Filter::default(), of_seller, of_customer] {
        let mut after = None;
        loop {
            let page = orders::list(models, &filter, after, 3).unwrap().unwrap();
            all.push(format!("{page:?}"));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    let here = story::warehouse();
    let first = stock::by_warehouse(models, here, None, 5).unwrap();
    let after = first.last().map(|level| level.sku_id);
    all.push(format!("{first:?} {:?}", stock::by_warehouse(models, here, after, 5).unwrap()));
    let short = stock::shortages(models, None, 3).unwrap();
    let after = short.last().map(|level| (level.sku_id, level.warehouse_id));
    all.push(format!("{short:?} {:?}", stock::shortages(models, after, 3).unwrap()));
    all.push(format!("{:?}", checkouts::in_flight(models, later, 100).unwrap()));
    let pairs = models.read(FrequentlyBoughtTogether::NAME, |rows| {
        all_pairs(rows, 1)?.collect::<Result<Vec<_>, _>>()
    });
    all.push(format!("{:?}", pairs.unwrap()));
    all
}
