//! Customer: who buys, on which terms, where to and by what means. Personal fields are sealed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    Register {
        customer_id: CustomerId,
        tier: Tier,
        contact: Sealed,
    },
    ChangeContact {
        contact: Sealed,
    },
    ChangeTier {
        tier: Tier,
    },
    AddAddress(Address),
    RemoveAddress {
        address_id: AddressId,
    },
    AddPaymentMethod(PaymentMethod),
    RemovePaymentMethod {
        payment_method_id: PaymentMethodId,
    },
    Erase {
        customer_id: CustomerId,
    },
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
