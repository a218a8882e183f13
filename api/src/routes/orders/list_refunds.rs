//! `GET /orders/{order_id}/refunds`.

use domain::order::Order;
use domain::payment::{Attempt, Operation, Payment, PaymentOnRecord, ProviderOutcome};
use domain::{Currency, OrderId, RefundId};
use serde::Serialize;
use utoipa::ToSchema;

use super::show::visible_order;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, ORDER_TOKEN, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::wire::Ids;

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    /// The provider has not answered yet; it is asked until it does.
    UnderWay,
    Refunded,
    /// The provider said no; `failure_code` says why.
    Failed,
}

/// Money that went back, or is to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundShown {
    #[schema(value_type = Uuid)]
    refund_id: RefundId,
    /// Minor units of the order's currency.
    amount_minor: i64,
    status: RefundStatus,
    failure_code: Option<String>,
    /// Made at the payment provider itself, and taken over from there.
    external: bool,
}

/// All refunds of an order, in the order in which they were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundsBody {
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    /// Null for an order that cost nothing.
    #[schema(value_type = Option<String>)]
    currency: Option<Currency>,
    refunds: Vec<RefundShown>,
}

/// Refunds of an order, and how far each is.
#[utoipa::path(get, path = "/orders/{order_id}/refunds", tag = "orders",
    responses((status = 200, description = "The refunds", body = RefundsBody)))]
pub(crate) async fn list_refunds(
    who: Who<{ CUSTOMER | STOREFRONT | SUPPORT | ADMIN | ORDER_TOKEN }>,
    Ids((order_id,)): Ids<(OrderId,)>,
) -> Answer {
    who.wait_for(&["orders"]).await?;
    visible_order(&who, order_id).await?;
    let caller = who.caller();
    let read = who.services().engine.bus().run(&caller, move |unit| {
        let order = unit.state::<Order>(&order_id)?.as_deref();
        let Some(payment_id) = commands::known(order, "order", order_id)?.payment_id else {
            return Ok(None);
        };
        let payment = unit.state::<Payment>(&payment_id)?.as_deref();
        Ok(payment.map(|payment| (payment.currency, refunds(payment))))
    });
    let (currency, refunds) = read.await?.value.unzip();
    Reply::ok().json(&RefundsBody { order_id, currency, refunds: refunds.unwrap_or_default() })
}

fn refunds(payment: &PaymentOnRecord) -> Vec<RefundShown> {
    let asked = payment.attempts.values().filter_map(asked);
    let adopted = payment.adopted_refunds.iter().map(|(refund_id, amount_minor)| RefundShown {
        refund_id: *refund_id,
        amount_minor: *amount_minor,
        status: RefundStatus::Refunded,
        failure_code: None,
        external: true,
    });
    let mut refunds: Vec<RefundShown> = asked.chain(adopted).collect();
    // Ids grow with time.
    refunds.sort_by_key(|refund| refund.refund_id);
    refunds
}

fn asked(attempt: &Attempt) -> Option<RefundShown> {
    let refund_id = attempt.refund_id.filter(|_| attempt.operation == Operation::Refund)?;
    let (status, failure_code) = match &attempt.outcome {
        None => (RefundStatus::UnderWay, None),
        Some(ProviderOutcome::Succeeded { .. }) => (RefundStatus::Refunded, None),
        Some(ProviderOutcome::Failed { code }) => (RefundStatus::Failed, Some(code.clone())),
    };
    let amount_minor = attempt.amount_minor;
    Some(RefundShown { refund_id, amount_minor, status, failure_code, external: false })
}
