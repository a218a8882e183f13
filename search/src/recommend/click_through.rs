//! How likely a product is to be clicked when it is shown.
//!
//! Empirical Bayes: a product's rate has a Beta prior whose mean is the rate of the whole shop and
//! whose weight is a fixed number of impressions, so the expected rate is
//! `(clicks + mean × prior) / (impressions + prior)` (Gelman et al., Bayesian Data Analysis, 2.4).
//! A product that was hardly shown is as good as the shop's mean, one click on one impression does
//! not make a champion, and with many impressions the product's own figures decide. Both counts
//! decay, so that a rate follows a product's season. Where on a page something was shown is not
//! known here, so what was shown far down is underrated until it is shown higher up.

use std::collections::HashMap;

use domain::{ProductId, Timestamp};

use super::decay::DecayingSum;

/// How click-through is counted and smoothed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClickThroughSettings {
    /// Days after which an impression or a click counts half.
    pub half_life_days: f64,
    /// Weight of the shop's mean, in impressions.
    pub prior_impressions: f32,
    /// A product's score is multiplied by its expected rate over the shop's, but by no more than
    /// this and no less than one over it: clicks can be made up, and must not decide alone.
    pub factor_max: f32,
}

impl Default for ClickThroughSettings {
    fn default() -> Self {
        Self { half_life_days: 30.0, prior_impressions: 200.0, factor_max: 2.0 }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    shown: DecayingSum,
    clicked: DecayingSum,
}

/// Impressions and clicks, by product and of the whole shop.
#[derive(Debug, Default)]
pub(super) struct ClickThrough {
    settings: ClickThroughSettings,
    shop: Counts,
    products: HashMap<ProductId, Counts>,
}

impl ClickThrough {
    pub(super) fn new(settings: ClickThroughSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    pub(super) fn shown(&mut self, product: ProductId, times: u32, at: Timestamp) {
        let half_life = self.settings.half_life_days;
        self.shop.shown.add(times as f32, at, half_life);
        self.products.entry(product).or_default().shown.add(times as f32, at, half_life);
    }

    pub(super) fn clicked(&mut self, product: ProductId, times: u32, at: Timestamp) {
        let half_life = self.settings.half_life_days;
        self.shop.clicked.add(times as f32, at, half_life);
        self.products.entry(product).or_default().clicked.add(times as f32, at, half_life);
    }

    /// Of a product that is not told apart any more: it counts for the whole shop.
    pub(super) fn shown_of_the_past(&mut self, times: u32, at: Timestamp) {
        self.shop.shown.add(times as f32, at, self.settings.half_life_days);
    }

    pub(super) fn clicked_of_the_past(&mut self, times: u32, at: Timestamp) {
        self.shop.clicked.add(times as f32, at, self.settings.half_life_days);
    }

    /// Tells no others apart than these from now on.
    pub(super) fn keep(&mut self, is_kept: impl Fn(ProductId) -> bool) {
        self.products.retain(|product, _| is_kept(*product));
        self.products.shrink_to_fit();
    }

    #[cfg(test)]
    pub(super) fn told_apart(&self) -> usize {
        self.products.len()
    }

    pub(super) fn remove(&mut self, product: ProductId) {
        self.products.remove(&product);
    }

    /// Expected rate of a product, 0 to 1.
    pub(super) fn expected(&self, product: ProductId, now: Timestamp) -> f32 {
        let mean = self.mean(now);
        let Some(counts) = self.products.get(&product) else { return mean };
        let shown = counts.shown.at(now, self.settings.half_life_days);
        // A click without its impression, as the journal of a period may hold, is not worth two.
        let clicked = counts.clicked.at(now, self.settings.half_life_days).min(shown);
        let prior = self.settings.prior_impressions;
        (clicked + mean * prior) / (shown + prior)
    }

    /// What a score is multiplied by: 1 for a product like the whole shop, or while nobody clicked.
    pub(super) fn factor(&self, product: ProductId, now: Timestamp) -> f32 {
        let mean = self.mean(now);
        if mean <= 0.0 {
            return 1.0;
        }
        let max = self.settings.factor_max.max(1.0);
        (self.expected(product, now) / mean).clamp(1.0 / max, max)
    }

    fn mean(&self, now: Timestamp) -> f32 {
        let shown = self.shop.shown.at(now, self.settings.half_life_days);
        let clicked = self.shop.clicked.at(now, self.settings.half_life_days).min(shown);
        if shown > 0.0 { clicked / shown } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn product(number: u128) -> ProductId {
        ProductId::new(Uuid::from_u128(number))
    }

    /// A shop where one impression in ten is clicked.
    fn shop() -> ClickThrough {
        let mut shop = ClickThrough::default();
        shop.shown(product(1), 100_000, now());
        shop.clicked(product(1), 10_000, now());
        shop
    }

    #[test]
    fn one_lucky_click_weighs_less_than_a_long_record() {
        let mut shop = shop();
        shop.shown(product(2), 1, now());
        shop.clicked(product(2), 1, now());
        shop.shown(product(3), 5_000, now());
        shop.clicked(product(3), 1_000, now());
        shop.shown(product(4), 5_000, now());
        let [lucky, good, bad, unseen] = [2, 3, 4, 5].map(|p| shop.factor(product(p), now()));
        assert!(unseen < lucky && lucky < 1.1 && good > 1.8 && bad < 0.6, "{lucky} {good} {bad}");
        assert!((unseen - 1.0).abs() < 1e-6);
    }

    #[test]
    fn an_old_record_fades_towards_the_mean() {
        let mut shop = shop();
        let year = TimeDelta::days(365);
        shop.shown(product(2), 1_000, now());
        shop.shown(product(1), 100_000, now() + year);
        shop.clicked(product(1), 10_000, now() + year);
        assert!(shop.factor(product(2), now()) < 0.6);
        assert!((shop.factor(product(2), now() + year) - 1.0).abs() < 0.01);
    }

    #[test]
    fn what_is_not_told_apart_counts_for_the_shop() {
        let (mut apart, mut past) = (shop(), shop());
        apart.shown(product(2), 1_000, now());
        apart.clicked(product(2), 700, now());
        past.shown_of_the_past(1_000, now());
        past.clicked_of_the_past(700, now());
        assert_eq!(apart.mean(now()), past.mean(now()));
        assert_eq!(past.expected(product(2), now()), past.mean(now()));
    }

    #[test]
    fn nothing_counts_while_nobody_clicked() {
        let mut shop = ClickThrough::default();
        shop.shown(product(1), 10, now());
        assert_eq!(shop.factor(product(1), now()), 1.0);
        assert_eq!(shop.factor(product(2), now()), 1.0);
    }

    proptest! {
        #[test]
        fn a_rate_is_a_rate_whatever_was_counted(
            events in prop::collection::vec((0u128..4, any::<bool>(), any::<u32>(), -400i64..400), 0..40)
        ) {
            let mut shop = ClickThrough::default();
            for (number, click, times, days) in events {
                let at = now() + TimeDelta::days(days);
                if click {
                    shop.clicked(product(number), times, at);
                } else {
                    shop.shown(product(number), times, at);
                }
            }
            for number in 0..5 {
                let rate = shop.expected(product(number), now());
                prop_assert!((0.0..=1.0).contains(&rate), "{rate}");
                let factor = shop.factor(product(number), now());
                prop_assert!((0.5..=2.0).contains(&factor), "{factor}");
            }
        }
    }
}
