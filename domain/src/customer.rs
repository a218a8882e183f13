//! Customer: who buys, on which terms, where to and by what means. Personal fields are sealed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod addresses;
mod payment_methods;
mod register;
mod rejection;
#[cfg(test)]
mod tests;

pub use rejection::CustomerRejection;

use crate::decider::Decider;
use crate::pricing::Tier;
use crate::{AddressId, CustomerId, PaymentMethodId, Sealed};

/// Where parcels go. The country stays readable: tax and carriers need it after an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    pub address_id: AddressId,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Recipient, street, town, postcode, telephone: one sealed JSON object.
    pub details: Sealed,
}

/// A provider's token for a card or an account, never the number itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMethod {
    pub payment_method_id: PaymentMethodId,
    /// Name of the payment provider, such as `sandbox`.
    pub provider: String,
    pub token: Sealed,
    /// What the shopper recognises it by, such as `Visa ending 4242`; sealed too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Sealed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum CustomerEvent {
    Registered {
        customer_id: CustomerId,
        tier: Tier,
        /// Name, e-mail, telephone: one sealed JSON object.
        contact: Sealed,
    },
    ContactChanged {
        contact: Sealed,
    },
    TierChanged {
        from: Tier,
        to: Tier,
    },
    AddressAdded(Address),
    AddressRemoved {
        address_id: AddressId,
    },
    PaymentMethodAdded(PaymentMethod),
    PaymentMethodRemoved {
        payment_method_id: PaymentMethodId,
    },
    /// The person's key was destroyed; sealed fields can no longer be read by anybody.
    Erased {
        customer_id: CustomerId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum CustomerCommand {
    Register { customer_id: CustomerId, tier: Tier, contact: Sealed },
    ChangeContact { contact: Sealed },
    ChangeTier { tier: Tier },
    AddAddress(Address),
    RemoveAddress { address_id: AddressId },
    AddPaymentMethod(PaymentMethod),
    RemovePaymentMethod { payment_method_id: PaymentMethodId },
    Erase { customer_id: CustomerId },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerOnRecord {
    pub customer_id: CustomerId,
    pub tier: Tier,
    pub contact: Sealed,
    pub addresses: BTreeMap<AddressId, Address>,
    pub payment_methods: BTreeMap<PaymentMethodId, PaymentMethod>,
    pub erased: bool,
}

/// `None` until registered.
pub type CustomerState = Option<Box<CustomerOnRecord>>;

/// The aggregate.
#[derive(Debug)]
pub struct Customer;

impl Decider for Customer {
    const CATEGORY: &'static str = "customer";

    type Id = CustomerId;
    type State = CustomerState;
    type Command = CustomerCommand;
    type Event = CustomerEvent;
    type Rejection = CustomerRejection;

    fn decide(
        state: &CustomerState,
        command: &CustomerCommand,
    ) -> Result<Vec<CustomerEvent>, CustomerRejection> {
        use CustomerCommand as C;
        let customer = state.as_deref().ok_or(CustomerRejection::NoSuchCustomer);
        let customer = match (command, customer) {
            (C::Register { customer_id, tier, contact }, known) => {
                return register::decide(known.ok(), *customer_id, *tier, contact);
            }
            (C::Erase { .. }, Ok(known)) if known.erased => return Ok(vec![]),
            (_, Ok(known)) if known.erased => return Err(CustomerRejection::CustomerErased),
            (_, known) => known?,
        };
        match command {
            // Decided above.
            C::Register { .. } => Ok(vec![]),
            C::ChangeContact { contact } => register::change_contact(customer, contact),
            C::ChangeTier { tier } if customer.tier == *tier => Ok(vec![]),
            C::ChangeTier { tier } => {
                Ok(vec![CustomerEvent::TierChanged { from: customer.tier, to: *tier }])
            }
            C::AddAddress(address) => addresses::add(customer, address),
            C::RemoveAddress { address_id } => Ok(addresses::remove(customer, *address_id)),
            C::AddPaymentMethod(method) => payment_methods::add(customer, method),
            C::RemovePaymentMethod { payment_method_id } => {
                Ok(payment_methods::remove(customer, *payment_method_id))
            }
            C::Erase { customer_id } => {
                Ok(vec![CustomerEvent::Erased { customer_id: *customer_id }])
            }
        }
    }

    /// An event about a customer who never registered changes nothing.
    fn evolve(state: &mut CustomerState, event: &CustomerEvent) {
        use CustomerEvent as E;
        if let E::Registered { customer_id, tier, contact } = event {
            *state = Some(Box::new(CustomerOnRecord {
                customer_id: *customer_id,
                tier: *tier,
                contact: contact.clone(),
                addresses: BTreeMap::new(),
                payment_methods: BTreeMap::new(),
                erased: false,
            }));
        }
        let Some(customer) = state else { return };
        match event {
            E::Registered { .. } => {}
            E::ContactChanged { contact } => customer.contact = contact.clone(),
            E::TierChanged { to, .. } => customer.tier = *to,
            E::AddressAdded(address) => {
                customer.addresses.insert(address.address_id, address.clone());
            }
            E::AddressRemoved { address_id } => {
                customer.addresses.remove(address_id);
            }
            E::PaymentMethodAdded(method) => {
                let methods = &mut customer.payment_methods;
                methods.insert(method.payment_method_id, method.clone());
            }
            E::PaymentMethodRemoved { payment_method_id } => {
                customer.payment_methods.remove(payment_method_id);
            }
            E::Erased { .. } => customer.erase(),
        }
    }
}

impl CustomerOnRecord {
    /// Keeps nothing personal, sealed or not; countries stay.
    fn erase(&mut self) {
        let nothing = || Sealed::from_ciphertext(String::new());
        self.erased = true;
        self.contact = nothing();
        self.payment_methods.clear();
        for address in self.addresses.values_mut() {
            address.details = nothing();
        }
    }
}
