//! A customer as they, and whoever helps them, see them.

use domain::customer::{Customer, CustomerOnRecord};
use domain::pricing::Tier;
use domain::{AddressId, CustomerId, PaymentMethodId};
use sagas::key_store::PersonalField;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Asking;
use crate::personal::{self, AddressBody, Contact};
use crate::problem::Problem;

/// One customer; what is personal is gone once they were erased.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerBody {
    #[schema(value_type = Uuid)]
    customer_id: CustomerId,
    #[schema(value_type = crate::openapi::shapes::Tier)]
    tier: Tier,
    contact: Option<Contact>,
    addresses: Vec<AddressBody>,
    payment_methods: Vec<PaymentMethodBody>,
    erased: bool,
}

/// A payment method, without its token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentMethodBody {
    #[schema(value_type = Uuid)]
    payment_method_id: PaymentMethodId,
    provider: String,
    /// What the customer knows it by.
    label: Option<String>,
}

/// The id of what was made or changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CustomerRef {
    #[schema(value_type = Uuid)]
    pub(crate) customer_id: CustomerId,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AddressRef {
    #[schema(value_type = Uuid)]
    pub(crate) address_id: AddressId,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct PaymentMethodRef {
    #[schema(value_type = Uuid)]
    pub(crate) payment_method_id: PaymentMethodId,
}

/// Refuses, as unknown, a customer who is not the caller's to see.
pub(crate) fn own(who: &Asking, customer_id: CustomerId) -> Result<(), Problem> {
    let own = who.is_staff() || who.shops_for()? == Some(customer_id);
    if own { Ok(()) } else { Err(Problem::not_found("customer")) }
}

/// The customer on record and the version of their stream.
pub(crate) async fn on_record(
    who: &Asking,
    customer_id: CustomerId,
) -> Result<(CustomerOnRecord, u64), Problem> {
    let caller = who.caller();
    let read = who.services().engine.bus().run(&caller, move |unit| {
        let version = unit.version::<Customer>(&customer_id)?;
        let customer = unit.state::<Customer>(&customer_id)?.as_deref();
        Ok((commands::known(customer, "customer", customer_id)?.clone(), version))
    });
    Ok(read.await?.value)
}

impl CustomerBody {
    pub(crate) async fn open(who: &Asking, customer: &CustomerOnRecord) -> Result<Self, Problem> {
        let keys = who.services().engine.keys().as_ref();
        let contact = personal::open_json(keys, PersonalField::Contact, &customer.contact).await?;
        let mut addresses = Vec::with_capacity(customer.addresses.len());
        for address in customer.addresses.values() {
            addresses.push(personal::open_address(keys, address).await?);
        }
        let mut payment_methods = Vec::with_capacity(customer.payment_methods.len());
        for method in customer.payment_methods.values() {
            let label = match &method.label {
                Some(label) => {
                    personal::open_text(keys, PersonalField::PaymentLabel, label).await?
                }
                None => None,
            };
            payment_methods.push(PaymentMethodBody {
                payment_method_id: method.payment_method_id,
                provider: method.provider.clone(),
                label,
            });
        }
        Ok(Self {
            customer_id: customer.customer_id,
            tier: customer.tier,
            contact,
            addresses,
            payment_methods,
            erased: customer.erased,
        })
    }
}
