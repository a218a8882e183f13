//! How well two products go together, compared exactly and shown as fractions.
//!
//! With n(a), n(b) and n(ab) orders that hold a, b and both, of N orders in all:
//! cosine = n(ab) / √(n(a)·n(b)), lift = n(ab)·N / (n(a)·n(b)) and
//! Jaccard = n(ab) / (n(a) + n(b) − n(ab)) (Tan, Kumar, Srivastava: Selecting the right
//! interestingness measure for association patterns, 2002).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use domain::ProductId;
use serde::{Deserialize, Serialize};

/// What partners are ranked by. Ties go to the one with more orders together, then to the
/// lower id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// Ochiai's coefficient: normalised by popularity, and not carried away by products that are hardly ever bought.
    #[default]
    Cosine,
    /// How many times more often than by chance; favours rare products, of which the minimum of
    /// orders together (`support_min` of the settings) leaves out the rarest.
    Lift,
    /// Orders with both among orders with either.
    Jaccard,
    /// Orders with both, whatever the products' popularity.
    Count,
}

/// A product that was bought together with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partner {
    pub product_id: ProductId,
    /// Orders with both products.
    pub together: u32,
    /// Orders with this product.
    pub orders: u32,
}

/// A name that is no score's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no score: it is `cosine`, `lift`, `jaccard` or `count`")]
pub struct UnknownScore(String);

impl FromStr for Score {
    type Err = UnknownScore;

    fn from_str(name: &str) -> Result<Self, UnknownScore> {
        let found = Self::ALL.into_iter().find(|score| score.name() == name);
        found.ok_or_else(|| UnknownScore(name.to_owned()))
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Score {
    /// As requests name it; the same as serde does.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Lift => "lift",
            Self::Jaccard => "jaccard",
            Self::Count => "count",
        }
    }

    pub(super) const ALL: [Self; 4] = [Self::Cosine, Self::Lift, Self::Jaccard, Self::Count];

    /// Orders partners of a product in `of_orders` orders, the best first. Products of whole
    /// numbers are compared, so that there is no rounding: each factor is below 2^32.
    pub(super) fn compare(self, of_orders: u32, left: &Partner, right: &Partner) -> Ordering {
        let [left_together, left_orders] = [left.together, left.orders].map(u128::from);
        let [right_together, right_orders] = [right.together, right.orders].map(u128::from);
        let of_orders = u128::from(of_orders);
        let (left_score, right_score) = match self {
            // n(a) is the same on both sides, and squares compare like their roots.
            Self::Cosine => (
                left_together * left_together * right_orders,
                right_together * right_together * left_orders,
            ),
            Self::Lift => (left_together * right_orders, right_together * left_orders),
            Self::Jaccard => (
                left_together * (of_orders + right_orders).saturating_sub(right_together),
                right_together * (of_orders + left_orders).saturating_sub(left_together),
            ),
            Self::Count => (left_together, right_together),
        };
        right_score
            .cmp(&left_score)
            .then(right.together.cmp(&left.together))
            .then(left.product_id.cmp(&right.product_id))
    }

    /// Leaves the best `count` partners, best first.
    pub(super) fn keep_best(self, of_orders: u32, partners: &mut Vec<Partner>, count: usize) {
        if count == 0 {
            partners.clear();
            return;
        }
        if partners.len() > count {
            partners.select_nth_unstable_by(count - 1, |a, b| self.compare(of_orders, a, b));
            partners.truncate(count);
        }
        partners.sort_unstable_by(|a, b| self.compare(of_orders, a, b));
    }
}

impl Partner {
    #[must_use]
    pub fn cosine(&self, of_orders: u32) -> f64 {
        f64::from(self.together) / (f64::from(of_orders) * f64::from(self.orders)).sqrt()
    }

    #[must_use]
    pub fn lift(&self, of_orders: u32, all_orders: u32) -> f64 {
        f64::from(self.together) * f64::from(all_orders)
            / (f64::from(of_orders) * f64::from(self.orders))
    }

    #[must_use]
    pub fn jaccard(&self, of_orders: u32) -> f64 {
        f64::from(self.together)
            / (f64::from(of_orders) + f64::from(self.orders) - f64::from(self.together))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_textbook() {
        // Of 36 orders 4 hold a, 9 hold b and 3 hold both.
        let b = Partner { product_id: ProductId::new(uuid::Uuid::nil()), together: 3, orders: 9 };
        let close = |score: f64, expected: f64| (score - expected).abs() < 1e-12;
        assert!(close(b.cosine(4), 3.0 / 6.0));
        assert!(close(b.lift(4, 36), (3.0 / 36.0) / ((4.0 / 36.0) * (9.0 / 36.0))));
        assert!(close(b.jaccard(4), 3.0 / 10.0));
    }

    #[test]
    fn scores_have_the_same_names_everywhere() {
        for score in Score::ALL {
            assert_eq!(score.to_string().parse(), Ok(score));
            assert_eq!(serde_json::to_value(score).unwrap(), score.name());
        }
        let error = "Cosine".parse::<Score>().unwrap_err().to_string();
        assert_eq!(error, "`Cosine` is no score: it is `cosine`, `lift`, `jaccard` or `count`");
    }
}
