//! What a payment provider tells us unasked: stored first, applied once, never lost.
//!
//! A message that names an order not on record, or is ahead of an answer the provider still owes,
//! is parked, and tried again until it can be applied or a person has looked at it. An unknown kind
//! of message is kept and listed.

use commands::{Caller, CommandError, Done, Refused, Stop, Unit};
use domain::order::{Order, OrderStatus};
use domain::payment::{Operation, Payment, PaymentCommand, PaymentOnRecord, ProviderOutcome};
use domain::{AggregateId, Decider, IdKey, OrderId, Rejection, RejectionKind, Timestamp};
use schemas::{RawJson, WebhookEvent};
use serde::{Deserialize, Serialize};

use crate::checkout::{self, ShopPolicy};
use crate::engine::{Engine, Settled, standing};
use crate::fulfilment::starting_when_confirmed;
use crate::payment_call::PaymentCall;

const MALFORMED: &str = "malformed_webhook";
/// In a refusal's details: whether the provider owed an answer when the message was refused.
const AHEAD: &str = "ahead_of_an_answer";

/// A message with a good signature.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub provider: String,
    /// The provider's own id of the message: a repeat has the same one.
    pub message_id: String,
    pub body: String,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    Applied,
    /// Was here before; nothing was done.
    Repeated,
    Parked {
        reason: String,
    },
    Ignored {
        reason: String,
    },
}

/// The message's body, as this engine's sandbox and the providers' adapters write it.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    data: MessageData,
}

#[derive(Debug, Deserialize)]
struct MessageData {
    #[serde(default)]
    key: String,
    order_id: OrderId,
    #[serde(default)]
    amount_minor: i64,
    #[serde(default)]
    provider_reference: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

impl Engine {
    /// Stores a message and applies it; a repeat is harmless.
    pub async fn receive_webhook(
        &self,
        caller: &Caller,
        delivery: Delivery,
    ) -> Result<Done<Received>, CommandError> {
        let (again, policy) = (delivery.clone(), self.policy().clone());
        let received = self.bus().run(caller, move |unit| receive(unit, &policy, &delivery)).await;
        let done = match received {
            // A message that contradicts the books stays on record with the reason: the provider
            // need not send it again, and a person can look.
            Err(CommandError::Refused(refused)) if refused.code != MALFORMED => {
                self.bus().run(caller, move |unit| refuse(unit, &again, &refused)).await?
            }
            done => done?,
        };
        let Applied { received, calls, settled } = done.value;
        self.start(calls);
        if let Some(settled) = settled {
            self.tell(Settled { position: done.position, ..settled });
        }
        Ok(Done { value: received, position: done.position })
    }

    /// Tries a parked message again.
    pub async fn retry_webhook(
        &self,
        caller: &Caller,
        id: InboxId,
    ) -> Result<Received, CommandError> {
        let (again, policy) = (id.clone(), self.policy().clone());
        let done = match self.bus().run(caller, move |unit| retry(unit, &policy, &id)).await {
            Err(CommandError::Refused(refused)) => {
                self.bus().run(caller, move |unit| refuse_parked(unit, &again, &refused)).await?
            }
            done => done?,
        };
        let Applied { received, calls, settled } = done.value;
        self.start(calls);
        if let Some(settled) = settled {
            self.tell(Settled { position: done.position, ..settled });
        }
        Ok(received)
    }
}

struct Applied {
    received: Received,
    calls: Vec<PaymentCall>,
    settled: Option<Settled>,
}

impl Applied {
    fn nothing(received: Received) -> Self {
        Self { received, calls: Vec::new(), settled: None }
    }
}

fn receive(unit: &mut Unit<'_>, policy: &ShopPolicy, delivery: &Delivery) -> Result<Applied, Stop> {
    let Some((id, message)) = store(unit, delivery)? else {
        return Ok(Applied::nothing(Received::Repeated));
    };
    apply(unit, policy, &id, message)
}

fn refuse(unit: &mut Unit<'_>, delivery: &Delivery, refused: &Refused) -> Result<Applied, Stop> {
    match store(unit, delivery)? {
        Some((id, _)) => set_aside(unit, &id, refused),
        None => Ok(Applied::nothing(Received::Repeated)),
    }
}

fn refuse_parked(unit: &mut Unit<'_>, id: &InboxId, refused: &Refused) -> Result<Applied, Stop> {
    if unit.state::<Inbox>(id)?.as_ref().is_some_and(|state| state.parked) {
        set_aside(unit, id, refused)
    } else {
        Ok(Applied::nothing(Received::Repeated))
    }
}

/// Keeps a message that the books contradict. While the provider owes an answer about the payment
/// the message may be ahead of it, such as a refund made at the provider of a capture that is not
/// known here yet; then it is tried again until the answer is there.
fn set_aside(unit: &mut Unit<'_>, id: &InboxId, refused: &Refused) -> Result<Applied, Stop> {
    if refused.details.get(AHEAD) == Some(&true.into()) {
        park(unit, id, &refused.message)
    } else {
        ignore(unit, id, &refused.message)
    }
}

/// Applies a message; a refusal says whether an answer was owed at that very moment. Looked at
/// later, the answer might have come in between, and the message would be dropped for good.
fn apply(
    unit: &mut Unit<'_>,
    policy: &ShopPolicy,
    id: &InboxId,
    message: Option<Message>,
) -> Result<Applied, Stop> {
    let Some(message) = message else {
        return ignore(unit, id, "not a message about a payment");
    };
    let order_id = message.data.order_id;
    let applied =
        starting_when_confirmed(unit, policy, order_id, |unit| apply_message(unit, id, &message));
    match applied {
        Err(Stop::Refused(refused)) => {
            let ahead = awaits_an_answer(unit, order_id)?;
            Err(refused.with(AHEAD, ahead).into())
        }
        Ok(applied) if applied.received == Received::Applied => {
            let settled = standing(unit, order_id)?.filter(|s| s.status != OrderStatus::Pending);
            Ok(Applied { settled, ..applied })
        }
        applied => applied,
    }
}

fn awaits_an_answer(unit: &mut Unit<'_>, order_id: OrderId) -> Result<bool, Stop> {
    let payment = payment_of(unit, order_id)?;
    Ok(payment.is_some_and(|payment| payment.is_unknown()))
}

fn payment_of<'u>(
    unit: &'u mut Unit<'_>,
    order_id: OrderId,
) -> Result<Option<&'u PaymentOnRecord>, Stop> {
    let order = unit.state::<Order>(&order_id)?.as_ref();
    match order.and_then(|order| order.payment_id) {
        Some(payment_id) => Ok(unit.state::<Payment>(&payment_id)?.as_deref()),
        None => Ok(None),
    }
}

fn park(unit: &mut Unit<'_>, id: &InboxId, reason: &str) -> Result<Applied, Stop> {
    let reason = reason.to_owned();
    if !unit.state::<Inbox>(id)?.as_ref().is_some_and(|state| state.parked) {
        unit.record::<Inbox>(id, vec![WebhookEvent::Parked { reason: reason.clone() }])?;
    }
    Ok(Applied::nothing(Received::Parked { reason }))
}

/// Puts the message on record as it came; `None` if it is there already.
fn store(
    unit: &mut Unit<'_>,
    delivery: &Delivery,
) -> Result<Option<(InboxId, Option<Message>)>, Stop> {
    let id = InboxId(format!("{}:{}", delivery.provider, delivery.message_id));
    if unit.state::<Inbox>(&id)?.is_some() {
        return Ok(None);
    }
    let payload = RawJson::parse(delivery.body.clone()).map_err(|error| {
        Refused::new(RejectionKind::Invalid, MALFORMED, format!("body: {error}"))
            .with("field", "body")
    })?;
    let message = serde_json::from_str::<Message>(&delivery.body);
    let event_type = message.as_ref().map_or_else(|_| "unknown".to_owned(), |m| m.kind.clone());
    let received = WebhookEvent::Received {
        provider: delivery.provider.clone(),
        event_id: delivery.message_id.clone(),
        event_type,
        payload,
    };
    unit.record::<Inbox>(&id, vec![received])?;
    Ok(Some((id, message.ok())))
}

fn retry(unit: &mut Unit<'_>, policy: &ShopPolicy, id: &InboxId) -> Result<Applied, Stop> {
    let state = unit.state::<Inbox>(id)?.clone();
    match state {
        Some(InboxState { body, parked: true }) => {
            apply(unit, policy, id, serde_json::from_str(&body).ok())
        }
        Some(InboxState { parked: false, .. }) | None => Ok(Applied::nothing(Received::Repeated)),
    }
}

fn apply_message(unit: &mut Unit<'_>, id: &InboxId, message: &Message) -> Result<Applied, Stop> {
    let order_id = message.data.order_id;
    if unit.state::<Order>(&order_id)?.is_none() {
        return park(unit, id, &format!("order {order_id} is not on record"));
    }
    // A provider's signature vouches for what it was itself asked to do, and for nothing else.
    let payment = payment_of(unit, order_id)?;
    if payment.is_some_and(|payment| !id.is_from(&payment.provider)) {
        return ignore(unit, id, "the order is paid for through another provider");
    }
    let succeeded = || ProviderOutcome::Succeeded {
        amount_minor: message.data.amount_minor,
        provider_reference: message.data.provider_reference.clone(),
        expires_at: message.data.expires_at,
    };
    let failed = || ProviderOutcome::Failed {
        code: message.data.code.clone().unwrap_or_else(|| "unspecified".to_owned()),
    };
    let (operation, outcome) = match message.kind.as_str() {
        "payment.authorized" => (Operation::Authorize, succeeded()),
        "payment.declined" => (Operation::Authorize, failed()),
        "payment.captured" => (Operation::Capture, succeeded()),
        "payment.capture_failed" => (Operation::Capture, failed()),
        "payment.voided" => (Operation::Void, succeeded()),
        "payment.void_failed" => (Operation::Void, failed()),
        "payment.refunded" => (Operation::Refund, succeeded()),
        "payment.refund_failed" => (Operation::Refund, failed()),
        other => return ignore(unit, id, &format!("unknown kind `{other}`")),
    };
    let calls = if operation == Operation::Refund && !is_ours(unit, &message.data)? {
        match outcome {
            ProviderOutcome::Succeeded { .. } => adopt_refund(unit, &message.data)?,
            ProviderOutcome::Failed { .. } => {
                return ignore(unit, id, "a refund that was not asked for here failed");
            }
        }
    } else {
        checkout::record_outcome(unit, order_id, operation, &message.data.key, &outcome)?
    };
    unit.record::<Inbox>(id, vec![WebhookEvent::Applied {}])?;
    Ok(Applied { received: Received::Applied, calls, settled: None })
}

fn is_ours(unit: &mut Unit<'_>, data: &MessageData) -> Result<bool, Stop> {
    let payment = payment_of(unit, data.order_id)?;
    Ok(payment.is_some_and(|payment| payment.attempts.contains_key(&data.key)))
}

/// Takes a refund made at the provider itself into the books.
fn adopt_refund(unit: &mut Unit<'_>, data: &MessageData) -> Result<Vec<PaymentCall>, Stop> {
    let order = unit.state::<Order>(&data.order_id)?.as_ref();
    let payment_id = order.and_then(|order| order.payment_id);
    let payment_id = *commands::known(payment_id.as_ref(), "payment of order", data.order_id)?;
    let command = PaymentCommand::AdoptRefund {
        refund_id: unit.new_id(),
        amount_minor: data.amount_minor,
        provider_reference: data.provider_reference.clone(),
    };
    unit.execute::<Payment>(&payment_id, &command)?;
    Ok(Vec::new())
}

fn ignore(unit: &mut Unit<'_>, id: &InboxId, reason: &str) -> Result<Applied, Stop> {
    let reason = reason.to_owned();
    unit.record::<Inbox>(id, vec![WebhookEvent::Ignored { reason: reason.clone() }])?;
    Ok(Applied::nothing(Received::Ignored { reason }))
}

/// Names one message: provider and the provider's own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxId(pub String);

impl InboxId {
    fn is_from(&self, provider: &str) -> bool {
        self.0.strip_prefix(provider).is_some_and(|rest| rest.starts_with(':'))
    }
}

impl AggregateId for InboxId {
    fn key(&self) -> IdKey {
        IdKey::Text(self.0.clone())
    }
}

/// A message on record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboxState {
    body: String,
    parked: bool,
}

/// The inbox of one message; facts only, nothing is decided here.
#[derive(Debug)]
pub struct Inbox;

impl Decider for Inbox {
    const CATEGORY: &'static str = "webhook";
    type Id = InboxId;
    type State = Option<InboxState>;
    type Command = std::convert::Infallible;
    type Event = WebhookEvent;
    type Rejection = NeverRefused;

    fn decide(_: &Self::State, command: &Self::Command) -> Result<Vec<WebhookEvent>, NeverRefused> {
        match *command {}
    }

    fn evolve(state: &mut Self::State, event: &WebhookEvent) {
        match (event, state.as_mut()) {
            (WebhookEvent::Received { payload, .. }, _) => {
                *state = Some(InboxState { body: payload.get().to_owned(), parked: false });
            }
            (WebhookEvent::Parked { .. }, Some(state)) => state.parked = true,
            (WebhookEvent::Applied {} | WebhookEvent::Ignored { .. }, Some(state)) => {
                state.parked = false;
            }
            (
                WebhookEvent::Parked { .. }
                | WebhookEvent::Applied {}
                | WebhookEvent::Ignored { .. },
                None,
            ) => {}
        }
    }
}

/// Nothing is decided, so nothing is refused.
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
pub enum NeverRefused {}

impl Rejection for NeverRefused {
    fn kind(&self) -> RejectionKind {
        match *self {}
    }
}

#[cfg(test)]
mod tests;
