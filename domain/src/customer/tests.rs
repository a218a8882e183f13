//! The rules of a customer, one each.

use super::*;
use crate::decider::{Rejection, RejectionKind};
use crate::testing::{Given, given, id};

fn sealed(text: &str) -> Sealed {
    Sealed::from_ciphertext(text.to_owned())
}

fn registered() -> CustomerEvent {
    CustomerEvent::Registered { customer_id: id(1), tier: Tier::Retail, contact: sealed("ada") }
}

fn register(tier: Tier) -> CustomerCommand {
    CustomerCommand::Register { customer_id: id(1), tier, contact: sealed("ada") }
}

fn address(number: u128, country: &str) -> Address {
    Address { address_id: id(number), country: country.to_owned(), details: sealed("street") }
}

fn method(number: u128) -> PaymentMethod {
    PaymentMethod {
        payment_method_id: id(number),
        provider: "sandbox".into(),
        token: sealed("token"),
        label: None,
    }
}

fn ada() -> Given<Customer> {
    given([registered()])
}

#[test]
fn a_customer_registers_once() {
    given::<Customer>([])
        .when(register(Tier::Retail))
        .then_once([registered()])
        .when(register(Tier::Wholesale))
        .then_rejected(CustomerRejection::CustomerExists { customer_id: id(1) });
}

#[test]
fn an_address_is_added_once_and_removed_once() {
    ada()
        .when(CustomerCommand::AddAddress(address(5, "GB")))
        .then_once([CustomerEvent::AddressAdded(address(5, "GB"))])
        .when(CustomerCommand::AddAddress(address(5, "FR")))
        .then_rejected(CustomerRejection::AddressExists { address_id: id(5) })
        .when(CustomerCommand::RemoveAddress { address_id: id(5) })
        .then_once([CustomerEvent::AddressRemoved { address_id: id(5) }]);
}

#[test]
fn a_country_is_two_upper_case_letters() {
    for country in ["", "G", "gb", "GBR", "G1", "ÅB"] {
        ada()
            .when(CustomerCommand::AddAddress(address(5, country)))
            .then_refused(|r| r.kind() == RejectionKind::Invalid);
    }
}

#[test]
fn a_payment_method_is_added_once_and_removed_once() {
    let mut other = method(6);
    other.provider = "other".into();
    ada()
        .when(CustomerCommand::AddPaymentMethod(method(6)))
        .then_once([CustomerEvent::PaymentMethodAdded(method(6))])
        .when(CustomerCommand::AddPaymentMethod(other))
        .then_rejected(CustomerRejection::PaymentMethodExists { payment_method_id: id(6) })
        .when(CustomerCommand::RemovePaymentMethod { payment_method_id: id(6) })
        .then_once([CustomerEvent::PaymentMethodRemoved { payment_method_id: id(6) }]);
}

#[test]
fn a_customer_has_at_most_a_hundred_of_each() {
    ada()
        .and((0..100).map(|n| CustomerEvent::AddressAdded(address(n, "GB"))))
        .and((0..100).map(|n| CustomerEvent::PaymentMethodAdded(method(n))))
        .when(CustomerCommand::AddAddress(address(0, "GB")))
        .then_nothing()
        .when(CustomerCommand::AddAddress(address(100, "GB")))
        .then_rejected(CustomerRejection::TooManyAddresses { max: 100 })
        .when(CustomerCommand::AddPaymentMethod(method(100)))
        .then_rejected(CustomerRejection::TooManyPaymentMethods { max: 100 });
}

#[test]
fn an_erasure_is_final_and_leaves_only_countries() {
    let erased = ada()
        .and([
            CustomerEvent::AddressAdded(address(5, "GB")),
            CustomerEvent::PaymentMethodAdded(method(6)),
        ])
        .when(CustomerCommand::Erase { customer_id: id(1) })
        .then_once([CustomerEvent::Erased { customer_id: id(1) }]);
    let left = serde_json::to_string(erased.state()).unwrap();
    assert!(left.contains("GB"));
    for gone in ["ada", "street", "token"] {
        assert!(!left.contains(gone), "{gone} is still in {left}");
    }
    let changes = [
        register(Tier::Retail),
        CustomerCommand::ChangeTier { tier: Tier::Wholesale },
        CustomerCommand::ChangeContact { contact: sealed("eve") },
        CustomerCommand::AddAddress(address(7, "GB")),
        CustomerCommand::RemoveAddress { address_id: id(5) },
        CustomerCommand::AddPaymentMethod(method(8)),
    ];
    changes.into_iter().fold(erased, |erased, change| {
        erased.when(change).then_rejected(CustomerRejection::CustomerErased)
    });
}

#[test]
fn a_tier_and_a_contact_change_once() {
    ada()
        .when(CustomerCommand::ChangeTier { tier: Tier::Wholesale })
        .then_once([CustomerEvent::TierChanged { from: Tier::Retail, to: Tier::Wholesale }])
        .when(CustomerCommand::ChangeContact { contact: sealed("ada l.") })
        .then_once([CustomerEvent::ContactChanged { contact: sealed("ada l.") }]);
}

#[test]
fn nobody_changes_or_erases_an_unknown_customer() {
    for command in [
        CustomerCommand::Erase { customer_id: id(1) },
        CustomerCommand::AddAddress(address(5, "GB")),
    ] {
        given::<Customer>([]).when(command).then_rejected(CustomerRejection::NoSuchCustomer);
    }
}
