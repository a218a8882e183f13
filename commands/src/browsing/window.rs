//! What is gathered within a window, and the events that come of it.

use std::collections::BTreeMap;

use domain::browsing::{BrowsingEvent, PRODUCTS_MAX, Place, ProductImpressions, ProductViews};
use domain::{CustomerId, ProductId, Timestamp};

/// Counts, by whom or where, and by product.
#[derive(Debug, Default)]
pub(super) struct Window {
    views: BTreeMap<(Option<CustomerId>, ProductId), ProductViews>,
    impressions: BTreeMap<(Place, ProductId), Counts>,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    shown: u32,
    clicked: u32,
    last_at: Timestamp,
}

/// What a shopper was shown, or did about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Impression {
    Shown,
    Clicked,
}

impl Window {
    /// Entries of the window; the bound on memory counts these.
    pub(super) fn len(&self) -> usize {
        self.views.len() + self.impressions.len()
    }

    /// Returns how many entries it took, 0 or 1; `None` if it would take one and has no `room`.
    pub(super) fn viewed(
        &mut self,
        customer: Option<CustomerId>,
        product_id: ProductId,
        at: Timestamp,
        room: bool,
    ) -> Option<usize> {
        let key = (customer, product_id);
        if let Some(views) = self.views.get_mut(&key) {
            views.times = views.times.saturating_add(1);
            views.last_at = views.last_at.max(at);
            return Some(0);
        }
        room.then(|| {
            self.views.insert(key, ProductViews { product_id, times: 1, last_at: at });
            1
        })
    }

    /// As [`Self::viewed`].
    pub(super) fn impression(
        &mut self,
        place: Place,
        product: ProductId,
        what: Impression,
        at: Timestamp,
        room: bool,
    ) -> Option<usize> {
        let known = self.impressions.contains_key(&(place, product));
        if !known && !room {
            return None;
        }
        let new = || Counts { shown: 0, clicked: 0, last_at: at };
        let counts = self.impressions.entry((place, product)).or_insert_with(new);
        let count = match what {
            Impression::Shown => &mut counts.shown,
            Impression::Clicked => &mut counts.clicked,
        };
        *count = count.saturating_add(1);
        counts.last_at = counts.last_at.max(at);
        Some(usize::from(!known))
    }

    /// Drops what this customer looked at; returns how many entries that were.
    pub(super) fn forget(&mut self, customer: CustomerId) -> usize {
        let before = self.views.len();
        self.views.retain(|(of, _), _| *of != Some(customer));
        before - self.views.len()
    }

    /// The events, each with the time of the last thing in it: those of a customer, or of a place, are
    /// as few as [`PRODUCTS_MAX`] lets them be.
    pub(super) fn into_events(self) -> Vec<(BrowsingEvent, Timestamp)> {
        let mut events = Vec::new();
        let mut views = self.views.into_iter().map(|((of, _), views)| (of, views)).peekable();
        while let Some((customer_id, products)) = next_of_one(&mut views) {
            let last_at = products.iter().map(|views| views.last_at).max();
            let event = BrowsingEvent::Viewed { customer_id, products };
            events.extend(last_at.map(|at| (event, at)));
        }
        let impressions = self.impressions.into_iter();
        let mut impressions =
            impressions.map(|((place, product), counts)| (place, (product, counts))).peekable();
        while let Some((place, products)) = next_of_one(&mut impressions) {
            let last_at = products.iter().map(|(_, counts)| counts.last_at).max();
            let products = products.into_iter().map(|(product_id, counts)| ProductImpressions {
                product_id,
                shown: counts.shown,
                clicked: counts.clicked,
            });
            let event = BrowsingEvent::Shown { place, products: products.collect() };
            events.extend(last_at.map(|at| (event, at)));
        }
        events
    }
}

/// The next key and what follows under it, at most [`PRODUCTS_MAX`].
fn next_of_one<K: PartialEq, V>(
    sorted: &mut std::iter::Peekable<impl Iterator<Item = (K, V)>>,
) -> Option<(K, Vec<V>)> {
    let (key, first) = sorted.next()?;
    let mut values = vec![first];
    while values.len() < PRODUCTS_MAX
        && let Some((_, value)) = sorted.next_if(|(next, _)| *next == key)
    {
        values.push(value);
    }
    Some((key, values))
}
