//! How stock rows are kept, and how units move between held and committed when they are saved.

use crate::sql::{Connection, OptionalExtension, params};
use domain::{OrderId, SkuId, WarehouseId};

use super::level::Level;
use super::{Hold, Kind, Sku, Soft, StockKey};
use crate::StoreError;
use crate::id_column::{id, optional_id};

pub(super) fn load(connection: &Connection, key: &StockKey) -> Result<Option<Kind>, StoreError> {
    match key {
        StockKey::Level(sku, warehouse) => load_level(connection, *sku, *warehouse),
        StockKey::Sku(sku) => load_sku(connection, *sku),
        StockKey::Soft(sku, cart) => Ok(connection
            .prepare_cached(
                "SELECT units, expires_us FROM soft_holds WHERE sku = ?1 AND cart = ?2",
            )?
            .query_row(params![sku.uuid().as_bytes(), cart.uuid().as_bytes()], |row| {
                Ok(Kind::Soft(Soft { units: row.get(0)?, expires_us: row.get(1)? }))
            })
            .optional()?),
        StockKey::Hold(order, sku) => {
            let mut statement = connection.prepare_cached(
                "SELECT warehouse, units FROM holds WHERE order_id = ?1 AND sku = ?2
                 ORDER BY warehouse",
            )?;
            let hold = statement
                .query_map(params![order.uuid().as_bytes(), sku.uuid().as_bytes()], |row| {
                    Ok((id(row, 0)?, row.get(1)?))
                })?
                .collect::<Result<Hold, _>>()?;
            Ok((!hold.is_empty()).then_some(Kind::Hold(hold)))
        }
        StockKey::Firm(order) => Ok(is_firm(connection, *order)?.then_some(Kind::Firm)),
    }
}

fn load_level(
    connection: &Connection,
    sku: SkuId,
    warehouse: WarehouseId,
) -> Result<Option<Kind>, StoreError> {
    connection
        .prepare_cached(
            "SELECT on_hand, reserved, unavailable, received, returned, shipped, written_off
             FROM levels WHERE sku = ?1 AND warehouse = ?2",
        )?
        .query_row(params![sku.uuid().as_bytes(), warehouse.uuid().as_bytes()], |row| {
            Ok(Kind::Level(Level {
                on_hand: row.get(0)?,
                reserved: row.get(1)?,
                unavailable: row.get(2)?,
                received: row.get(3)?,
                returned: row.get(4)?,
                shipped: row.get(5)?,
                written_off: row.get(6)?,
            }))
        })
        .optional()
}

fn load_sku(connection: &Connection, sku: SkuId) -> Result<Option<Kind>, StoreError> {
    let found = connection
        .prepare_cached("SELECT product, policy FROM skus WHERE sku = ?1")?
        .query_row([sku.uuid().as_bytes()], |row| Ok((optional_id(row, 0)?, row.get::<String>(1)?)))
        .optional()?;
    let Some((product_id, policy)) = found else { return Ok(None) };
    Ok(Some(Kind::Sku(Sku { product_id, policy: serde_json::from_str(&policy)? })))
}

pub(super) fn save(
    connection: &Connection,
    key: &StockKey,
    before: Option<&Kind>,
    after: Option<&Kind>,
) -> Result<(), StoreError> {
    match (key, before, after) {
        (StockKey::Level(sku, warehouse), _, Some(Kind::Level(level))) => {
            save_level(connection, *sku, *warehouse, level)
        }
        (StockKey::Sku(sku), _, Some(Kind::Sku(row))) => {
            connection
                .prepare_cached(
                    "INSERT INTO skus (sku, product, policy) VALUES (?1, ?2, ?3)
                     ON CONFLICT (sku) DO UPDATE SET product = excluded.product,
                         policy = excluded.policy",
                )?
                .execute(params![
                    sku.uuid().as_bytes(),
                    row.product_id.map(|id| id.uuid().into_bytes()),
                    serde_json::to_string(&row.policy)?
                ])?;
            Ok(())
        }
        (StockKey::Soft(sku, cart), before, after) => {
            let soft = |kind: Option<&Kind>| match kind {
                Some(Kind::Soft(soft)) => Some(*soft),
                _ => None,
            };
            save_soft(connection, *sku, cart.uuid().as_bytes(), soft(before), soft(after))
        }
        (StockKey::Hold(order, sku), before, after) => {
            save_hold(connection, *order, *sku, hold(before), hold(after))
        }
        (StockKey::Firm(order), None, Some(_)) => {
            connection
                .prepare_cached(
                    "INSERT INTO firm_orders VALUES (?1) ON CONFLICT (order_id) DO NOTHING",
                )?
                .execute([order.uuid().as_bytes()])?;
            move_holds(connection, *order, 1)
        }
        (StockKey::Firm(order), Some(_), None) => {
            connection
                .prepare_cached("DELETE FROM firm_orders WHERE order_id = ?1")?
                .execute([order.uuid().as_bytes()])?;
            move_holds(connection, *order, -1)
        }
        _ => Ok(()),
    }
}

fn save_level(
    connection: &Connection,
    sku: SkuId,
    warehouse: WarehouseId,
    level: &Level,
) -> Result<(), StoreError> {
    // `committed` is not the level's to write.
    connection
        .prepare_cached(
            "INSERT INTO levels (sku, warehouse, on_hand, reserved, unavailable, received,
                 returned, shipped, written_off)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (sku, warehouse) DO UPDATE SET
                 on_hand = excluded.on_hand, reserved = excluded.reserved,
                 unavailable = excluded.unavailable, received = excluded.received,
                 returned = excluded.returned, shipped = excluded.shipped,
                 written_off = excluded.written_off",
        )?
        .execute(params![
            sku.uuid().as_bytes(),
            warehouse.uuid().as_bytes(),
            level.on_hand,
            level.reserved,
            level.unavailable,
            level.received,
            level.returned,
            level.shipped,
            level.written_off
        ])?;
    Ok(())
}

fn save_soft(
    connection: &Connection,
    sku: SkuId,
    cart: &[u8; 16],
    before: Option<Soft>,
    after: Option<Soft>,
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let change = after.map_or(0, |soft| i64::from(soft.units))
        - before.map_or(0, |soft| i64::from(soft.units));
    match after {
        Some(soft) => connection
            .prepare_cached(
                "INSERT INTO soft_holds VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (sku, cart) DO UPDATE SET units = excluded.units,
                     expires_us = excluded.expires_us",
            )?
            .execute(params![sku.uuid().as_bytes(), cart, soft.units, soft.expires_us])?,
        None => connection
            .prepare_cached("DELETE FROM soft_holds WHERE sku = ?1 AND cart = ?2")?
            .execute(params![sku.uuid().as_bytes(), cart])?,
    };
    connection
        .prepare_cached(
            "INSERT INTO skus (sku, soft) VALUES (?1, ?2)
             ON CONFLICT (sku) DO UPDATE SET soft = skus.soft + excluded.soft",
        )?
        .execute(params![sku.uuid().as_bytes(), change])?;
    Ok(())
}

fn save_hold(
    connection: &Connection,
    order: OrderId,
    sku: SkuId,
    before: &[(WarehouseId, u32)],
    after: &[(WarehouseId, u32)],
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let firm = is_firm(connection, order)?;
    let units = |hold: &[(WarehouseId, u32)], warehouse| {
        hold.iter().find(|(at, _)| *at == warehouse).map_or(0, |(_, units)| *units)
    };
    for (warehouse, was) in before {
        if units(after, *warehouse) == 0 {
            connection
                .prepare_cached(
                    "DELETE FROM holds WHERE order_id = ?1 AND sku = ?2 AND warehouse = ?3",
                )?
                .execute(params![
                    order.uuid().as_bytes(),
                    sku.uuid().as_bytes(),
                    warehouse.uuid().as_bytes()
                ])?;
            commit_units(connection, firm, sku, *warehouse, -i64::from(*was))?;
        }
    }
    for (warehouse, now) in after {
        let was = units(before, *warehouse);
        if was != *now {
            connection
                .prepare_cached(
                    "INSERT INTO holds VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (order_id, sku, warehouse)
                     DO UPDATE SET units = excluded.units",
                )?
                .execute(params![
                    order.uuid().as_bytes(),
                    sku.uuid().as_bytes(),
                    warehouse.uuid().as_bytes(),
                    now
                ])?;
            commit_units(connection, firm, sku, *warehouse, i64::from(*now) - i64::from(was))?;
        }
    }
    Ok(())
}

/// The order became firm (1) or is no longer (−1): what it holds changes sides.
fn move_holds(connection: &Connection, order: OrderId, sign: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE levels SET committed = committed + ?2 * (
                 SELECT units FROM holds WHERE order_id = ?1
                     AND holds.sku = levels.sku AND holds.warehouse = levels.warehouse)
             WHERE (sku, warehouse) IN (SELECT sku, warehouse FROM holds WHERE order_id = ?1)",
        )?
        .execute(params![order.uuid().as_bytes(), sign])
}

fn commit_units(
    connection: &Connection,
    firm: bool,
    sku: SkuId,
    warehouse: WarehouseId,
    units: i64,
) -> Result<(), StoreError> {
    if firm {
        connection
            .prepare_cached(
                "UPDATE levels SET committed = committed + ?3 WHERE sku = ?1 AND warehouse = ?2",
            )?
            .execute(params![sku.uuid().as_bytes(), warehouse.uuid().as_bytes(), units])?;
    }
    Ok(())
}

/// What saving this row asks for; see [`crate::Projector::ask_before_save`].
pub(super) fn ask_before_save(connection: &Connection, key: &StockKey) -> Result<(), StoreError> {
    match key {
        StockKey::Hold(order, _) => is_firm(connection, *order).map(drop),
        _ => Ok(()),
    }
}

fn is_firm(connection: &Connection, order: OrderId) -> Result<bool, StoreError> {
    connection
        .prepare_cached("SELECT 1 FROM firm_orders WHERE order_id = ?1")?
        .exists([order.uuid().as_bytes()])
}

fn hold(kind: Option<&Kind>) -> &[(WarehouseId, u32)] {
    match kind {
        Some(Kind::Hold(hold)) => hold,
        _ => &[],
    }
}
