//! The port through which the recommender learns what was bought.

use domain::{CustomerId, ProductId, Timestamp};

/// What customers bought, from the read models. Orders count from their confirmation, until they
/// are cancelled or come back whole.
pub trait Purchases: Send + Sync + 'static {
    /// What a customer bought, one entry for each product, in any order; nothing for a customer who
    /// is not known, or was erased. Bounded by whoever answers; the latest matter most.
    ///
    /// # Errors
    /// The read model cannot be read now.
    fn of_customer(&self, customer: CustomerId) -> Result<Vec<Bought>, PurchasesError>;

    /// Products bought most often of late, the best first. Serves strangers until the first
    /// training is done.
    ///
    /// # Errors
    /// The read model cannot be read now.
    fn popular(&self, limit: usize) -> Result<Vec<ProductId>, PurchasesError>;

    /// Tells every basket once, the oldest first.
    ///
    /// # Errors
    /// The read model cannot be read now.
    fn baskets(&self, tell: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError>;
}

/// Purchases that could not be read; the recommender goes on with what it has and asks again.
#[derive(Debug, thiserror::Error)]
#[error("purchases: {0}")]
pub struct PurchasesError(pub String);

/// A product that a customer bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    pub product_id: ProductId,
    /// Orders of the customer with the product in them.
    pub orders: u32,
    /// When the last of them was placed.
    pub last: Timestamp,
}

/// The products of one order, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    pub at: Timestamp,
    /// `None` for a guest.
    pub customer: Option<CustomerId>,
    pub products: Vec<ProductId>,
}
