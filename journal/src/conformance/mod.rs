//! What the port promises, as checks every adapter must pass.
//!
//! A check panics with the rule that was broken. The checks need no particular executor.

mod appends;
mod conditions;
mod reads;
mod sample;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;

use crate::Journal;

/// Makes the journals to check.
#[async_trait]
pub trait Factory: Send + Sync {
    /// An empty journal which nobody else uses.
    async fn fresh(&self) -> Arc<dyn Journal>;

    /// Opens again what `journal` wrote, after it was closed. `None` if it does not persist.
    async fn reopen(&self, journal: Arc<dyn Journal>) -> Option<Arc<dyn Journal>>;
}

/// Runs every check.
///
/// # Panics
/// When the adapter breaks a rule of the port.
pub async fn check_all(factory: &dyn Factory) {
    appends::versions_and_positions(&*factory.fresh().await).await;
    appends::a_conflict_harms_no_other_unit(&*factory.fresh().await).await;
    appends::later_units_see_earlier_ones(&*factory.fresh().await).await;
    appends::units_are_atomic_over_streams(&*factory.fresh().await).await;
    appends::calls_take_effect_in_order_of_first_poll(&*factory.fresh().await).await;
    appends::racing_calls_have_one_winner(&*factory.fresh().await).await;
    appends::a_dropped_call_leaves_all_or_nothing(&*factory.fresh().await).await;
    appends::broken_rules_are_invalid_and_leave_nothing(&*factory.fresh().await).await;
    appends::everything_comes_back_as_given(&*factory.fresh().await).await;
    conditions::what_was_read_must_still_hold(&*factory.fresh().await).await;
    conditions::a_unit_resting_on_a_refused_one_is_refused(&*factory.fresh().await).await;
    conditions::what_only_reads_is_told_whether_it_holds(&*factory.fresh().await).await;
    conditions::a_copy_keeps_when_it_was_recorded(&*factory.fresh().await).await;
    conditions::a_lease_has_one_owner_and_fences_the_last(&*factory.fresh().await).await;
    if let Some(leases) = factory.fresh().await.leases() {
        conditions::a_lease_that_is_not_renewed_ends(leases).await;
    }
    reads::a_stream_is_read_after_and_up_to(&*factory.fresh().await).await;
    reads::a_long_stream_is_read_page_by_page(&*factory.fresh().await).await;
    reads::the_whole_is_read_without_gaps_while_it_grows(&*factory.fresh().await).await;
    reads::the_whole_is_read_backwards(&*factory.fresh().await).await;
    reads::waiting_ends_when_the_head_is_past(&*factory.fresh().await).await;
    reads::closing_ends_everything(&*factory.fresh().await).await;
    reads::reopening_keeps_everything(factory).await;
}

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs futures together; polls them for the first time in the order given.
async fn together<T>(mut tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (task, done) in tasks.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(value) = task.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Polls a future once; true if it is still waiting.
async fn still_waits<T>(task: &mut Task<'_, T>) -> bool {
    poll_fn(|context| Poll::Ready(task.as_mut().poll(context).is_pending())).await
}
