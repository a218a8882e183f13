//! The rules of a product, one each.

use super::*;
use crate::decider::{Rejection, RejectionKind};
use crate::testing::{Given, given, id};
use crate::{Currency, rule::PRICE_MINOR_MAX};

fn details(name: &str) -> ProductDetails {
    ProductDetails {
        name: name.to_owned(),
        description: String::new(),
        category_id: None,
        brand: None,
        tags: BTreeSet::new(),
    }
}

fn prices(minor: i64) -> Prices {
    [(Currency::GBP, minor)].into()
}

fn create() -> ProductCommand {
    ProductCommand::Create {
        product_id: id(1),
        seller_id: id(2),
        details: details("Mug"),
        base_prices: prices(500),
    }
}

fn created() -> ProductEvent {
    ProductEvent::Created {
        product_id: id(1),
        seller_id: id(2),
        details: details("Mug"),
        base_prices: prices(500),
    }
}

fn status(from: ProductStatus, to: ProductStatus) -> ProductEvent {
    ProductEvent::StatusChanged { from, to }
}

fn add_sku(sku: u128, colour: &str) -> ProductCommand {
    ProductCommand::AddSku {
        sku_id: id(sku),
        details: SkuDetails {
            attributes: [("colour".to_owned(), colour.to_owned())].into(),
            ..SkuDetails::default()
        },
        prices: PriceBook::default(),
    }
}

fn with_sku() -> Given<Product> {
    given([created()]).when(add_sku(7, "blue")).then([sku_added(7, "blue")])
}

fn sku_added(sku: u128, colour: &str) -> ProductEvent {
    ProductEvent::SkuAdded {
        sku_id: id(sku),
        details: SkuDetails {
            attributes: [("colour".to_owned(), colour.to_owned())].into(),
            ..SkuDetails::default()
        },
        prices: PriceBook::default(),
    }
}

fn is_invalid(field: &'static str) -> impl FnOnce(&ProductRejection) -> bool {
    move |refused| {
        assert_eq!(refused.kind(), RejectionKind::Invalid);
        matches!(refused, ProductRejection::InvalidValue(broken) if broken.field == field)
    }
}

#[test]
fn a_product_is_created_once_and_active() {
    let product = given::<Product>([]).when(create()).then_once([created()]);
    assert_eq!(product.state().as_ref().unwrap().status, ProductStatus::Active);
    product
        .when(ProductCommand::Create {
            product_id: id(1),
            seller_id: id(3),
            details: details("Cup"),
            base_prices: prices(500),
        })
        .then_rejected(ProductRejection::ProductExists { seller_id: id(2) });
}

#[test]
fn a_deleted_product_stays_deleted_and_refuses_changes() {
    use ProductStatus::{Active, Deleted, Inactive};
    let deleted = given::<Product>([created()])
        .when(ProductCommand::ChangeStatus(Inactive))
        .then_once([status(Active, Inactive)])
        .when(ProductCommand::ChangeStatus(Active))
        .then_once([status(Inactive, Active)])
        .when(ProductCommand::ChangeStatus(Deleted))
        .then_once([status(Active, Deleted)]);
    let changes = [
        create(),
        ProductCommand::ChangeStatus(Active),
        ProductCommand::ChangeStatus(Inactive),
        ProductCommand::ChangeDetails(details("Cup")),
        ProductCommand::Reprice(prices(1)),
        add_sku(7, "blue"),
        ProductCommand::WithdrawSku { sku_id: id(7) },
    ];
    changes.into_iter().fold(deleted, |deleted, change| {
        deleted.when(change).then_rejected(ProductRejection::ProductDeleted)
    });
}

#[test]
fn details_have_bounds() {
    let change = |change: &dyn Fn(&mut ProductDetails)| {
        let mut changed = details("Mug");
        change(&mut changed);
        given::<Product>([created()]).when(ProductCommand::ChangeDetails(changed))
    };
    change(&|d| d.name = "x".repeat(500)).outcome().as_ref().unwrap();
    change(&|d| d.name = "x".repeat(501)).then_refused(is_invalid("name"));
    change(&|d| d.name.clear()).then_refused(is_invalid("name"));
    change(&|d| d.description = "x".repeat(20_001)).then_refused(is_invalid("description"));
    change(&|d| d.brand = Some("x".repeat(101))).then_refused(is_invalid("brand"));
    change(&|d| d.tags = [String::new()].into()).then_refused(is_invalid("tags"));
    change(&|d| d.tags = ["x".repeat(101)].into()).then_refused(is_invalid("tags"));
    change(&|d| d.tags = (0..101).map(|n| n.to_string()).collect())
        .then_refused(is_invalid("tags"));
}

#[test]
fn prices_have_bounds() {
    for minor in [-1, PRICE_MINOR_MAX + 1] {
        given::<Product>([created()])
            .when(ProductCommand::Reprice(prices(minor)))
            .then_refused(is_invalid("base_prices"));
        with_sku()
            .when(ProductCommand::RepriceSku {
                sku_id: id(7),
                prices: PriceBook { wholesale: prices(minor), ..PriceBook::default() },
            })
            .then_refused(is_invalid("prices.wholesale"));
    }
    for minor in [0, PRICE_MINOR_MAX] {
        given::<Product>([created()])
            .when(ProductCommand::Reprice(prices(minor)))
            .then_once([ProductEvent::Repriced { base_prices: prices(minor) }]);
    }
}

#[test]
fn a_sku_is_added_once_and_withdrawn_for_good() {
    given::<Product>([created()])
        .when(add_sku(7, "blue"))
        .then_once([sku_added(7, "blue")])
        .when(add_sku(7, "red"))
        .then_rejected(ProductRejection::SkuExists { sku_id: id(7) })
        .when(ProductCommand::WithdrawSku { sku_id: id(7) })
        .then_once([ProductEvent::SkuWithdrawn { sku_id: id(7) }])
        .when(add_sku(7, "blue"))
        .then_rejected(ProductRejection::SkuWithdrawn { sku_id: id(7) })
        .when(ProductCommand::WithdrawSku { sku_id: id(8) })
        .then_rejected(ProductRejection::NoSuchSku { sku_id: id(8) });
}

#[test]
fn an_unknown_product_cannot_change() {
    for command in [
        ProductCommand::ChangeStatus(ProductStatus::Inactive),
        ProductCommand::Reprice(prices(1)),
        add_sku(7, "blue"),
    ] {
        given::<Product>([]).when(command).then_rejected(ProductRejection::NoSuchProduct);
    }
}

#[test]
fn a_refusal_says_which_rule_was_broken_and_what_was_seen() {
    let refused = ProductRejection::from(crate::BrokenRule::new("name", "short", "long"));
    assert_eq!(refused.to_string(), "name must be short, not long");
    assert_eq!(
        serde_json::to_value(&refused).unwrap(),
        serde_json::json!({
            "code": "invalid_value", "field": "name", "expected": "short", "seen": "long"
        })
    );
}
