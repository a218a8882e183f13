//! The best partners of a product: read in one look-up, or counted on the spot.

use crate::sql::FromSqlError;
use crate::sql::{Connection, OptionalExtension, params};
use domain::ProductId;

use crate::StoreError;
use crate::frequently_bought_together::counting::Counter;
use crate::frequently_bought_together::{Partner, Score, changes};

/// Most partners worked out ahead of time, for each score.
pub const TOP_MAX: usize = 20;

/// Orders of a product up to which it is counted on the spot when nothing is stored for it yet.
const ORDERS_ON_THE_SPOT_MAX: u32 = 2_000;

/// Which partners a reader wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Freshness {
    /// As last worked out by [`refresh`](super::refresh()), in constant time.
    #[default]
    Stored,
    /// As of now; counts if anything changed since, which takes time in proportion to the
    /// lines of the product's orders.
    Current,
}

/// A product bought together with the one asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    pub product_id: ProductId,
    /// Orders with both products.
    pub together: u32,
    /// Orders with this product.
    pub orders: u32,
    pub cosine: f64,
    pub lift: f64,
    pub jaccard: f64,
}

/// Answer of [`top`].
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    pub product_id: ProductId,
    /// Orders with the product asked for.
    pub orders: u32,
    /// Orders in all.
    pub all_orders: u32,
    /// Whether the product or a partner may have changed since this was worked out.
    pub stale: bool,
    /// Best first.
    pub partners: Vec<Recommendation>,
}

/// The best `k` partners of a product, at most [`TOP_MAX`] of them unless `freshness` is
/// [`Freshness::Current`]; none for a product that is in no order.
///
/// Partners with fewer orders together than the setting `support_min` are left out.
pub fn top(
    connection: &Connection,
    product: ProductId,
    k: usize,
    score: Score,
    freshness: Freshness,
) -> Result<Top, StoreError> {
    // One state of the file for all statements, unless the caller sees to that.
    let _snapshot = connection.snapshot()?;
    let all_orders: u32 =
        connection.prepare_cached("SELECT orders FROM total")?.query_row([], |row| row.get(0))?;
    let stale = is_stale(connection, product)?;
    let stored = stored(connection, product)?;
    let (orders, mut partners, stale) = match (stored, freshness) {
        (Some((orders, partners)), Freshness::Stored) => (orders, partners, stale),
        (Some((orders, partners)), Freshness::Current) if !stale && k <= TOP_MAX => {
            (orders, partners, false)
        }
        (None, Freshness::Stored) if orders(connection, product)? > ORDERS_ON_THE_SPOT_MAX => {
            (orders(connection, product)?, Vec::new(), true)
        }
        (_, Freshness::Current) | (None, Freshness::Stored) => {
            let support_min = support_min(connection)?;
            let (orders, partners) = Counter::new(connection).partners(product, support_min)?;
            (orders, partners, false)
        }
    };
    score.keep_best(orders, &mut partners, k);
    Ok(Top {
        product_id: product,
        orders,
        all_orders,
        stale,
        partners: partners
            .iter()
            .map(|partner| Recommendation {
                product_id: partner.product_id,
                together: partner.together,
                orders: partner.orders,
                cosine: partner.cosine(orders),
                lift: partner.lift(orders, all_orders),
                jaccard: partner.jaccard(orders),
            })
            .collect(),
    })
}

fn is_stale(connection: &Connection, product: ProductId) -> Result<bool, StoreError> {
    let marked = connection
        .prepare_cached("SELECT 1 FROM product WHERE product_id = ?1 AND stale > 0")?
        .exists([product.uuid().into_bytes()])?;
    Ok(marked || changes::any(connection)?)
}

fn orders(connection: &Connection, product: ProductId) -> Result<u32, StoreError> {
    connection
        .prepare_cached("SELECT count(*) FROM posting WHERE product_id = ?1")?
        .query_row([product.uuid().into_bytes()], |row| row.get(0))
}

pub(super) fn support_min(connection: &Connection) -> Result<u32, StoreError> {
    connection.prepare_cached("SELECT support_min FROM settings")?.query_row([], |row| row.get(0))
}

/// What was last stored: the product's orders then, and partners with their orders then.
pub(super) fn stored(
    connection: &Connection,
    product: ProductId,
) -> Result<Option<(u32, Vec<Partner>)>, StoreError> {
    connection
        .prepare_cached("SELECT orders, partners FROM top WHERE product_id = ?1")?
        .query_row([product.uuid().into_bytes()], |row| {
            Ok((row.get(0)?, read(row.get_ref(1)?.as_blob()?)?))
        })
        .optional()
}

/// Stores those partners that are among the best [`TOP_MAX`] by any score.
pub(super) fn store(
    connection: &Connection,
    product: ProductId,
    of_orders: u32,
    partners: &[Partner],
) -> Result<(), StoreError> {
    let mut best: Vec<Partner> = Vec::with_capacity(Score::ALL.len() * TOP_MAX);
    for score in Score::ALL {
        let mut by_score = partners.to_vec();
        score.keep_best(of_orders, &mut by_score, TOP_MAX);
        best.extend(by_score);
    }
    best.sort_unstable_by_key(|partner| partner.product_id);
    best.dedup();
    connection
        .prepare_cached(
            "INSERT INTO top VALUES (?1, ?2, ?3) ON CONFLICT (product_id)
             DO UPDATE SET orders = excluded.orders, partners = excluded.partners",
        )?
        .execute(params![product.uuid().into_bytes(), of_orders, write(&best)])?;
    Ok(())
}

/// Each partner as its id, then together and orders as four bytes each, highest first.
fn write(partners: &[Partner]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(partners.len() * 24);
    for partner in partners {
        blob.extend_from_slice(partner.product_id.uuid().as_bytes());
        blob.extend_from_slice(&partner.together.to_be_bytes());
        blob.extend_from_slice(&partner.orders.to_be_bytes());
    }
    blob
}

fn read(blob: &[u8]) -> Result<Vec<Partner>, FromSqlError> {
    let (partners, rest) = blob.as_chunks::<24>();
    if !rest.is_empty() {
        return Err(FromSqlError::InvalidType);
    }
    Ok(partners
        .iter()
        .map(|bytes| {
            let number = |at: usize| {
                u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
            };
            let mut id = [0; 16];
            id.copy_from_slice(&bytes[..16]);
            Partner {
                product_id: ProductId::new(uuid::Uuid::from_bytes(id)),
                together: number(16),
                orders: number(20),
            }
        })
        .collect())
}
