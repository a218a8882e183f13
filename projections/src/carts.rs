//! Carts as shoppers see them: one row for each cart that is open, gone when it ends.

use crate::sql::{Connection, OptionalExtension, params};
use domain::cart::{Cart, CartEvent, CartOwner, CartState, OpenCart, PendingCheckout};
use domain::pricing::PriceRule;
use domain::{CartId, Currency, Decider, OrderId, ProductId, SkuId, Timestamp};
use schemas::AnyEvent;
use serde::{Deserialize, Serialize};

use crate::id_column::stream_id;
use crate::{Envelope, Projector, ReadModels, StoreError};

/// A cart. Prices are those last shown, in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CartView {
    pub cart_id: CartId,
    /// Version of the cart's stream.
    pub version: u64,
    pub owner: CartOwner,
    pub currency: Currency,
    /// By SKU.
    pub lines: Vec<CartLineView>,
    /// The order whose lines are locked until it ends.
    pub pending_order: Option<OrderId>,
    pub expires_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CartLineView {
    pub sku_id: SkuId,
    pub product_id: ProductId,
    pub quantity: u32,
    pub unit_minor: i64,
    pub price_rule: PriceRule,
}

/// The open cart with this id.
///
/// # Errors
/// The store's.
pub fn by_id(models: &ReadModels, id: CartId) -> Result<Option<CartView>, StoreError> {
    let row = models.read(Carts::NAME, |connection| Carts::load(connection, &id))?;
    Ok(row.map(CartView::from))
}

/// The model; see the module.
#[derive(Debug)]
pub struct Carts;

/// An open cart as the domain folds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartRow {
    cart: Box<OpenCart>,
    version: u64,
    updated_at: Timestamp,
}

impl Projector for Carts {
    type Key = CartId;
    type Row = CartRow;

    const NAME: &'static str = "carts";
    const VERSION: u32 = 1;
    const CACHED_ROWS: usize = 20_000;

    fn follows(category: &str) -> bool {
        category == "cart"
    }

    fn create_tables(connection: &Connection) -> Result<(), StoreError> {
        connection.execute_batch(
            "CREATE TABLE carts (id BLOB PRIMARY KEY, cart TEXT NOT NULL) WITHOUT ROWID;",
        )?;
        Ok(())
    }

    fn keys(event: &Envelope, keys: &mut Vec<CartId>) {
        if matches!(event.event, AnyEvent::Cart(_)) {
            keys.extend(stream_id::<CartId>(event));
        }
    }

    fn fold(_: &CartId, row: Option<CartRow>, event: &Envelope) -> Option<CartRow> {
        let AnyEvent::Cart(cart) = &event.event else {
            return row;
        };
        let mut state = CartState { open: row.map(|row| row.cart), ..CartState::default() };
        Cart::evolve(&mut state, cart);
        let ended = matches!(cart, CartEvent::Expired { .. } | CartEvent::MergedInto { .. });
        let cart = state.open.filter(|_| !ended)?;
        Some(CartRow { cart, version: event.version, updated_at: event.occurred })
    }

    fn load(connection: &Connection, key: &CartId) -> Result<Option<CartRow>, StoreError> {
        let cart: Option<String> = connection
            .prepare_cached("SELECT cart FROM carts WHERE id = ?1")?
            .query_row([key.uuid().as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(cart.map(|cart| serde_json::from_str(&cart)).transpose()?)
    }

    fn save(
        connection: &Connection,
        key: &CartId,
        before: Option<&CartRow>,
        after: Option<&CartRow>,
    ) -> Result<(), StoreError> {
        match (before, after) {
            (_, Some(row)) => {
                connection
                    .prepare_cached(
                        "INSERT INTO carts VALUES (?1, ?2)
                         ON CONFLICT (id) DO UPDATE SET cart = excluded.cart",
                    )?
                    .execute(params![key.uuid().as_bytes(), serde_json::to_string(row)?])?;
            }
            (Some(_), None) => {
                connection
                    .prepare_cached("DELETE FROM carts WHERE id = ?1")?
                    .execute([key.uuid().as_bytes()])?;
            }
            (None, None) => {}
        }
        Ok(())
    }
}

impl From<CartRow> for CartView {
    fn from(row: CartRow) -> Self {
        let lines = row.cart.lines.into_iter().map(|(sku_id, line)| CartLineView {
            sku_id,
            product_id: line.product_id,
            quantity: line.quantity.get(),
            unit_minor: line.unit_minor,
            price_rule: line.price_rule,
        });
        Self {
            cart_id: row.cart.cart_id,
            version: row.version,
            owner: row.cart.owner,
            currency: row.cart.currency,
            lines: lines.collect(),
            pending_order: row.cart.pending.map(|PendingCheckout { order_id, .. }| order_id),
            expires_at: row.cart.expires_at,
            updated_at: row.updated_at,
        }
    }
}
