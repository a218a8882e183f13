//! What is still to be done and when: holds and carts that run out, calls to providers without an
//! answer, webhooks that wait for their order.
//!
//! A table folded from the log, with its checkpoint in the same transaction. It is caught up at
//! the start and now and again, and rebuilt only when it is missing. In the normal course of
//! things calls are started the moment their intent is durable; the agenda is for the rest: a
//! crash in between, or an answer that never came.

mod fold;
mod table;

use std::sync::Arc;
use std::time::Duration;

use commands::{Caller, CommandError, Timer};
use domain::checkout::Checkout;
use domain::payment::Payment;
use domain::{CartId, OrderId, PaymentId, Timestamp};
use journal::{Journal, JournalError, Position};

use crate::checkout;
use crate::engine::Engine;
use crate::fulfilment::starting_when_confirmed;
use crate::leadership::{Lead, Leadership};
use crate::payment_call::pending_calls;
use crate::webhook_inbox::InboxId;

pub use table::{AgendaError, AgendaTable, Counts, Due};

/// Events folded in one transaction.
const FOLD_EVENTS: usize = 8_192;
/// Items acted on in one go.
const DUE_MAX: usize = 256;
/// How long after its intent a call counts as dropped; until then whoever recorded it makes it.
const CALL_GRACE: Duration = Duration::from_secs(3);
/// How often parked webhooks are tried again.
const PARKED_RETRY: Duration = Duration::from_secs(5);
/// How long an item that cannot be done is left alone.
const SET_ASIDE: Duration = Duration::from_secs(300);

/// Keeps the table and acts on it.
///
/// On several nodes each keeps a table, so that it is up to date when its turn comes; the one that
/// leads acts.
pub struct Agenda {
    table: AgendaTable,
    journal: Arc<dyn Journal>,
    engine: Engine,
    leadership: Leadership,
}

/// Why a round of the agenda ended early; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Table(#[from] AgendaError),
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl Agenda {
    #[must_use]
    pub fn new(table: AgendaTable, journal: Arc<dyn Journal>, engine: Engine) -> Self {
        Self { table, journal, engine, leadership: Leadership::alone() }
    }

    /// Acts only while this node leads.
    #[must_use]
    pub fn led_by(mut self, leadership: Leadership) -> Self {
        self.leadership = leadership;
        self
    }

    /// Does rounds until the journal closes. `every` is the longest an item waits past its time.
    pub async fn run(mut self, timer: Arc<dyn Timer>, every: Duration) {
        loop {
            match self.round().await {
                Ok(_) => {}
                Err(
                    RoundError::Journal(JournalError::Closed)
                    | RoundError::Command(CommandError::Closed),
                ) => return,
                Err(error) => tracing::warn!(%error, "agenda: round ended early, trying again"),
            }
            timer.sleep(every).await;
        }
    }

    /// Catches up with the log and acts on what is due; returns how many items that were.
    pub async fn round(&mut self) -> Result<usize, RoundError> {
        self.catch_up().await?;
        let Lead::This(fence) = self.leadership.lead() else { return Ok(0) };
        let caller = Caller::named("system:agenda").under(fence);
        let now = self.engine.bus().now();
        let due = self.table.due(now, DUE_MAX)?;
        let found = due.len();
        for item in due {
            match self.act(&caller, &item, now).await {
                Err(RoundError::Command(CommandError::Superseded)) => {
                    tracing::info!("agenda: another node leads by now");
                    return Ok(found);
                }
                // One item that cannot be done must not hold up all that are due after it.
                Err(RoundError::Command(
                    error @ (CommandError::Refused(_) | CommandError::Corrupt(_)),
                )) => {
                    tracing::error!(?item, %error, "agenda: this cannot be done and needs a person");
                    self.table.postpone(&item, now + SET_ASIDE)?;
                }
                done => done?,
            }
        }
        Ok(found)
    }

    /// Position of the last event in the table.
    #[must_use]
    pub fn position(&self) -> Position {
        self.table.position()
    }

    pub fn counts(&self) -> Result<Counts, AgendaError> {
        self.table.counts()
    }

    async fn catch_up(&mut self) -> Result<(), RoundError> {
        loop {
            let events = self.journal.read_all(self.table.position(), FOLD_EVENTS).await?;
            let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
            let changes = fold::fold(&events, CALL_GRACE, PARKED_RETRY);
            self.table.apply(&changes, last)?;
        }
    }

    async fn act(&mut self, caller: &Caller, item: &Due, now: Timestamp) -> Result<(), RoundError> {
        match item {
            Due::Cart(cart_id) => self.expire_cart(caller, *cart_id, now).await,
            Due::Hold(order_id) => self.hold_ran_out(caller, *order_id, now).await,
            Due::Call { key, payment_id } => {
                self.call_again(key, *payment_id).await?;
                Ok(self.table.postpone(item, now + CALL_GRACE)?)
            }
            Due::Parked(id) => {
                self.engine.retry_webhook(caller, InboxId(id.clone())).await?;
                Ok(self.table.postpone(item, now + PARKED_RETRY)?)
            }
        }
    }

    async fn expire_cart(
        &mut self,
        caller: &Caller,
        cart_id: CartId,
        now: Timestamp,
    ) -> Result<(), RoundError> {
        let done = self
            .engine
            .bus()
            .run(caller, move |unit| {
                commands::carts::expire(unit, cart_id)?;
                let cart = unit.state::<domain::cart::Cart>(&cart_id)?.open.as_ref();
                Ok(cart.map(|cart| cart.expires_at))
            })
            .await?;
        // A cart that is being checked out outlives its time; it is looked at again later.
        let again = done.value.map(|expires_at| expires_at.max(now + Duration::from_secs(60)));
        Ok(self.table.set_cart(cart_id, again)?)
    }

    /// The hold's time is over. Where the money is certain the checkout has long moved on; where
    /// it is not, the order keeps its stock until the provider answers, and stays on the list of
    /// checkouts in flight for an operator to see.
    async fn hold_ran_out(
        &mut self,
        caller: &Caller,
        order_id: OrderId,
        now: Timestamp,
    ) -> Result<(), RoundError> {
        let policy = self.engine.policy().clone();
        let caller = &caller.in_conversation(order_id.uuid());
        let done = self
            .engine
            .run(caller, move |unit| {
                let calls = starting_when_confirmed(unit, &policy, order_id, |unit| {
                    checkout::advance(unit, order_id)
                })?;
                let state = unit.state::<Checkout>(&order_id)?.as_ref();
                Ok((state.is_some_and(|checkout| checkout.outcome.is_none()), calls))
            })
            .await?;
        let again = done.value.then(|| now + Duration::from_secs(30));
        if again.is_some() {
            tracing::warn!(%order_id, "hold time is over and the payment's outcome is unknown");
        }
        Ok(self.table.set_hold(order_id, again)?)
    }

    async fn call_again(&mut self, key: &str, payment_id: PaymentId) -> Result<(), RoundError> {
        let read = |payment: &Option<_>| payment.as_deref().map(pending_calls).unwrap_or_default();
        let calls = self.engine.bus().read::<Payment, _>(payment_id, read).await?.value;
        self.engine.start(calls.into_iter().filter(|call| call.key == key).collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
