//! What was bought, from the read models, as the recommender asks for it.

use domain::{CustomerId, ProductId};
use journal::Position;
use projections::parties::{self, Parties};
use projections::purchases::{
    self, ChangedCustomers, CountedOrder, changed_customers, of_customer, orders_after, popular,
};
use projections::{Projector, ReadModels, StoreError};
use search::{Basket, Bought, Purchases, PurchasesError};

/// Products of a customer that are looked at: the latest.
const BOUGHT_MAX: usize = 500;
/// Orders read at a time.
const PAGE: usize = 5_000;

/// Purchases in the read models.
pub(super) struct PurchasesOf(pub(super) ReadModels);

impl PurchasesOf {
    /// Orders placed after a position that count by now.
    pub(super) fn orders_after(&self, after: Position) -> Result<Vec<CountedOrder>, StoreError> {
        self.0.read(purchases::Purchases::NAME, |connection| orders_after(connection, after, PAGE))
    }

    /// Customers whose purchases changed after `since`, with ids above `after`.
    pub(super) fn changed_customers(
        &self,
        since: Position,
        after: Option<CustomerId>,
    ) -> Result<ChangedCustomers, StoreError> {
        self.0.read(purchases::Purchases::NAME, |connection| {
            changed_customers(connection, since, after, PAGE)
        })
    }

    /// Changes when the read model is built anew.
    pub(super) fn generation(&self) -> Option<u64> {
        self.0.serving(purchases::Purchases::NAME)
    }

    /// How far the read model is.
    pub(super) fn reached(&self) -> Position {
        let positions = self.0.positions();
        let own = positions.iter().find(|model| model.model == purchases::Purchases::NAME);
        own.map_or(Position(0), |model| model.position)
    }
}

pub(super) fn basket(order: &CountedOrder) -> Basket {
    Basket { at: order.placed_at, customer: order.customer_id, products: order.products.clone() }
}

impl Purchases for PurchasesOf {
    fn of_customer(&self, customer: CustomerId) -> Result<Vec<Bought>, PurchasesError> {
        let known =
            self.0.read(Parties::NAME, |connection| parties::customer(connection, customer));
        if known.map_err(|error| failed(&error))?.is_some_and(|customer| customer.erased) {
            return Ok(Vec::new());
        }
        let found = self.0.read(purchases::Purchases::NAME, |connection| {
            of_customer(connection, customer, BOUGHT_MAX)
        });
        let bought = found.map_err(|error| failed(&error))?.into_iter().map(|bought| Bought {
            product_id: bought.product_id,
            orders: bought.orders,
            last: bought.last,
        });
        Ok(bought.collect())
    }

    fn popular(&self, limit: usize) -> Result<Vec<ProductId>, PurchasesError> {
        let found =
            self.0.read(purchases::Purchases::NAME, |connection| popular(connection, limit));
        let found = found.map_err(|error| failed(&error))?;
        Ok(found.into_iter().map(|popular| popular.product_id).collect())
    }

    fn baskets(&self, tell: &mut dyn FnMut(&Basket)) -> Result<(), PurchasesError> {
        let mut after = Position(0);
        loop {
            let page = self.orders_after(after).map_err(|error| failed(&error))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            page.iter().map(basket).for_each(|basket| tell(&basket));
        }
    }
}

fn failed(error: &StoreError) -> PurchasesError {
    PurchasesError(error.to_string())
}
