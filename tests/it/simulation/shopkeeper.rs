//! The shopkeeper: stock comes in, is counted and gets lost, prices change, products and
//! warehouses come and go.

use domain::Quantity;
use domain::inventory::{Inventory, InventoryCommand};
use domain::product::{Product, ProductCommand, ProductStatus};
use domain::warehouse::{Warehouse, WarehouseCommand};

use super::shop::{self, Shop};
use super::staff::{attempt, pause};
use super::world::World;

/// Deliveries, counts, losses and prices.
pub(crate) async fn manage(world: World, shop: Shop) {
    for _ in 0..world.chance.within(5, 25) {
        pause(&world, 15_000).await;
        let (Some((product_id, sku_id)), Some(warehouse_id)) =
            (world.chance.one_of(&shop.skus), world.chance.one_of(&shop.warehouses))
        else {
            return;
        };
        let units = world.chance.within(1, 4) as u32;
        let reason = "stocktake".to_owned();
        let quantity = Quantity::new(units).unwrap_or(Quantity::ONE);
        match world.chance.below(10) {
            0 | 1 => {
                let number = world.chance.below(5);
                let reference = world.chance.percent(50).then(|| format!("note {number}"));
                let command = InventoryCommand::Receive { warehouse_id, quantity, reference };
                attempt(&world, move |unit| unit.execute::<Inventory>(&sku_id, &command)).await;
            }
            2 => {
                let stale = world.chance.percent(30);
                attempt(&world, move |unit| {
                    let state = unit.state::<Inventory>(&sku_id)?;
                    let there = state.warehouses.get(&warehouse_id).map_or(0, |w| w.on_hand);
                    let expected = Some(if stale { there + 1 } else { there });
                    let (on_hand, reason) = (there + units - 2_u32.min(units), reason.clone());
                    let command =
                        InventoryCommand::Count { warehouse_id, on_hand, expected, reason };
                    unit.execute::<Inventory>(&sku_id, &command)
                })
                .await;
            }
            3 => {
                let command = InventoryCommand::WriteOff { warehouse_id, quantity, reason };
                attempt(&world, move |unit| unit.execute::<Inventory>(&sku_id, &command)).await;
            }
            4 => {
                let unavailable = units - 1;
                let command =
                    InventoryCommand::SetUnavailable { warehouse_id, unavailable, reason };
                attempt(&world, move |unit| unit.execute::<Inventory>(&sku_id, &command)).await;
            }
            5..=7 => {
                let prices = shop::prices(&world, u64::from(units));
                let command = ProductCommand::RepriceSku { sku_id, prices };
                attempt(&world, move |unit| unit.execute::<Product>(&product_id, &command)).await;
            }
            8 => {
                for status in [ProductStatus::Inactive, ProductStatus::Active] {
                    let command = ProductCommand::ChangeStatus(status);
                    attempt(&world, move |unit| unit.execute::<Product>(&product_id, &command))
                        .await;
                    pause(&world, 3_000).await;
                }
            }
            _ => {
                for command in [WarehouseCommand::Deactivate, WarehouseCommand::Activate] {
                    attempt(&world, move |unit| unit.execute::<Warehouse>(&warehouse_id, &command))
                        .await;
                    pause(&world, 3_000).await;
                }
            }
        }
    }
}
