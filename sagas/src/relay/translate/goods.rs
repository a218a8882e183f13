//! Products, their SKUs, and stock.

use domain::inventory::{Allocation, InventoryEvent};
use domain::pricing::PriceBook;
use domain::product::{ProductDetails, ProductEvent, SkuDetails};
use domain::{OrderId, ProductId, SkuId, WarehouseId};
use schemas::public::PublicData;
use schemas::public::goods::{
    ProductChanged, ProductCreated, ProductRepriced, ProductStatusChanged, ProductText, SkuAdded,
    SkuChanged, SkuPrices, SkuRepriced, SkuText, SkuWithdrawn, StockCause, StockChange,
    StockChanged,
};
use uuid::Uuid;

pub(super) fn product(key: Uuid, event: ProductEvent) -> PublicData {
    let product_id = ProductId::new(key);
    match event {
        ProductEvent::Created { product_id, seller_id, details, base_prices } => {
            let details = text(details);
            PublicData::ProductCreated(ProductCreated {
                product_id,
                seller_id,
                details,
                base_prices,
            })
        }
        ProductEvent::DetailsChanged(details) => {
            PublicData::ProductChanged(ProductChanged { product_id, details: text(details) })
        }
        ProductEvent::Repriced { base_prices } => {
            PublicData::ProductRepriced(ProductRepriced { product_id, base_prices })
        }
        ProductEvent::StatusChanged { from, to } => {
            PublicData::ProductStatusChanged(ProductStatusChanged {
                product_id,
                previous_status: from,
                new_status: to,
            })
        }
        ProductEvent::SkuAdded { sku_id, details, prices } => PublicData::SkuAdded(SkuAdded {
            sku_id,
            product_id,
            details: sku_text(details),
            prices: sku_prices(prices),
        }),
        ProductEvent::SkuDetailsChanged { sku_id, details } => {
            PublicData::SkuChanged(SkuChanged { sku_id, product_id, details: sku_text(details) })
        }
        ProductEvent::SkuRepriced { sku_id, prices } => {
            PublicData::SkuRepriced(SkuRepriced { sku_id, product_id, prices: sku_prices(prices) })
        }
        ProductEvent::SkuWithdrawn { sku_id } => {
            PublicData::SkuWithdrawn(SkuWithdrawn { sku_id, product_id })
        }
    }
}

fn text(details: ProductDetails) -> ProductText {
    ProductText {
        name: details.name,
        description: details.description,
        category_id: details.category_id,
        brand: details.brand,
        tags: details.tags,
    }
}

fn sku_text(details: SkuDetails) -> SkuText {
    SkuText { attributes: details.attributes, weight_g: details.weight_g, barcode: details.barcode }
}

fn sku_prices(prices: PriceBook) -> SkuPrices {
    SkuPrices { own: prices.own, sale: prices.sale }
}

/// `None` for what moves no units, and for what carts set aside for a while.
pub(super) fn stock(key: Uuid, event: InventoryEvent) -> Option<PublicData> {
    let of_one = |change| vec![change];
    let (cause, order_id, changes) = match event {
        InventoryEvent::Received { warehouse_id, quantity, .. } => {
            let change = on_hand(warehouse_id, i64::from(quantity.get()));
            (StockCause::Received, None, of_one(change))
        }
        InventoryEvent::Counted { warehouse_id, previous_on_hand, on_hand: now, .. } => {
            let change = on_hand(warehouse_id, i64::from(now) - i64::from(previous_on_hand));
            (StockCause::Counted, None, of_one(change))
        }
        InventoryEvent::WrittenOff { warehouse_id, quantity, .. } => {
            let change = on_hand(warehouse_id, -i64::from(quantity.get()));
            (StockCause::WrittenOff, None, of_one(change))
        }
        InventoryEvent::UnavailableSet { warehouse_id, previous, unavailable, .. } => {
            let unavailable = i64::from(unavailable) - i64::from(previous);
            let change = StockChange { unavailable, ..on_hand(warehouse_id, 0) };
            (StockCause::UnavailableSet, None, of_one(change))
        }
        InventoryEvent::Held { order_id, allocations } => {
            (StockCause::Held, Some(order_id), by_warehouse(&allocations, 0, 1))
        }
        InventoryEvent::Released { order_id, allocations } => {
            (StockCause::Released, Some(order_id), by_warehouse(&allocations, 0, -1))
        }
        InventoryEvent::Shipped { order_id, allocations, .. } => {
            (StockCause::Shipped, Some(order_id), by_warehouse(&allocations, -1, -1))
        }
        InventoryEvent::Returned { order_id, warehouse_id, resellable, .. } => {
            // What cannot be sold again is written off at once.
            let change = on_hand(warehouse_id, i64::from(resellable));
            (StockCause::Returned, Some(order_id), of_one(change))
        }
        InventoryEvent::Opened { .. }
        | InventoryEvent::PolicyChanged { .. }
        | InventoryEvent::SoftHeld { .. }
        | InventoryEvent::SoftReleased { .. } => return None,
    };
    let sku_id = SkuId::new(key);
    Some(told(sku_id, cause, order_id, changes))
}

fn told(
    sku_id: SkuId,
    cause: StockCause,
    order_id: Option<OrderId>,
    changes: Vec<StockChange>,
) -> PublicData {
    PublicData::StockChanged(StockChanged { sku_id, cause, order_id, changes })
}

fn on_hand(warehouse_id: WarehouseId, units: i64) -> StockChange {
    StockChange { warehouse_id, on_hand: units, held: 0, unavailable: 0 }
}

/// Sums of each warehouse, times these factors.
fn by_warehouse(allocations: &[Allocation], on_hand: i64, held: i64) -> Vec<StockChange> {
    let mut changes: Vec<StockChange> = Vec::with_capacity(allocations.len());
    for Allocation { warehouse_id, quantity } in allocations {
        let units = i64::from(quantity.get());
        let at = changes.iter().position(|change| change.warehouse_id == *warehouse_id);
        let change = match at {
            Some(at) => &mut changes[at],
            None => {
                changes.push(self::on_hand(*warehouse_id, 0));
                let last = changes.len() - 1;
                &mut changes[last]
            }
        };
        change.on_hand += on_hand * units;
        change.held += held * units;
    }
    changes
}
