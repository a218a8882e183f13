//! What a step needs before it can start: how far an earlier run got, and sealed personal data.

use commands::{Caller, Runs};
use domain::customer::Address;
use domain::customer::{Customer, CustomerCommand, PaymentMethod};
use domain::order::{Order, OrderStatus};
use domain::pricing::Tier;
use domain::{Sealed, SkuId};
use sagas::key_store::PersonalField;
use uuid::Uuid;

use crate::import::ImportInto;
use crate::import::error::ImportError;
use crate::import::past::{Buyer, PastOrder, Step, What};

/// The token that the sandbox always honours.
const TOKEN: &str = "tok_ok";

/// A step that is ready to start.
pub(super) struct Prepared {
    pub(super) step: Step,
    pub(super) skus: Vec<SkuId>,
    pub(super) caller: Caller,
    /// For orders: how far an earlier run got; `None` if it is not placed.
    pub(super) status: Option<OrderStatus>,
    pub(super) sealed: SealedFor,
}

/// Personal data of an order that is to be placed, sealed.
pub(super) enum SealedFor {
    Nobody,
    /// A customer who is on record already, and so is the address.
    Known,
    /// Commands that put the customer, or a new address, on record.
    Customer(Vec<CustomerCommand>),
    Guest {
        token: Sealed,
        address: Option<Address>,
    },
}

pub(super) async fn prepare(into: &ImportInto, step: Step) -> Result<Prepared, ImportError> {
    let caller = Caller {
        request: Some(step.reference.clone()),
        occurred: Some(step.at),
        ..Caller::named("import")
    };
    let (status, sealed) = match &step.what {
        What::Order(order) => match status(into, &step, order).await? {
            None => (None, seal(into, &step, order).await?),
            known => (known, SealedFor::Nobody),
        },
        What::Return(_) | What::Credit(_) | What::Loss(_) => (None, SealedFor::Nobody),
    };
    let skus = step.skus();
    Ok(Prepared { step, skus, caller, status, sealed })
}

/// How far the order is; looked up in the journal first, which knows what it does not have.
async fn status(
    into: &ImportInto,
    step: &Step,
    order: &PastOrder,
) -> Result<Option<OrderStatus>, ImportError> {
    let bus = into.engine.bus();
    let order_id = order.order_id;
    let refused = ImportError::refused(&step.reference);
    match bus.journal().stream_version(&Order::stream(&order_id)).await {
        Ok(0) => Ok(None),
        Ok(_) => {
            let look = |state: &domain::order::OrderState| state.as_ref().map(|order| order.status);
            Ok(bus.read::<Order, _>(order_id, look).await.map_err(refused)?.value)
        }
        Err(error) => Err(refused(error.into())),
    }
}

async fn seal(into: &ImportInto, step: &Step, order: &PastOrder) -> Result<SealedFor, ImportError> {
    let person = Person { into, step };
    match &order.buyer {
        Buyer::Guest { address_id, .. } => {
            let id = order.order_id.uuid();
            let token = person.seal(id, PersonalField::PaymentToken, TOKEN).await?;
            let address = match order.country {
                Some(country) => {
                    let details = person.seal(id, PersonalField::Address, "{}").await?;
                    Some(Address { address_id: *address_id, country: country.to_owned(), details })
                }
                None => None,
            };
            Ok(SealedFor::Guest { token, address })
        }
        Buyer::Customer { customer_id, reference, address_id, method_id } => {
            let (customer_id, address_id, method_id) = (*customer_id, *address_id, *method_id);
            let look = move |state: &domain::customer::CustomerState| {
                state.as_ref().map(|known| known.addresses.contains_key(&address_id))
            };
            let known = into.engine.bus().read::<Customer, _>(customer_id, look).await;
            let known = known.map_err(ImportError::refused(&step.reference))?.value;
            let id = customer_id.uuid();
            let mut commands = Vec::new();
            if known.is_none() {
                let contact = serde_json::json!({ "name": format!("Customer {reference}") });
                let contact = person.seal(id, PersonalField::Contact, &contact.to_string()).await?;
                let tier = Tier::Retail;
                commands.push(CustomerCommand::Register { customer_id, tier, contact });
                let token = person.seal(id, PersonalField::PaymentToken, TOKEN).await?;
                commands.push(CustomerCommand::AddPaymentMethod(PaymentMethod {
                    payment_method_id: method_id,
                    provider: into.gateway.name().to_owned(),
                    token,
                    label: None,
                }));
            }
            if let Some(country) = order.country.filter(|_| known != Some(true)) {
                let country = country.to_owned();
                let details = serde_json::json!({ "recipient": format!("Customer {reference}") });
                let details = person.seal(id, PersonalField::Address, &details.to_string()).await?;
                commands.push(CustomerCommand::AddAddress(Address {
                    address_id,
                    country,
                    details,
                }));
            }
            Ok(if commands.is_empty() { SealedFor::Known } else { SealedFor::Customer(commands) })
        }
    }
}

struct Person<'a> {
    into: &'a ImportInto,
    step: &'a Step,
}

impl Person<'_> {
    async fn seal(
        &self,
        id: Uuid,
        field: PersonalField,
        text: &str,
    ) -> Result<Sealed, ImportError> {
        let what = || self.step.reference.to_string();
        let sealed = self.into.keys.seal(id, field, text).await;
        sealed.map_err(|why| ImportError::Keys { what: what(), why })
    }
}
