//! Stock as its readers get it, over logs of events.

use std::sync::Arc;

use domain::Quantity;
use journal::{Journal, MemoryJournal};

use super::*;
use crate::story::{self, Teller};
use crate::{Directory, Options, ReadModels, Registration, Runner};

async fn runner() -> (Teller, Runner) {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let models = [Registration::of::<Stock>()];
    let directory = Directory::in_memory();
    let runner = Runner::open(Arc::clone(&journal), &directory, &models, Options::default());
    (Teller::new(journal), runner.unwrap())
}

async fn catch_up(runner: &mut Runner, batch: usize) -> ReadModels {
    while runner.run_once(batch).await.unwrap().events > 0 {}
    runner.read_models()
}

/// (on hand, held, committed, available) of the only SKU of order `number`.
fn figures(models: &ReadModels, number: u64) -> (u32, u32, u32, i64) {
    let sku = story::placed(number, 1).lines[0].sku_id;
    let stock = by_sku(models, sku, story::at(0)).unwrap().unwrap();
    let level = &stock.warehouses[0];
    assert_eq!(
        level.received + level.returned,
        u64::from(level.on_hand) + level.shipped + level.written_off
    );
    (level.on_hand, level.held, level.committed, stock.available)
}

#[tokio::test]
async fn a_hold_becomes_committed_with_its_order_and_leaves_when_shipped() {
    for batch in [1, 3, 100_000] {
        let (mut teller, mut runner) = runner().await;
        teller.tell(story::stocked()).await;
        let all = 1_000_000;
        // Two units a line.
        teller.tell(vec![story::ordered(1, 1)]).await;
        let models = catch_up(&mut runner, batch).await;
        assert_eq!(figures(&models, 1), (all, 2, 0, i64::from(all) - 2));

        teller.tell(story::bought(1, 1).split_off(2)).await;
        let models = catch_up(&mut runner, batch).await;
        assert_eq!(figures(&models, 1), (all, 0, 2, i64::from(all) - 2));

        teller.tell(story::delivered(1, 1)).await;
        let models = catch_up(&mut runner, batch).await;
        assert_eq!(figures(&models, 1), (all - 2, 0, 0, i64::from(all) - 2));

        teller.tell(story::returned(1, 1)).await;
        let models = catch_up(&mut runner, batch).await;
        assert_eq!(figures(&models, 1), (all, 0, 0, i64::from(all)));
    }
}

#[tokio::test]
async fn a_cancelled_order_frees_exactly_what_it_held() {
    let (mut teller, mut runner) = runner().await;
    teller.tell(story::stocked()).await;
    teller.tell(vec![story::ordered(1, 1), story::cancelled(1, 1)]).await;
    let models = catch_up(&mut runner, 10_000).await;
    assert_eq!(figures(&models, 1), (1_000_000, 0, 0, 1_000_000));
    let left: i64 = models
        .read(Stock::NAME, |connection| {
            connection.query_row("SELECT count(*) FROM holds", [], |row| row.get(0))
        })
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn soft_holds_count_until_they_expire_and_once_for_each_cart() {
    let (mut teller, mut runner) = runner().await;
    teller.tell(story::stocked()).await;
    let sku = story::sku(7);
    let hold = |cart: u64, units: u32, until: u64| -> story::Together {
        let event = InventoryEvent::SoftHeld {
            cart_id: story::id(7, cart),
            quantity: Quantity::new(units).unwrap(),
            expires_at: story::at(until),
        };
        vec![(sku.uuid(), event.into())]
    };
    teller.tell(vec![hold(1, 3, 100), hold(1, 5, 100), hold(2, 4, 200)]).await;
    let models = catch_up(&mut runner, 4).await;
    let soft = |now| by_sku(&models, sku, story::at(now)).unwrap().unwrap().soft;
    assert_eq!((soft(99), soft(100), soft(200)), (9, 4, 0));
    let released = InventoryEvent::SoftReleased { cart_id: story::id(7, 2) };
    teller.tell(vec![vec![(sku.uuid(), released.into())]]).await;
    let models = catch_up(&mut runner, 4).await;
    assert_eq!(by_sku(&models, sku, story::at(0)).unwrap().unwrap().soft, 5);
}

#[tokio::test]
async fn a_count_below_what_is_promised_shows_as_a_shortage() {
    let (mut teller, mut runner) = runner().await;
    teller.tell(story::stocked()).await;
    teller.tell(vec![story::ordered(1, 1)]).await;
    let sku = story::placed(1, 1).lines[0].sku_id;
    let counted = InventoryEvent::Counted {
        warehouse_id: story::warehouse(),
        previous_on_hand: 1_000_000,
        on_hand: 1,
        reason: "stock take".to_owned(),
        shortage: 1,
    };
    teller.tell(vec![vec![(sku.uuid(), counted.into())]]).await;
    let models = catch_up(&mut runner, 1_000).await;
    let short = shortages(&models, None, 10).unwrap();
    assert_eq!(short.len(), 1);
    assert_eq!((short[0].sku_id, short[0].available), (sku, -1));
    assert!(shortages(&models, Some((sku, story::warehouse())), 10).unwrap().is_empty());
    assert_eq!(by_warehouse(&models, story::warehouse(), None, 3).unwrap().len(), 3);
}
