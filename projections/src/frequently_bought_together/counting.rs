//! Counts partners from postings and baskets.
//!
//! Counting for a product costs one look-up for each of its orders and one addition for each
//! product of those orders: 100,000 orders of ten products are 100,000 look-ups and a million
//! additions. Baskets read once are kept as short numbers, up to a bound, because a popular
//! product's orders are also those of its partners.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::sql::{Connection, OptionalExtension};
use domain::ProductId;

use crate::StoreError;
use crate::frequently_bought_together::{Partner, changes};
use crate::id_column::ids;

/// Products in baskets kept in memory: 64 MiB of them at 4 bytes each.
const KEPT_MAX: usize = 16 * 1024 * 1024;

const POSTINGS: &str = "SELECT ordinal FROM posting WHERE product_id = ?1";
const BASKET: &str = "SELECT products FROM basket WHERE ordinal = ?1";

/// Orders of a product, as far as changes have reached it.
fn known_orders(connection: &Connection, product: ProductId) -> Result<Option<i64>, StoreError> {
    connection
        .prepare_cached("SELECT orders FROM product WHERE product_id = ?1")?
        .query_row([product.uuid().into_bytes()], |row| row.get(0))
        .optional()
}

/// Counts over one state of the store: whoever uses it holds a transaction, and throws it away
/// after an error.
pub(super) struct Counter<'c> {
    connection: &'c Connection,
    numbers: HashMap<ProductId, u32, BuildHasherDefault<IdHasher>>,
    products: Vec<ProductId>,
    /// Changes of orders that have not reached the products yet, once asked for.
    pending: Option<BTreeMap<ProductId, i64>>,
    /// Orders of each product, once asked for.
    orders: Vec<Option<u32>>,
    /// All zero between counts.
    counts: Vec<u32>,
    touched: Vec<u32>,
    baskets: HashMap<i64, (usize, usize), BuildHasherDefault<IdHasher>>,
    kept: Vec<u32>,
    kept_max: usize,
}

impl<'c> Counter<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self::with_memory(connection, KEPT_MAX)
    }

    pub(super) fn with_memory(connection: &'c Connection, kept_max: usize) -> Self {
        Self {
            connection,
            numbers: HashMap::default(),
            products: Vec::new(),
            pending: None,
            orders: Vec::new(),
            counts: Vec::new(),
            touched: Vec::new(),
            baskets: HashMap::default(),
            kept: Vec::new(),
            kept_max,
        }
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Calls `found` with each product in the orders of `product`, itself too, and in how many
    /// of those orders it is; in no particular order.
    pub(super) fn count(
        &mut self,
        product: ProductId,
        mut found: impl FnMut(ProductId, u32),
    ) -> Result<(), StoreError> {
        self.add_up(product)?;
        for number in self.touched.drain(..) {
            let count = std::mem::take(&mut self.counts[number as usize]);
            found(self.products[number as usize], count);
        }
        Ok(())
    }

    /// Orders of `product`, and its partners in at least `support_min` of them.
    pub(super) fn partners(
        &mut self,
        product: ProductId,
        support_min: u32,
    ) -> Result<(u32, Vec<Partner>), StoreError> {
        let mut of_orders = 0;
        let mut partners = Vec::new();
        self.count(product, |id, together| {
            if id == product {
                of_orders = together;
            } else if together >= support_min {
                partners.push(Partner { product_id: id, together, orders: 0 });
            }
        })?;
        for partner in &partners {
            let number = self.number(partner.product_id)? as usize;
            if self.orders[number].is_none() {
                self.connection.ahead(|connection| known_orders(connection, partner.product_id))?;
            }
        }
        for partner in &mut partners {
            partner.orders = self.orders(partner.product_id)?;
        }
        Ok((of_orders, partners))
    }

    fn add_up(&mut self, product: ProductId) -> Result<(), StoreError> {
        let connection = self.connection;
        let mut postings = connection.prepare_cached(POSTINGS)?;
        let mut basket = connection.prepare_cached(BASKET)?;
        if connection.is_remote() {
            self.ask_ahead(product)?;
        }
        let mut rows = postings.query([product.uuid().into_bytes()])?;
        while let Some(row) = rows.next()? {
            let ordinal: i64 = row.get(0)?;
            let (start, end) = match self.baskets.get(&ordinal) {
                Some(range) => *range,
                None => self.keep(&mut basket, ordinal)?,
            };
            for number in &self.kept[start..end] {
                let count = &mut self.counts[*number as usize];
                if *count == 0 {
                    self.touched.push(*number);
                }
                *count += 1;
            }
        }
        Ok(())
    }

    /// Asks for the baskets of a product's orders at once.
    fn ask_ahead(&self, product: ProductId) -> Result<(), StoreError> {
        let connection = self.connection;
        let mut postings = connection.prepare_cached(POSTINGS)?;
        let mut rows = postings.query([product.uuid().into_bytes()])?;
        while let Some(row) = rows.next()? {
            let ordinal: i64 = row.get(0)?;
            if !self.baskets.contains_key(&ordinal) {
                connection.ahead(|c| c.prepare_cached(BASKET)?.query([ordinal]).map(drop))?;
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        basket: &mut crate::sql::Statement<'_>,
        ordinal: i64,
    ) -> Result<(usize, usize), StoreError> {
        if self.kept.len() >= self.kept_max {
            self.kept.clear();
            self.baskets.clear();
        }
        let start = self.kept.len();
        let mut rows = basket.query([ordinal])?;
        if let Some(row) = rows.next()? {
            let blob = row.get_ref(0)?.as_blob()?;
            for id in ids(blob)? {
                let number = self.number(ProductId::new(id))?;
                self.kept.push(number);
            }
        }
        let range = (start, self.kept.len());
        self.baskets.insert(ordinal, range);
        Ok(range)
    }

    fn number(&mut self, product: ProductId) -> Result<u32, StoreError> {
        if let Some(number) = self.numbers.get(&product) {
            return Ok(*number);
        }
        let number = u32::try_from(self.products.len())
            .map_err(|_| StoreError::Other("more products than can be counted".to_owned()))?;
        self.numbers.insert(product, number);
        self.products.push(product);
        self.orders.push(None);
        self.counts.push(0);
        Ok(number)
    }

    fn orders(&mut self, product: ProductId) -> Result<u32, StoreError> {
        let number = self.number(product)? as usize;
        if let Some(orders) = self.orders[number] {
            return Ok(orders);
        }
        let known = known_orders(self.connection, product)?;
        let pending = match &mut self.pending {
            Some(pending) => pending,
            none => none.insert(changes::pending(self.connection)?),
        };
        let orders = known.unwrap_or(0) + pending.get(&product).copied().unwrap_or(0);
        let orders = u32::try_from(orders.max(0)).unwrap_or(u32::MAX);
        self.orders[number] = Some(orders);
        Ok(orders)
    }
}

/// Multiplies to twice the width and folds the halves (as wyhash does), so that ids that differ
/// in any byte differ in the low bits. Nothing but the speed of counting depends on it.
#[derive(Default)]
struct IdHasher(u64);

impl IdHasher {
    fn mix(&mut self, number: u64) {
        let wide = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(eight));
        }
    }

    fn write_i64(&mut self, number: i64) {
        self.mix(number.cast_unsigned());
    }

    fn write_usize(&mut self, _: usize) {
        // The length of an id is always the same.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
