//! The categories here are those the domain files its streams under.

use domain::Decider;
use schemas::StoredEvent;

fn same<D: Decider>()
where
    D::Event: StoredEvent,
{
    assert_eq!(D::CATEGORY, D::Event::CATEGORY);
}

#[test]
fn events_are_named_after_their_streams_category() {
    same::<domain::product::Product>();
    same::<domain::category::Category>();
    same::<domain::rating::Rating>();
    same::<domain::customer::Customer>();
    same::<domain::seller::Seller>();
    same::<domain::warehouse::Warehouse>();
    same::<domain::inventory::Inventory>();
    same::<domain::cart::Cart>();
    same::<domain::order::Order>();
    same::<domain::payment::Payment>();
    same::<domain::shipment::Shipment>();
    same::<domain::product_return::ProductReturn>();
    same::<domain::checkout::Checkout>();
}
