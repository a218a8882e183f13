//! Where a customer's parcels go.

use super::register::sealed;
use super::{Address, CustomerEvent, CustomerOnRecord, CustomerRejection};
use crate::{AddressId, BrokenRule};

const ADDRESSES_MAX: usize = 100;

pub(super) fn add(
    customer: &CustomerOnRecord,
    address: &Address,
) -> Result<Vec<CustomerEvent>, CustomerRejection> {
    country(&address.country)?;
    sealed("details", &address.details)?;
    match customer.addresses.get(&address.address_id) {
        Some(known) if known == address => Ok(vec![]),
        Some(known) => Err(CustomerRejection::AddressExists { address_id: known.address_id }),
        None if customer.addresses.len() >= ADDRESSES_MAX => {
            Err(CustomerRejection::TooManyAddresses { max: ADDRESSES_MAX })
        }
        None => Ok(vec![CustomerEvent::AddressAdded(address.clone())]),
    }
}

pub(super) fn remove(customer: &CustomerOnRecord, address_id: AddressId) -> Vec<CustomerEvent> {
    if customer.addresses.contains_key(&address_id) {
        vec![CustomerEvent::AddressRemoved { address_id }]
    } else {
        vec![]
    }
}

fn country(code: &str) -> Result<(), BrokenRule> {
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    let seen: String = code.chars().take(20).collect();
    let expected = "two upper-case letters (ISO 3166-1 alpha-2)";
    Err(BrokenRule::new("country", expected, format!("`{seen}`")))
}
