//! Payment calls of past orders, made here so that their results carry the time in the file.
//!
//! The engine makes calls by itself as well, at the time of its clock. Both use the key on
//! record, so whichever comes second changes nothing.

use std::time::Duration;

use commands::{Caller, CommandError, Stop, Unit};
use domain::order::{Order, OrderStatus};
use domain::payment::{Operation, ProviderOutcome};
use domain::{OrderId, PaymentId};
use sagas::checkout;
use sagas::key_store::PersonalField;
use sagas::payment_call::{PaymentCall, calls_of};
use sagas::payment_gateway::{
    AuthorizeRequest, CaptureRequest, GatewayError, GatewayReply, RefundRequest, VoidRequest,
};

use super::ImportInto;
use super::error::ImportError;

/// Waits between attempts at a call whose outcome is not known; then the import gives up and the
/// next run asks again.
const WAITS: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Makes the calls, and those their answers lead to, until the provider owes nothing more.
pub(super) async fn make(
    into: &ImportInto,
    caller: &Caller,
    what: &str,
    calls: Vec<PaymentCall>,
) -> Result<(), ImportError> {
    let mut waiting = calls;
    while let Some(call) = waiting.pop() {
        let outcome = answer(into, what, &call).await?;
        let PaymentCall { order_id, operation, key, .. } = call;
        let record = move |unit: &mut Unit<'_>| {
            checkout::record_outcome(unit, order_id, operation, &key, &outcome)
        };
        let next = into.engine.bus().run(caller, record).await;
        waiting.extend(next.map_err(ImportError::refused(what))?.value);
    }
    Ok(())
}

/// The order's calls without an answer, from a run that was stopped.
pub(super) fn left_over(unit: &mut Unit<'_>, order_id: OrderId) -> Result<Vec<PaymentCall>, Stop> {
    let payment_id: Option<PaymentId> =
        unit.state::<Order>(&order_id)?.as_ref().and_then(|order| order.payment_id);
    match payment_id {
        Some(payment_id) => calls_of(unit, payment_id),
        None => Ok(Vec::new()),
    }
}

async fn answer(
    into: &ImportInto,
    what: &str,
    call: &PaymentCall,
) -> Result<ProviderOutcome, ImportError> {
    let failed = |why: String| ImportError::Payment { what: what.to_owned(), why };
    let mut last = String::new();
    for wait in WAITS {
        match ask(into, what, call).await? {
            Ok(reply) => match reply.outcome() {
                Some(ProviderOutcome::Failed { code }) => {
                    return Err(failed(format!("{:?} failed: {code}", call.operation)));
                }
                Some(outcome) => return Ok(outcome),
                None => last = "no answer yet".to_owned(),
            },
            Err(GatewayError::Unknown { why }) => last = why,
            Err(error @ GatewayError::Misused { .. }) => return Err(failed(error.to_string())),
        }
        tokio::time::sleep(wait).await;
    }
    Err(failed(last))
}

async fn ask(
    into: &ImportInto,
    what: &str,
    call: &PaymentCall,
) -> Result<Result<GatewayReply, GatewayError>, ImportError> {
    let gateway = into.gateway.as_ref();
    let PaymentCall { order_id, payment_id, amount, .. } = *call;
    let key = call.key.clone();
    let provider_reference = call.provider_reference.clone();
    Ok(match call.operation {
        Operation::Authorize => {
            let opened = into.keys.open(PersonalField::PaymentToken, &call.token).await;
            let token = opened.map_err(|why| ImportError::Keys { what: what.to_owned(), why })?;
            gateway.authorize(AuthorizeRequest { key, order_id, payment_id, amount, token }).await
        }
        Operation::Capture => {
            gateway.capture(CaptureRequest { key, provider_reference, amount }).await
        }
        Operation::Void => gateway.void(VoidRequest { key, provider_reference }).await,
        Operation::Refund => {
            gateway.refund(RefundRequest { key, provider_reference, amount }).await
        }
    })
}

/// Ends with an error unless the order got as far as being paid.
pub(super) fn is_paid(what: &str, status: OrderStatus) -> Result<(), ImportError> {
    match status {
        OrderStatus::Pending | OrderStatus::Failed | OrderStatus::Cancelled => {
            let why = format!("the order is {status} after its payment");
            Err(ImportError::Refused { what: what.to_owned(), why: CommandError::Corrupt(why) })
        }
        OrderStatus::Confirmed
        | OrderStatus::Processing
        | OrderStatus::Shipped
        | OrderStatus::Delivered
        | OrderStatus::Returned => Ok(()),
    }
}
