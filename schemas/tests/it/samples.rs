//! One event of each kind with every field set, and one with only what must be there. Ids and
//! times are fixed: the files made of these never change.

mod browsing;
mod goods;
mod money;
mod people;
mod sale;
mod stock;

use domain::{Quantity, Timestamp};
use schemas::{AnyEvent, StoredEvent};
use uuid::Uuid;

pub(crate) struct Sample {
    pub(crate) full: AnyEvent,
    pub(crate) minimal: AnyEvent,
}

pub(crate) fn samples() -> Vec<Sample> {
    let mut all = goods::samples();
    all.extend(people::samples());
    all.extend(stock::samples());
    all.extend(sale::cart());
    all.extend(sale::order());
    all.extend(sale::after());
    all.extend(money::samples());
    all.extend(browsing::samples());
    all
}

fn pair<E: StoredEvent>(full: E, minimal: E) -> Sample {
    Sample { full: full.into_any(), minimal: minimal.into_any() }
}

/// For events all of whose fields must be there.
fn whole<E: StoredEvent>(event: E) -> Sample {
    pair(event.clone(), event)
}

pub(crate) const PRODUCT: u8 = 1;
pub(crate) const SKU: u8 = 2;
pub(crate) const SELLER: u8 = 3;
pub(crate) const WAREHOUSE: u8 = 4;
pub(crate) const CUSTOMER: u8 = 5;
const CART: u8 = 6;
const GUEST_CART: u8 = 7;
pub(crate) const ORDER: u8 = 8;
pub(crate) const PAYMENT: u8 = 9;
pub(crate) const REFUND: u8 = 10;
pub(crate) const SHIPMENT: u8 = 11;
pub(crate) const RETURN: u8 = 12;
pub(crate) const CATEGORY: u8 = 13;
const PARENT_CATEGORY: u8 = 14;
const ADDRESS: u8 = 15;
const PAYMENT_METHOD: u8 = 16;

pub(crate) fn id<I: From<Uuid>>(number: u8) -> I {
    let text = format!("01920000-0000-7000-8000-{number:012x}");
    I::from(Uuid::parse_str(&text).unwrap())
}

pub(crate) fn units(number: u32) -> Quantity {
    Quantity::new(number).unwrap()
}

pub(crate) fn at(time: &str) -> Timestamp {
    format!("2026-01-02T{time}Z").parse().unwrap()
}
