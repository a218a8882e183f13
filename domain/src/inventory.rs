//! Inventory: the stock ledger of one SKU over all warehouses.
//!
//! received + returned = on hand + shipped + written off, and
//! held + soft + unavailable ≤ on hand, for every warehouse. A hold starts once and ends once,
//! shipped or released. There are no timers here: the checkout owns the deadline of its holds;
//! that a hold became firm is the order's confirmation, so nothing changes here then.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod availability;
mod change_policy;
mod count;
mod hold;
mod movements;
mod open;
mod receive;
mod recent;
mod rejection;
mod release;
mod set_soft_hold;
mod set_unavailable;
mod ship;
mod soft_holds;
mod take_back;
mod write_off;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod samples;

pub use availability::SkuStock;
pub use recent::Recent;
pub use rejection::InventoryRejection;
pub use soft_holds::SoftHolds;

use crate::decider::Decider;
use crate::{
    CartId, OrderId, ProductId, Quantity, ReturnId, ShipmentId, SkuId, Timestamp, WarehouseId,
};

/// Units at one warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allocation {
    pub warehouse_id: WarehouseId,
    pub quantity: Quantity,
}

/// Soft holds for this SKU: a unit in a cart is set aside for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SoftHoldPolicy {
    /// How long a cart's units are set aside; never longer than the cart lives.
    pub ttl_seconds: u32,
    /// Most units one cart can set aside.
    pub cart_max: u32,
    /// Most units all carts together can set aside.
    pub total_max: u32,
}

/// How this SKU is sold; soft holds and backorders are off unless set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockPolicy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_hold: Option<SoftHoldPolicy>,
    /// Sold even when there is none; available may then go below zero.
    #[serde(default)]
    pub backorder: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum InventoryEvent {
    /// The SKU exists and belongs to this product.
    Opened {
        sku_id: SkuId,
        product_id: ProductId,
    },
    PolicyChanged {
        policy: StockPolicy,
    },
    Received {
        warehouse_id: WarehouseId,
        quantity: Quantity,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// On hand was counted; the difference is booked as received or written off.
    /// `shortage` is how many units more are held than are there now.
    Counted {
        warehouse_id: WarehouseId,
        previous_on_hand: u32,
        on_hand: u32,
        reason: String,
        #[serde(default)]
        shortage: u32,
    },
    WrittenOff {
        warehouse_id: WarehouseId,
        quantity: Quantity,
        reason: String,
    },
    /// Units kept from sale (damaged, set aside); replaces the number before.
    UnavailableSet {
        warehouse_id: WarehouseId,
        previous: u32,
        unavailable: u32,
        reason: String,
    },
    /// Set aside for an order. Ends with `Shipped` or `Released`, unit by unit.
    Held {
        order_id: OrderId,
        allocations: Vec<Allocation>,
    },
    Released {
        order_id: OrderId,
        allocations: Vec<Allocation>,
    },
    Shipped {
        order_id: OrderId,
        shipment_id: ShipmentId,
        allocations: Vec<Allocation>,
    },
    /// Came back. Units that cannot be sold again are written off at once.
    Returned {
        order_id: OrderId,
        return_id: ReturnId,
        warehouse_id: WarehouseId,
        resellable: u32,
        scrapped: u32,
    },
    /// A cart's soft hold, replacing the one it had.
    SoftHeld {
        cart_id: CartId,
        quantity: Quantity,
        expires_at: Timestamp,
    },
    /// The soft hold ended: the cart changed, expired, or went to checkout.
    SoftReleased {
        cart_id: CartId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum InventoryCommand {
    Open {
        sku_id: SkuId,
        product_id: ProductId,
    },
    ChangePolicy {
        policy: StockPolicy,
    },
    /// `reference` (a delivery note) makes a repeat harmless within the stream's recent past.
    Receive {
        warehouse_id: WarehouseId,
        quantity: Quantity,
        reference: Option<String>,
    },
    /// Sets on hand. `expected` is what the caller believes it is now; `None` overrides.
    Count {
        warehouse_id: WarehouseId,
        on_hand: u32,
        expected: Option<u32>,
        reason: String,
    },
    WriteOff {
        warehouse_id: WarehouseId,
        quantity: Quantity,
        reason: String,
    },
    SetUnavailable {
        warehouse_id: WarehouseId,
        unavailable: u32,
        reason: String,
    },
    /// Holds exactly these allocations for the order, all or nothing; the order's own cart's
    /// soft hold, if named, is converted and not counted twice.
    Hold {
        order_id: OrderId,
        allocations: Vec<Allocation>,
        from_cart: Option<CartId>,
        now: Timestamp,
    },
    /// Releases what is still held for the order: all of it, or this many units.
    Release {
        order_id: OrderId,
        units: Option<Quantity>,
    },
    /// Takes held units out of the house, drawing on the order's holds in warehouse order of the
    /// hold (`warehouse_id` narrows it to one).
    Ship {
        order_id: OrderId,
        shipment_id: ShipmentId,
        quantity: Quantity,
        warehouse_id: Option<WarehouseId>,
    },
    /// Once for each return.
    TakeBack {
        order_id: OrderId,
        return_id: ReturnId,
        warehouse_id: WarehouseId,
        resellable: u32,
        scrapped: u32,
    },
    /// Sets, changes or (0) ends a cart's soft hold, within the policy and what is available;
    /// yields nothing where the policy has no soft holds.
    SetSoftHold {
        cart_id: CartId,
        units: u32,
        now: Timestamp,
        cart_expires_at: Timestamp,
    },
}

/// Counters at one warehouse, in units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseStock {
    pub received: u64,
    pub returned: u64,
    pub shipped: u64,
    pub written_off: u64,
    pub on_hand: u32,
    /// For orders, firm or not.
    pub held: u32,
    pub unavailable: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftHold {
    pub units: u32,
    pub expires_at: Timestamp,
}

/// A delivery taken in under a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub warehouse_id: WarehouseId,
    pub reference: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InventoryState {
    /// `None` until opened.
    pub product_id: Option<ProductId>,
    pub policy: StockPolicy,
    pub warehouses: BTreeMap<WarehouseId, WarehouseStock>,
    /// Live holds; at most one list for each order, and one entry in it for each warehouse.
    pub holds: BTreeMap<OrderId, Vec<Allocation>>,
    pub soft_holds: SoftHolds,
    /// Returns taken back of late (resellable, scrapped); makes a repeat harmless.
    pub returns: Recent<ReturnId, (u32, u32)>,
    /// Deliveries of late that had a reference; makes a repeat harmless.
    #[serde(default)]
    pub receipts: Recent<Receipt, Quantity>,
    /// Orders whose hold ended of late; a late repeat of the hold must not start it anew.
    #[serde(default)]
    pub ended_holds: Recent<OrderId, ()>,
}

/// The aggregate.
#[derive(Debug)]
pub struct Inventory;

impl Decider for Inventory {
    const CATEGORY: &'static str = "inventory";

    type Id = SkuId;
    type State = InventoryState;
    type Command = InventoryCommand;
    type Event = InventoryEvent;
    type Rejection = InventoryRejection;

    fn decide(
        state: &InventoryState,
        command: &InventoryCommand,
    ) -> Result<Vec<InventoryEvent>, InventoryRejection> {
        use InventoryCommand as C;
        if let C::Open { sku_id, product_id } = command {
            return open::decide(state, *sku_id, *product_id);
        }
        if state.product_id.is_none() {
            return Err(InventoryRejection::StockNotOpen);
        }
        match command {
            C::Open { sku_id, product_id } => open::decide(state, *sku_id, *product_id),
            C::ChangePolicy { policy } => change_policy::decide(state, policy),
            C::Receive { warehouse_id, quantity, reference } => {
                receive::decide(state, *warehouse_id, *quantity, reference.as_deref())
            }
            C::Count { warehouse_id, on_hand, expected, reason } => {
                count::decide(state, *warehouse_id, *on_hand, *expected, reason)
            }
            C::WriteOff { warehouse_id, quantity, reason } => {
                write_off::decide(state, *warehouse_id, *quantity, reason)
            }
            C::SetUnavailable { warehouse_id, unavailable, reason } => {
                set_unavailable::decide(state, *warehouse_id, *unavailable, reason)
            }
            C::Hold { order_id, allocations, from_cart, now } => {
                hold::decide(state, *order_id, allocations, *from_cart, *now)
            }
            C::Release { order_id, units } => release::decide(state, *order_id, *units),
            C::Ship { order_id, shipment_id, quantity, warehouse_id } => {
                ship::decide(state, *order_id, *shipment_id, *quantity, *warehouse_id)
            }
            C::TakeBack { order_id, return_id, warehouse_id, resellable, scrapped } => {
                let goods = (*resellable, *scrapped);
                take_back::decide(state, *order_id, *return_id, *warehouse_id, goods)
            }
            C::SetSoftHold { cart_id, units, now, cart_expires_at } => {
                set_soft_hold::decide(state, *cart_id, *units, *now, *cart_expires_at)
            }
        }
    }

    /// Decisions keep every counter within bounds; should a foreign stream not, the arithmetic
    /// saturates instead of failing, and the checks over the ledger report the difference.
    fn evolve(state: &mut InventoryState, event: &InventoryEvent) {
        use InventoryEvent as E;
        match event {
            E::Opened { product_id, .. } => state.product_id = Some(*product_id),
            E::PolicyChanged { policy } => state.policy = *policy,
            E::Received { warehouse_id, quantity, reference } => {
                state.at_mut(*warehouse_id).receive(quantity.get());
                if let Some(reference) = reference.clone() {
                    let receipt = Receipt { warehouse_id: *warehouse_id, reference };
                    state.receipts.remember(receipt, *quantity);
                }
            }
            E::Counted { warehouse_id, on_hand, .. } => state.at_mut(*warehouse_id).count(*on_hand),
            E::WrittenOff { warehouse_id, quantity, .. } => {
                state.at_mut(*warehouse_id).write_off(quantity.get())
            }
            E::UnavailableSet { warehouse_id, unavailable, .. } => {
                state.at_mut(*warehouse_id).unavailable = *unavailable
            }
            E::Held { order_id, allocations } => state.start_hold(*order_id, allocations),
            E::Released { order_id, allocations } => state.end_hold(*order_id, allocations),
            E::Shipped { order_id, allocations, .. } => {
                state.end_hold(*order_id, allocations);
                for allocation in allocations {
                    state.at_mut(allocation.warehouse_id).ship(allocation.quantity.get());
                }
            }
            E::Returned { return_id, warehouse_id, resellable, scrapped, .. } => {
                state.at_mut(*warehouse_id).take_back(*resellable, *scrapped);
                state.returns.remember(*return_id, (*resellable, *scrapped));
            }
            E::SoftHeld { cart_id, quantity, expires_at } => state
                .soft_holds
                .set(*cart_id, SoftHold { units: quantity.get(), expires_at: *expires_at }),
            E::SoftReleased { cart_id } => state.soft_holds.release(*cart_id),
        }
    }
}
