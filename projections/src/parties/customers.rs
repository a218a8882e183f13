//! Customers, without what only the one who charges may see.

use crate::sql::{Connection, params};
use domain::customer::{Address, CustomerOnRecord, CustomerState, PaymentMethod};
use domain::pricing::Tier;
use domain::{CustomerId, PaymentMethodId, Sealed};
use serde::Serialize;

use super::page::page;
use super::{Page, Record, record};
use crate::StoreError;

pub(super) const RECORD: &str = "SELECT record FROM customer WHERE id = ?1";

/// A customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CustomerView {
    pub customer_id: CustomerId,
    /// Version of the customer's stream.
    pub version: u64,
    pub tier: Tier,
    /// Name, e-mail, telephone; `None` after an erasure.
    pub contact: Option<Sealed>,
    pub addresses: Vec<Address>,
    pub payment_methods: Vec<PaymentMethodView>,
    pub erased: bool,
}

/// A payment method without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentMethodView {
    pub payment_method_id: PaymentMethodId,
    /// Name of the payment provider, such as `sandbox`.
    pub provider: String,
    pub label: Option<Sealed>,
}

/// What a list shows of a customer: nothing personal, not even sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CustomerSummary {
    pub customer_id: CustomerId,
    pub tier: Tier,
    pub addresses: usize,
    pub payment_methods: usize,
    pub erased: bool,
}

/// What a provider wants to see to charge somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentToken {
    pub provider: String,
    pub token: Sealed,
}

/// Which customers: those that meet all of what is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    pub tier: Option<Tier>,
    pub erased: Option<bool>,
}

/// `None` for an unknown customer; an erased one is known.
pub fn customer(
    connection: &Connection,
    customer_id: CustomerId,
) -> Result<Option<CustomerView>, StoreError> {
    let found: Option<Record<CustomerState>> = record(connection, RECORD, customer_id.uuid())?;
    Ok(found.and_then(|Record { version, state }| Some(view(version, *state?))))
}

/// Customers with ids behind `after`, at most `limit` (1 to [`super::LIMIT_MAX`]; what is
/// outside is brought in).
pub fn customers(
    connection: &Connection,
    filter: CustomerFilter,
    after: Option<CustomerId>,
    limit: usize,
) -> Result<Page<CustomerSummary, CustomerId>, StoreError> {
    let mut sql = "SELECT id, record FROM customer WHERE (id > ?1 OR ?1 IS NULL)".to_owned();
    sql.push_str(match filter.tier {
        Some(Tier::Retail) => " AND wholesale = 0",
        Some(Tier::Wholesale) => " AND wholesale = 1",
        None => "",
    });
    sql.push_str(match filter.erased {
        Some(true) => " AND erased = 1",
        Some(false) => " AND erased = 0",
        None => "",
    });
    sql.push_str(" ORDER BY id LIMIT ?2");
    let after = after.map(CustomerId::uuid);
    page(connection, &sql, after, limit, |customer_id, record| {
        let Record { state, .. }: Record<CustomerState> = record;
        state.map(|customer| CustomerSummary {
            customer_id,
            tier: customer.tier,
            addresses: customer.addresses.len(),
            payment_methods: customer.payment_methods.len(),
            erased: customer.erased,
        })
    })
}

/// The token of one payment method; `None` where there is no such customer or method.
pub fn payment_token(
    connection: &Connection,
    customer_id: CustomerId,
    method: PaymentMethodId,
) -> Result<Option<PaymentToken>, StoreError> {
    let found: Option<Record<CustomerState>> = record(connection, RECORD, customer_id.uuid())?;
    let method = found
        .and_then(|record| record.state)
        .and_then(|mut customer| customer.payment_methods.remove(&method));
    Ok(method.map(|PaymentMethod { provider, token, .. }| PaymentToken { provider, token }))
}

pub(super) fn save(
    connection: &Connection,
    id: CustomerId,
    record: &Record<CustomerState>,
) -> Result<(), StoreError> {
    let customer = record.state.as_deref();
    connection
        .prepare_cached(
            "INSERT INTO customer VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET wholesale = excluded.wholesale,
                 erased = excluded.erased, record = excluded.record",
        )?
        .execute(params![
            id.uuid().into_bytes(),
            customer.is_some_and(|customer| customer.tier == Tier::Wholesale),
            customer.is_some_and(|customer| customer.erased),
            serde_json::to_string(record)?
        ])?;
    Ok(())
}

fn view(version: u64, customer: CustomerOnRecord) -> CustomerView {
    let method = |method: PaymentMethod| PaymentMethodView {
        payment_method_id: method.payment_method_id,
        provider: method.provider,
        label: method.label,
    };
    CustomerView {
        customer_id: customer.customer_id,
        version,
        tier: customer.tier,
        contact: (!customer.erased).then_some(customer.contact),
        addresses: customer.addresses.into_values().collect(),
        payment_methods: customer.payment_methods.into_values().map(method).collect(),
        erased: customer.erased,
    }
}
