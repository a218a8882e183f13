//! The seller and the warehouse that imports use, and the goods put there.

use commands::{Caller, Stop, Unit};
use domain::inventory::{Inventory, InventoryCommand};
use domain::seller::{Seller, SellerCommand, SellerDetails};
use domain::warehouse::{Warehouse, WarehouseCommand, WarehouseDetails};
use domain::{Quantity, SellerId, SkuId, WarehouseId};
use sagas::key_store::PersonalField;

use super::ImportInto;
use super::error::ImportError;

/// Registers the seller unless it is there; returns whether it was.
pub(super) async fn seller(
    into: &ImportInto,
    caller: &Caller,
    seller_id: SellerId,
    name: &str,
) -> Result<bool, ImportError> {
    let bus = into.engine.bus();
    let refused = || ImportError::refused("seller");
    let known = bus.read::<Seller, _>(seller_id, Option::is_some).await.map_err(refused())?.value;
    if known {
        return Ok(true);
    }
    let contact = serde_json::json!({ "name": name }).to_string();
    let contact = into.keys.seal(seller_id.uuid(), PersonalField::Contact, &contact).await;
    let contact = contact.map_err(|why| ImportError::Keys { what: "seller".to_owned(), why })?;
    let details = SellerDetails { name: name.to_owned(), contact, webhook: None };
    let command = SellerCommand::Register { seller_id, details };
    bus.execute::<Seller>(caller, seller_id, command).await.map_err(refused())?;
    Ok(false)
}

/// Opens the warehouse unless it is there; returns whether it was.
pub(super) async fn warehouse(
    into: &ImportInto,
    caller: &Caller,
    warehouse_id: WarehouseId,
    name: &str,
) -> Result<bool, ImportError> {
    let name = name.to_owned();
    let done = into.engine.bus().run(caller, move |unit| {
        if unit.state::<Warehouse>(&warehouse_id)?.is_some() {
            return Ok(true);
        }
        let details = WarehouseDetails { name: name.clone(), rank: 1 };
        let command = WarehouseCommand::Open { warehouse_id, details };
        unit.execute::<Warehouse>(&warehouse_id, &command)?;
        Ok(false)
    });
    Ok(done.await.map_err(ImportError::refused("warehouse"))?.value)
}

/// Takes in as many units as make `units` received at the warehouse in all, so that a repeat takes
/// in none; returns how many.
pub(super) fn receive_up_to(
    unit: &mut Unit<'_>,
    sku_id: SkuId,
    warehouse_id: WarehouseId,
    units: u64,
    reference: &str,
) -> Result<u64, Stop> {
    let stock = unit.state::<Inventory>(&sku_id)?.warehouses.get(&warehouse_id);
    let mut missing = units.saturating_sub(stock.map_or(0, |stock| stock.received));
    let taken_in = missing;
    let mut delivery = 1;
    while missing > 0 {
        let part = u32::try_from(missing).unwrap_or(u32::MAX).min(Quantity::MAX);
        let Ok(quantity) = Quantity::new(part) else { break };
        let reference = Some(format!("{reference} {units}.{delivery}"));
        let command = InventoryCommand::Receive { warehouse_id, quantity, reference };
        unit.execute::<Inventory>(&sku_id, &command)?;
        missing -= u64::from(part);
        delivery += 1;
    }
    Ok(taken_in)
}
