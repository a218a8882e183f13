//! Customers, sellers.

use domain::Sealed;
use domain::customer::{Address, CustomerEvent, PaymentMethod};
use domain::pricing::Tier;
use domain::seller::{SellerDetails, SellerEvent};

use super::*;

pub(crate) fn samples() -> Vec<Sample> {
    let mut all = customer();
    all.extend(seller());
    all
}

pub(super) fn sealed() -> Sealed {
    Sealed::from_ciphertext("s1.AAECAwQFBgcICQoL".into())
}

pub(super) fn address() -> Address {
    Address { address_id: id(ADDRESS), country: "GB".into(), details: sealed() }
}

fn customer() -> Vec<Sample> {
    let payment_method_added = |label| {
        CustomerEvent::PaymentMethodAdded(PaymentMethod {
            payment_method_id: id(PAYMENT_METHOD),
            provider: "sandbox".into(),
            token: sealed(),
            label,
        })
    };
    vec![
        whole(CustomerEvent::Registered {
            customer_id: id(CUSTOMER),
            tier: Tier::Retail,
            contact: sealed(),
        }),
        whole(CustomerEvent::ContactChanged { contact: sealed() }),
        whole(CustomerEvent::TierChanged { from: Tier::Retail, to: Tier::Wholesale }),
        whole(CustomerEvent::AddressAdded(address())),
        whole(CustomerEvent::AddressRemoved { address_id: id(ADDRESS) }),
        pair(payment_method_added(Some(sealed())), payment_method_added(None)),
        whole(CustomerEvent::PaymentMethodRemoved { payment_method_id: id(PAYMENT_METHOD) }),
        whole(CustomerEvent::Erased { customer_id: id(CUSTOMER) }),
    ]
}

fn seller() -> Vec<Sample> {
    let details = |webhook| SellerDetails { name: "Ferro Ltd".into(), contact: sealed(), webhook };
    let registered =
        |webhook| SellerEvent::Registered { seller_id: id(SELLER), details: details(webhook) };
    let webhook = || Some("https://ferro.example/tillroll".to_owned());
    vec![
        pair(registered(webhook()), registered(None)),
        pair(
            SellerEvent::DetailsChanged(details(webhook())),
            SellerEvent::DetailsChanged(details(None)),
        ),
    ]
}
