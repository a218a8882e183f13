//! What is worked out behind the answers: vectors, models, and lists kept ready.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use commands::browsing::BrowsingReader;
use commands::{Clock, TokioTimer};
use domain::Timestamp;
use domain::browsing::BrowsingEvent;
use journal::Position;
use search::{ProductVectors, Recommender};
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};
use tokio::time::Instant;

use super::pace::Pace;
use super::purchases::{PurchasesOf, basket};
use super::remaking::Remaking;

/// Positions before the newest order in which one may still be confirmed that was placed earlier.
const LATE: u64 = 20_000;

pub(super) struct Background {
    pub(super) vectors: Arc<ProductVectors>,
    pub(super) recommender: Arc<Recommender>,
    pub(super) purchases: Arc<PurchasesOf>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) told: Told,
    pub(super) remaking: Remaking,
}

/// How far the recommender was told of orders and of customers.
#[derive(Default)]
pub(super) struct Told {
    generation: Option<u64>,
    /// Of the read model, when it was looked at last; `None` before the first time.
    looked: Option<Position>,
    newest: Position,
    /// Not older than [`LATE`].
    late: BTreeSet<u64>,
    /// Customers whose purchases changed after this are still to be told.
    customers: Position,
}

impl Background {
    /// Works until `stop` resolves, a piece at a time; a piece may take seconds of its thread.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        give_way();
        let begin = Instant::now();
        let [mut vectors, mut orders, mut recommender] =
            ["vectors", "orders", "recommendations"].map(|part| Pace::new(part, begin));
        loop {
            let (now, at) = (self.clock.now(), Instant::now());
            let embed = || self.vectors.work(now).map_err(|error| error.to_string());
            let embedded = vectors.attempt(at, embed);
            orders.attempt(at, || self.tell_orders().map_err(|error| error.to_string()));
            let mut worked = false;
            let learn = || {
                let more = self.recommender.work(now).map_err(|error| error.to_string())?;
                worked = true;
                Ok(more)
            };
            let learned = recommender.attempt(at, learn);
            self.remaking.step(at, worked);
            let next = vectors.next().min(orders.next()).min(recommender.next());
            let next = if embedded || learned { at } else { next };
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = tokio::time::sleep_until(next) => {}
            }
        }
        if let Err(error) = self.vectors.save(self.clock.now()) {
            tracing::warn!(%error, "vectors were not saved: they are made again at the next start");
        }
    }

    /// Tells of orders that count since the last call, and of customers of whose purchases anything
    /// changed: cancelled, sent back, confirmed late. Costs nothing while the read model stands still.
    /// Orders before the first call are learned from when models are trained.
    fn tell_orders(&mut self) -> Result<bool, projections::StoreError> {
        let generation = self.purchases.generation();
        if self.told.generation != generation {
            if self.told.generation.is_some() {
                // Built anew: whatever was learned may be wrong.
                self.recommender.renew();
            }
            self.told = Told { generation, ..Told::default() };
        }
        let reached = self.purchases.reached();
        let told = &mut self.told;
        let began = match told.looked {
            Some(looked) if looked == reached => return Ok(false),
            Some(_) => true,
            None => {
                (told.newest, told.customers) = (reached, reached);
                false
            }
        };
        let mut after = Position(told.newest.0.saturating_sub(LATE));
        loop {
            let orders = self.purchases.orders_after(after)?;
            let Some(last) = orders.last() else { break };
            after = last.position;
            for order in &orders {
                if told.late.insert(order.position.0) && began {
                    self.recommender.ordered(&basket(order));
                }
            }
            told.newest = told.newest.max(after);
            told.late = told.late.split_off(&told.newest.0.saturating_sub(LATE));
        }
        let (mut lowest, mut after) = (None::<Position>, None);
        loop {
            let page = self.purchases.changed_customers(told.customers, after)?;
            lowest = Some(lowest.map_or(page.position, |lowest| lowest.min(page.position)));
            page.customers
                .iter()
                .for_each(|customer| self.recommender.purchases_changed(*customer));
            after = page.customers.last().copied();
            if !page.more {
                break;
            }
        }
        told.customers = lowest.unwrap_or(told.customers);
        told.looked = Some(reached);
        Ok(false)
    }
}

/// Has this thread give way to those that take orders and answer: a model that is learned anew keeps a
/// processor busy for a minute. Not for good, since others wait for its locks now and then: with a
/// niceness of 10 it has a tenth of a processor that somebody else wants all the time.
fn give_way() {
    // A quarter of the way from the lowest priority, 19, to the highest, -20.
    let refused = match ThreadPriorityValue::try_from(25) {
        Ok(low) => set_current_thread_priority(ThreadPriority::Crossplatform(low))
            .err()
            .map(|error| format!("{error:?}")),
        Err(error) => Some(error.to_owned()),
    };
    if let Some(error) = refused {
        tracing::info!(error, "what is worked out in the background does not give way to requests");
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
