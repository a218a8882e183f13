//! Registers a customer, once, and changes how to reach them.

use super::{CustomerEvent, CustomerOnRecord, CustomerRejection};
use crate::pricing::Tier;
use crate::{BrokenRule, CustomerId, Sealed};

/// The most bytes a sealed value has; what it says is not known here.
const SEALED_BYTES_MAX: usize = 20_000;

pub(super) fn decide(
    customer: Option<&CustomerOnRecord>,
    customer_id: CustomerId,
    tier: Tier,
    contact: &Sealed,
) -> Result<Vec<CustomerEvent>, CustomerRejection> {
    sealed("contact", contact)?;
    match customer {
        None => Ok(vec![CustomerEvent::Registered { customer_id, tier, contact: contact.clone() }]),
        Some(known) if known.erased => Err(CustomerRejection::CustomerErased),
        Some(known) if known.tier == tier && known.contact == *contact => Ok(vec![]),
        Some(known) => Err(CustomerRejection::CustomerExists { customer_id: known.customer_id }),
    }
}

pub(super) fn change_contact(
    customer: &CustomerOnRecord,
    contact: &Sealed,
) -> Result<Vec<CustomerEvent>, CustomerRejection> {
    sealed("contact", contact)?;
    if customer.contact == *contact {
        return Ok(vec![]);
    }
    Ok(vec![CustomerEvent::ContactChanged { contact: contact.clone() }])
}

pub(super) fn sealed(field: &str, value: &Sealed) -> Result<(), BrokenRule> {
    let bytes = value.ciphertext().len();
    if bytes <= SEALED_BYTES_MAX {
        return Ok(());
    }
    let expected = format!("at most {SEALED_BYTES_MAX} bytes once sealed");
    Err(BrokenRule::new(field, expected, bytes.to_string()))
}
