//! By what means a customer pays: a provider's tokens.

use super::register::sealed;
use super::{CustomerEvent, CustomerOnRecord, CustomerRejection, PaymentMethod};
use crate::{PaymentMethodId, rule};

const METHODS_MAX: usize = 100;
const PROVIDER_CHARS_MAX: usize = 100;

pub(super) fn add(
    customer: &CustomerOnRecord,
    method: &PaymentMethod,
) -> Result<Vec<CustomerEvent>, CustomerRejection> {
    rule::text("provider", &method.provider, 1..=PROVIDER_CHARS_MAX)?;
    sealed("token", &method.token)?;
    if let Some(label) = &method.label {
        sealed("label", label)?;
    }
    match customer.payment_methods.get(&method.payment_method_id) {
        Some(known) if known == method => Ok(vec![]),
        Some(known) => Err(CustomerRejection::PaymentMethodExists {
            payment_method_id: known.payment_method_id,
        }),
        None if customer.payment_methods.len() >= METHODS_MAX => {
            Err(CustomerRejection::TooManyPaymentMethods { max: METHODS_MAX })
        }
        None => Ok(vec![CustomerEvent::PaymentMethodAdded(method.clone())]),
    }
}

pub(super) fn remove(
    customer: &CustomerOnRecord,
    payment_method_id: PaymentMethodId,
) -> Vec<CustomerEvent> {
    if customer.payment_methods.contains_key(&payment_method_id) {
        vec![CustomerEvent::PaymentMethodRemoved { payment_method_id }]
    } else {
        vec![]
    }
}
