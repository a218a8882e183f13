//! Every read model there is. A new one is added here, and nowhere else.

use std::time::Duration;

use crate::sql::Connection;

use crate::frequently_bought_together::{Budget, FrequentlyBoughtTogether, Settings, refresh};
use crate::model::{Folder, Model};
use crate::projector::{Projector, StoreError};
use crate::{
    carts, catalogue, checkouts, frequently_bought_together, order_history, orders, parties,
    purchases, stock,
};

/// A read model that can be run and rebuilt.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    name: &'static str,
    version: u32,
    derived_tables: &'static [&'static str],
    upkeep: Option<Upkeep>,
    make: fn() -> Box<dyn Model>,
}

/// Does a bounded piece of a model's own work, such as ranking anew, in the caller's transaction.
/// Returns how much it did; 0 means there is nothing left.
pub type Upkeep = fn(&Connection) -> Result<usize, StoreError>;

impl Registration {
    #[must_use]
    pub fn of<P: Projector>() -> Self {
        Self {
            name: P::NAME,
            version: P::VERSION,
            derived_tables: &[],
            upkeep: None,
            make: || Box::new(Folder::<P>::new()),
        }
    }

    /// Names tables whose rows depend on how events were cut into batches, so that a rebuild need
    /// not have the same ones.
    #[must_use]
    pub fn with_derived(mut self, tables: &'static [&'static str]) -> Self {
        self.derived_tables = tables;
        self
    }

    /// Adds work that the runner does about once a second. It writes only `tables`, which `load`
    /// and `save` do not; they are worked out from other tables at any time, so a rebuild need not
    /// have the same rows in them.
    #[must_use]
    pub fn with_upkeep(mut self, tables: &'static [&'static str], upkeep: Upkeep) -> Self {
        self.derived_tables = tables;
        self.upkeep = Some(upkeep);
        self
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Tables that dumps and comparisons leave out.
    #[must_use]
    pub fn derived_tables(&self) -> &'static [&'static str] {
        self.derived_tables
    }

    pub(crate) fn upkeep(&self) -> Option<Upkeep> {
        self.upkeep
    }

    pub(crate) fn make(&self) -> Box<dyn Model> {
        (self.make)()
    }
}

/// All read models, in the order in which operators see them.
#[must_use]
pub fn all() -> Vec<Registration> {
    vec![
        Registration::of::<orders::Orders>(),
        Registration::of::<order_history::OrderHistory>(),
        Registration::of::<checkouts::Checkouts>(),
        Registration::of::<carts::Carts>(),
        Registration::of::<stock::Stock>(),
        Registration::of::<catalogue::Catalogue>().with_derived(catalogue::DERIVED_TABLES),
        Registration::of::<parties::Parties>(),
        Registration::of::<FrequentlyBoughtTogether>()
            .with_upkeep(frequently_bought_together::DERIVED_TABLES, rank_partners),
        Registration::of::<purchases::Purchases>()
            .with_upkeep(purchases::DERIVED_TABLES, rank_popular),
    ]
}

/// At most this much of the runner's time goes into ranking, once a second.
const RANKING_MAX: Duration = Duration::from_millis(50);

/// Products whose popularity is worked out once a second: some 20 µs each.
const POPULAR_MAX: usize = 2_000;

fn rank_partners(connection: &Connection) -> Result<usize, StoreError> {
    let budget = Budget { products_max: 2_000, time_max: RANKING_MAX };
    Ok(refresh(connection, &Settings::default(), budget)?.products)
}

fn rank_popular(connection: &Connection) -> Result<usize, StoreError> {
    purchases::refresh_popular(connection, POPULAR_MAX)
}
