//! The rules of this model.

use crate::sql::Connection;
use domain::customer::{Address, CustomerEvent, PaymentMethod};
use domain::pricing::Tier;
use domain::seller::{SellerDetails, SellerEvent};
use domain::warehouse::{WarehouseDetails, WarehouseEvent};
use domain::{CustomerId, PaymentMethodId, Sealed, SellerId, WarehouseId};
use proptest::prelude::*;
use schemas::AnyEvent;
use uuid::Uuid;

use super::*;
use crate::given::{dump, empty, feed, given, id, log};

type Given = (Uuid, AnyEvent);

fn sealed(text: &str) -> Sealed {
    Sealed::from_ciphertext(text.to_owned())
}

fn of_customer(number: u128, event: CustomerEvent) -> Given {
    (id(number), event.into())
}

fn registered(number: u128, tier: Tier) -> Given {
    let customer_id = id(number);
    let contact = sealed("contact");
    let event = CustomerEvent::Registered { customer_id, tier, contact };
    of_customer(number, event)
}

fn method(number: u128) -> PaymentMethod {
    PaymentMethod {
        payment_method_id: id(number),
        provider: "sandbox".to_owned(),
        token: sealed("the token"),
        label: Some(sealed("the label")),
    }
}

fn address(number: u128) -> Address {
    Address { address_id: id(number), country: "GB".to_owned(), details: sealed("street") }
}

fn opened(number: u128, rank: u32) -> Given {
    let details = WarehouseDetails { name: format!("Warehouse {number}"), rank };
    let warehouse_id = id(number);
    let event = WarehouseEvent::Opened { warehouse_id, details };
    (id(number), event.into())
}

fn model(events: impl IntoIterator<Item = Given>) -> Connection {
    given::<Parties>(&log(events))
}

#[test]
fn a_customer_shows_addresses_and_methods_but_never_a_token() {
    let connection = model([
        registered(1, Tier::Retail),
        of_customer(1, CustomerEvent::AddressAdded(address(5))),
        of_customer(1, CustomerEvent::PaymentMethodAdded(method(7))),
        of_customer(1, CustomerEvent::TierChanged { from: Tier::Retail, to: Tier::Wholesale }),
    ]);
    let view = customer(&connection, id(1)).unwrap().unwrap();
    assert_eq!((view.tier, view.addresses.len()), (Tier::Wholesale, 1));
    assert_eq!(view.payment_methods[0].provider, "sandbox");
    let json = serde_json::to_string(&view).unwrap();
    assert!(json.contains("the label") && !json.contains("the token"), "{json}");
    let page = customers(&connection, CustomerFilter::default(), None, 10).unwrap();
    let json = serde_json::to_string(&page.rows).unwrap();
    for secret in ["token", "label", "street", "contact"] {
        assert!(!json.contains(secret), "{json}");
    }
}

#[test]
fn a_token_is_given_out_for_one_method_of_its_customer() {
    let connection = model([
        registered(1, Tier::Retail),
        of_customer(1, CustomerEvent::PaymentMethodAdded(method(7))),
        registered(2, Tier::Retail),
    ]);
    let method: PaymentMethodId = id(7);
    let token = payment_token(&connection, id(1), method).unwrap().unwrap();
    assert_eq!(token.token.ciphertext(), "the token");
    assert_eq!(payment_token(&connection, id(2), method).unwrap(), None);
    assert_eq!(payment_token(&connection, id(3), method).unwrap(), None);
}

#[test]
fn an_erased_customer_is_known_but_nothing_personal_is_left_in_the_file() {
    let customer_id = id(1);
    let connection = model([
        registered(1, Tier::Retail),
        of_customer(1, CustomerEvent::AddressAdded(address(5))),
        of_customer(1, CustomerEvent::PaymentMethodAdded(method(7))),
        of_customer(1, CustomerEvent::Erased { customer_id }),
    ]);
    let view = customer(&connection, customer_id).unwrap().unwrap();
    assert!(view.erased && view.contact.is_none() && view.payment_methods.is_empty());
    assert_eq!(view.addresses[0].country, "GB");
    let rows = format!("{:?}", dump(&connection)["customer"]);
    for secret in ["token\"", "the label", "street", "\"contact\\\":\\\"contact"] {
        assert!(!rows.contains(secret), "{rows}");
    }
    let erased = CustomerFilter { erased: Some(true), ..CustomerFilter::default() };
    assert_eq!(customers(&connection, erased, None, 10).unwrap().rows.len(), 1);
}

#[test]
fn pages_hold_every_customer_once() {
    let tier = |number: u128| match number % 3 {
        0 => Tier::Wholesale,
        _ => Tier::Retail,
    };
    let connection = model((1..=25).map(|number| registered(number, tier(number))));
    for (wanted, expected) in [(None, 25), (Some(Tier::Wholesale), 8)] {
        let filter = CustomerFilter { tier: wanted, ..CustomerFilter::default() };
        let mut seen: Vec<CustomerId> = Vec::new();
        let mut after = None;
        loop {
            let page = customers(&connection, filter, after, 4).unwrap();
            assert!(page.rows.len() <= 4);
            seen.extend(page.rows.iter().map(|row| row.customer_id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), expected);
        assert!(seen.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn limits_are_brought_into_bounds() {
    let connection = model((1..=150).map(|number| registered(number, Tier::Retail)));
    for (limit, rows) in [(0, 1), (usize::MAX, LIMIT_MAX)] {
        let page = customers(&connection, CustomerFilter::default(), None, limit).unwrap();
        assert_eq!(page.rows.len(), rows);
    }
}

#[test]
fn sellers_are_found_by_id_and_in_pages() {
    let details = |name: &str| SellerDetails {
        name: name.to_owned(),
        contact: sealed("contact"),
        webhook: None,
    };
    let registered = |number: u128| -> Given {
        let seller_id = id(number);
        let details = details("Before");
        (id(number), SellerEvent::Registered { seller_id, details }.into())
    };
    let changed = (id(2), SellerEvent::DetailsChanged(details("After")).into());
    let connection = model([registered(1), registered(2), changed]);
    let second: SellerId = id(2);
    assert_eq!(seller(&connection, second).unwrap().unwrap().details.name, "After");
    assert_eq!(seller(&connection, id(3)).unwrap(), None);
    let page = sellers(&connection, None, 1).unwrap();
    let rest = sellers(&connection, page.next, 1).unwrap();
    assert_eq!((rest.rows[0].seller_id, rest.next), (second, None));
}

#[test]
fn warehouses_come_in_the_order_they_are_drawn_on() {
    let connection = model([
        opened(1, 5),
        opened(2, 1),
        opened(3, 5),
        (id(3), WarehouseEvent::Deactivated {}.into()),
    ]);
    let mut seen: Vec<(WarehouseId, bool)> = Vec::new();
    let mut after = None;
    for _ in 0..3 {
        let page = warehouses(&connection, after, 1).unwrap();
        seen.extend(page.rows.iter().map(|row| (row.warehouse_id, row.active)));
        after = page.next;
    }
    assert_eq!(seen, [(id(2), true), (id(1), true), (id(3), false)]);
    assert_eq!(after, None);
    assert_eq!(warehouse(&connection, id(1)).unwrap().unwrap().details.rank, 5);
}

#[test]
fn an_event_about_nobody_makes_nobody() {
    let connection = model([of_customer(1, CustomerEvent::AddressAdded(address(5)))]);
    assert_eq!(customer(&connection, id(1)).unwrap(), None);
}

fn any_event() -> impl Strategy<Value = Given> {
    (1_u128..4, 0..8).prop_map(|(number, kind)| match kind {
        0 | 1 => registered(number, Tier::Retail),
        2 => of_customer(number, CustomerEvent::AddressAdded(address(number))),
        3 => of_customer(number, CustomerEvent::PaymentMethodAdded(method(number))),
        4 => {
            let customer_id = id(number);
            of_customer(number, CustomerEvent::Erased { customer_id })
        }
        5 => opened(number, 3),
        _ => (id(number), WarehouseEvent::Deactivated {}.into()),
    })
}

proptest! {
    #![proptest_config(crate::given::cases())]

    #[test]
    fn batches_of_any_size_leave_the_same_rows(
        events in prop::collection::vec(any_event(), 0..60), batch in 1_usize..20,
    ) {
        let events = log(events);
        let other = empty::<Parties>();
        feed::<Parties>(&other, &events, batch);
        prop_assert_eq!(dump(&other), dump(&given::<Parties>(&events)));
    }
}

crate::given::also_in_postgres! {
    a_customer_shows_addresses_and_methods_but_never_a_token
    a_token_is_given_out_for_one_method_of_its_customer
    an_erased_customer_is_known_but_nothing_personal_is_left_in_the_file
    pages_hold_every_customer_once
    limits_are_brought_into_bounds
    sellers_are_found_by_id_and_in_pages
    warehouses_come_in_the_order_they_are_drawn_on
    an_event_about_nobody_makes_nobody
    batches_of_any_size_leave_the_same_rows
}
