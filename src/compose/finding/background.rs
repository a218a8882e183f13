//! What is worked out behind the answers: vectors, models, and lists kept ready.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use commands::browsing::BrowsingReader;
use commands::{Clock, TokioTimer};
use domain::Timestamp;
use domain::browsing::BrowsingEvent;
use journal::Position;
use search::{ProductVectors, Recommender};

use super::purchases::{PurchasesOf, basket};

/// How long it rests when there is nothing to do, or something failed.
const REST: Duration = Duration::from_millis(500);
/// Positions before the newest order in which one may still be confirmed that was placed earlier.
const LATE: u64 = 20_000;

pub(super) struct Background {
    pub(super) vectors: Arc<ProductVectors>,
    pub(super) recommender: Arc<Recommender>,
    pub(super) purchases: Arc<PurchasesOf>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) told: Told,
}

/// Orders the recommender was told of.
#[derive(Default)]
pub(super) struct Told {
    newest: Position,
    /// Not older than [`LATE`].
    late: BTreeSet<u64>,
    began: bool,
}

impl Background {
    /// Works until `stop` resolves, a piece at a time; a piece may take seconds of its thread.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut said = String::new();
        loop {
            let worked = self.work();
            let rest = match worked {
                Ok(true) => Duration::ZERO,
                Ok(false) => {
                    said.clear();
                    REST
                }
                Err(error) => {
                    if said != error {
                        tracing::warn!(error, "recommendations are not brought up to date");
                        said = error;
                    }
                    REST
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = tokio::time::sleep(rest) => {}
            }
        }
        if let Err(error) = self.vectors.save(self.clock.now()) {
            tracing::warn!(%error, "vectors were not saved: they are made again at the next start");
        }
    }

    fn work(&mut self) -> Result<bool, String> {
        let now = self.clock.now();
        let embedded = self.vectors.work(now).map_err(|error| error.to_string())?;
        self.tell_orders().map_err(|error| error.to_string())?;
        let learned = self.recommender.work(now).map_err(|error| error.to_string())?;
        Ok(embedded || learned)
    }

    /// Tells of orders that count since the last call. Those before the first are learned from when
    /// models are trained.
    fn tell_orders(&mut self) -> Result<(), projections::StoreError> {
        let told = &mut self.told;
        let mut after = Position(told.newest.0.saturating_sub(LATE));
        loop {
            let orders = self.purchases.orders_after(after)?;
            let Some(last) = orders.last() else { break };
            after = last.position;
            for order in &orders {
                if told.late.insert(order.position.0) && told.began {
                    self.recommender.ordered(&basket(order));
                }
            }
            told.newest = told.newest.max(after);
            told.late = told.late.split_off(&told.newest.0.saturating_sub(LATE));
        }
        told.began = true;
        Ok(())
    }
}

/// Tells the recommender what was looked at, as long as it runs.
pub(super) async fn look_on(
    reader: BrowsingReader,
    recommender: Arc<Recommender>,
    stop: impl Future<Output = ()> + Send,
) {
    let caught_up = || tracing::debug!("what was looked at is read");
    let each = move |event, at| tell(&recommender, &event, at);
    reader.run(Arc::new(TokioTimer), stop, caught_up, each).await;
}

fn tell(recommender: &Recommender, event: &BrowsingEvent, at: Timestamp) {
    match event {
        BrowsingEvent::Viewed { customer_id: Some(customer), products } => {
            for views in products {
                recommender.viewed(*customer, views.product_id, views.times, views.last_at);
            }
        }
        // Of guests it is only known that they looked.
        BrowsingEvent::Viewed { customer_id: None, .. } => {}
        BrowsingEvent::Shown { products, .. } => {
            for seen in products {
                if seen.shown > 0 {
                    recommender.shown(seen.product_id, seen.shown, at);
                }
                if seen.clicked > 0 {
                    recommender.clicked(seen.product_id, seen.clicked, at);
                }
            }
        }
        BrowsingEvent::Forgotten { customer_id } => recommender.forget(*customer_id),
    }
}
