//! The views as people read them, under a role that may read nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::category::CategoryEvent;
use domain::customer::CustomerEvent;
use domain::inventory::InventoryEvent;
use domain::pricing::{PriceBook, Prices, Tier};
use domain::product::{ProductDetails, ProductEvent, SkuDetails};
use domain::seller::{SellerDetails, SellerEvent};
use domain::warehouse::{WarehouseDetails, WarehouseEvent};
use domain::{Currency, Sealed};
use journal::{Journal, MemoryJournal};

use super::server::{ask, database, try_ask};
use crate::runner::tests::{catch_up, open, tell_some};
use crate::story::{self, Teller, Together};
use crate::{Directory, PostgresOptions, orders};

/// Something for every view that the orders do not fill.
fn a_shop() -> Vec<Together> {
    let product = story::product(1);
    let details = ProductDetails {
        name: "Kite".to_owned(),
        description: String::new(),
        category_id: Some(story::id(20, 1)),
        brand: None,
        tags: BTreeSet::from(["toys".to_owned()]),
    };
    let created = ProductEvent::Created {
        product_id: product,
        seller_id: story::seller(1),
        details,
        base_prices: Prices::from([(Currency::GBP, 1_999)]),
    };
    let added = ProductEvent::SkuAdded {
        sku_id: story::sku(1),
        details: SkuDetails::default(),
        prices: PriceBook::default(),
    };
    let category = CategoryEvent::Added {
        category_id: story::id(20, 1),
        parent_id: None,
        name: "Toys".to_owned(),
        slug: "toys".to_owned(),
    };
    let registered = CustomerEvent::Registered {
        customer_id: story::customer(1),
        tier: Tier::Retail,
        contact: Sealed::from_ciphertext("sealed".to_owned()),
    };
    let seller = SellerEvent::Registered {
        seller_id: story::seller(1),
        details: SellerDetails {
            name: "Till & Roll".to_owned(),
            contact: Sealed::from_ciphertext("sealed".to_owned()),
            webhook: None,
        },
    };
    let opened = WarehouseEvent::Opened {
        warehouse_id: story::warehouse(),
        details: WarehouseDetails { name: "North".to_owned(), rank: 1 },
    };
    let soft = InventoryEvent::SoftHeld {
        cart_id: story::id(21, 1),
        quantity: story::units(1),
        expires_at: story::at(1),
    };
    vec![
        vec![(product.uuid(), created.into()), (product.uuid(), added.into())],
        vec![(story::id(22, 1), category.into())],
        vec![(story::customer(1).uuid(), registered.into())],
        vec![(story::seller(1).uuid(), seller.into())],
        vec![(story::warehouse().uuid(), opened.into())],
        vec![(story::sku(1).uuid(), soft.into())],
        // A checkout that has not ended, and a cart that is open.
        story::filled(100, 2),
        story::ordered(100, 2),
        story::filled(101, 1),
    ]
}

#[tokio::test]
async fn a_reader_reads_every_view_and_nothing_else() {
    let url = database();
    let role = format!("reader_{}", std::process::id());
    ask(&url, &format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role}"));
    let options = PostgresOptions { reader: Some(role.clone()), ..PostgresOptions::default() };
    let directory = Directory::in_postgres(&url, &options).unwrap();
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let mut teller = Teller::new(Arc::clone(&journal));
    teller.tell(story::stocked().into_iter().take(40).collect()).await;
    tell_some(&mut teller, 0..12).await;
    // What order 2 has, a second time.
    teller.tell(story::bought(2 + story::SKUS, 3)).await;
    teller.tell(a_shop()).await;
    let mut runner = open(&journal, &directory);
    catch_up(&mut runner).await;
    for feed in &mut runner.feeds {
        while feed.upkeep().unwrap() > 0 {}
    }

    let as_reader = |sql: &str| try_ask(&url, &format!("SET ROLE {role}; {sql}"));
    let views = "SELECT table_name::text FROM information_schema.views \
         WHERE table_schema = 'tillroll_read' ORDER BY 1";
    let views = ask(&url, views);
    let documented = include_str!("../../../../docs/read-models.md");
    for view in &views {
        let all = as_reader(&format!("SELECT row_to_json(v)::text FROM tillroll_read.{view} AS v"));
        assert!(all.is_ok(), "{view}: {all:?}");
        let columns = format!(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = 'tillroll_read' AND table_name = '{view}'"
        );
        let section = documented.split(&format!("### {view}\n")).nth(1);
        let section = section.unwrap_or_else(|| panic!("docs/read-models.md tells of {view}"));
        let section = section.split("\n##").next().unwrap();
        for column in ask(&url, &columns) {
            assert!(section.contains(&format!("`{column}`")), "{view}.{column} is not documented");
        }
    }
    for view in views.iter().filter(|view| *view != "parked") {
        let count = as_reader(&format!("SELECT count(*) FROM tillroll_read.{view}")).unwrap();
        assert_ne!(count, ["0"], "{view}");
    }
    assert!(as_reader("SELECT count(*) FROM tillroll_read_orders_1.orders").is_err());
    assert!(as_reader("SELECT count(*) FROM tillroll_read_meta.lease").is_err());

    // What people read is what the program answers.
    let ours = orders::by_id(&runner.read_models(), story::order(1)).unwrap().unwrap();
    let sql = format!(
        "SELECT status || ' ' || total_minor || ' ' || currency || ' ' || line_count \
         FROM tillroll_read.orders WHERE order_id = '{}'",
        story::order(1).uuid()
    );
    let status = serde_json::to_value(ours.status).unwrap();
    let expected = format!(
        "{} {} {} {}",
        status.as_str().unwrap(),
        ours.totals.total_minor,
        ours.currency,
        ours.lines.len()
    );
    assert_eq!(as_reader(&sql).unwrap(), [expected]);
    let units: BTreeSet<String> = as_reader(&format!(
        "SELECT ordered || '/' || shipped || '/' || delivered || '/' || returned \
         FROM tillroll_read.order_lines WHERE order_id = '{}'",
        story::order(1).uuid()
    ))
    .unwrap()
    .into_iter()
    .collect();
    let expected = ours.lines.iter().map(|line| {
        format!("{}/{}/{}/{}", line.ordered, line.shipped, line.delivered, line.returned)
    });
    assert_eq!(units, expected.collect());
    ask(&url, &format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
