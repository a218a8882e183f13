//! Takes over a refund the provider made without being asked from here.

use super::rejection::{check_positive, check_present};
use super::request_refund::{check_refundable, recorded_amount};
use super::{PaymentEvent, PaymentOnRecord, PaymentRejection};
use crate::RefundId;

/// Adopts a refund once: nothing where its provider reference is already on record.
///
/// While refunds of our own are under way it may be one of them whose answer is late, so it is
/// bounded as a request is.
pub(super) fn adopt_refund(
    payment: &PaymentOnRecord,
    refund_id: RefundId,
    amount_minor: i64,
    provider_reference: &str,
) -> Result<Vec<PaymentEvent>, PaymentRejection> {
    check_present("provider_reference", provider_reference)?;
    if payment.refund_references.contains(provider_reference) {
        return Ok(vec![]);
    }
    if recorded_amount(payment, refund_id).is_some() {
        return Err(PaymentRejection::RefundIdTaken { refund_id });
    }
    check_positive(amount_minor)?;
    check_refundable(payment, amount_minor)?;
    Ok(vec![PaymentEvent::RefundAdopted {
        refund_id,
        amount_minor,
        provider_reference: provider_reference.to_owned(),
    }])
}
