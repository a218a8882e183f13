//! Every read model there is. A new one is added here, and nowhere else.

use crate::model::{Folder, Model};
use crate::projector::Projector;
use crate::{carts, checkouts, frequently_bought_together, order_history, orders, stock};

/// A read model that can be run and rebuilt.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    name: &'static str,
    version: u32,
    make: fn() -> Box<dyn Model>,
}

impl Registration {
    #[must_use]
    pub fn of<P: Projector>() -> Self {
        Self { name: P::NAME, version: P::VERSION, make: || Box::new(Folder::<P>::new()) }
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
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
        Registration::of::<frequently_bought_together::FrequentlyBoughtTogether>(),
    ]
}
