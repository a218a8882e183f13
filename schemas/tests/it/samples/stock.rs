//! Warehouses, inventory.

use domain::inventory::{Allocation, InventoryEvent, SoftHoldPolicy, StockPolicy};
use domain::warehouse::{WarehouseDetails, WarehouseEvent};

use super::*;

pub(crate) fn samples() -> Vec<Sample> {
    let mut all = warehouse();
    all.extend(ledger());
    all.extend(holds());
    all
}

fn warehouse() -> Vec<Sample> {
    let details = || WarehouseDetails { name: "North".into(), rank: 1 };
    vec![
        whole(WarehouseEvent::Opened { warehouse_id: id(WAREHOUSE), details: details() }),
        whole(WarehouseEvent::DetailsChanged(details())),
        whole(WarehouseEvent::Activated {}),
        whole(WarehouseEvent::Deactivated {}),
    ]
}

fn ledger() -> Vec<Sample> {
    let received = |reference| InventoryEvent::Received {
        warehouse_id: id(WAREHOUSE),
        quantity: units(5),
        reference,
    };
    let policy_changed = |soft_hold, backorder| InventoryEvent::PolicyChanged {
        policy: StockPolicy { soft_hold, backorder },
    };
    let soft_hold = SoftHoldPolicy { ttl_seconds: 900, cart_max: 2, total_max: 50 };
    vec![
        whole(InventoryEvent::Opened { sku_id: id(SKU), product_id: id(PRODUCT) }),
        pair(policy_changed(Some(soft_hold), true), policy_changed(None, false)),
        pair(received(Some("DN-2026-17".into())), received(None)),
        whole(InventoryEvent::Counted {
            warehouse_id: id(WAREHOUSE),
            previous_on_hand: 12,
            on_hand: 9,
            reason: "yearly count".into(),
            shortage: 1,
        }),
        whole(InventoryEvent::WrittenOff {
            warehouse_id: id(WAREHOUSE),
            quantity: units(2),
            reason: "water damage".into(),
        }),
        whole(InventoryEvent::UnavailableSet {
            warehouse_id: id(WAREHOUSE),
            previous: 0,
            unavailable: 3,
            reason: "on display".into(),
        }),
    ]
}

fn holds() -> Vec<Sample> {
    let allocations = || vec![Allocation { warehouse_id: id(WAREHOUSE), quantity: units(2) }];
    vec![
        whole(InventoryEvent::Held { order_id: id(ORDER), allocations: allocations() }),
        whole(InventoryEvent::Released { order_id: id(ORDER), allocations: allocations() }),
        whole(InventoryEvent::Shipped {
            order_id: id(ORDER),
            shipment_id: id(SHIPMENT),
            allocations: allocations(),
        }),
        whole(InventoryEvent::Returned {
            order_id: id(ORDER),
            return_id: id(RETURN),
            warehouse_id: id(WAREHOUSE),
            resellable: 1,
            scrapped: 1,
        }),
        whole(InventoryEvent::SoftHeld {
            cart_id: id(CART),
            quantity: units(2),
            expires_at: at("04:05:06"),
        }),
        whole(InventoryEvent::SoftReleased { cart_id: id(CART) }),
    ]
}
