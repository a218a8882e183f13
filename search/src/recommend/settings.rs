//! What the recommender can be told; the defaults were found on real orders, see
//! `benches/recommendations.rs`.

use super::click_through::ClickThroughSettings;

/// How recommendations are made.
#[derive(Debug, Clone, PartialEq)]
pub struct RecommendSettings {
    /// Length of a taste vector.
    pub taste_dimensions: usize,
    /// Days after which an order counts half for a product's popularity.
    pub popularity_half_life_days: f64,
    /// Days after which what a customer bought or viewed counts half for the customer's taste.
    pub taste_half_life_days: f64,
    /// Days since the last purchase after which buying again counts half.
    pub again_half_life_days: f64,
    /// How much a product that was bought counts for a customer's taste, for each order.
    pub bought_weight: f32,
    /// How much a product that was looked at counts, for each time, up to three. Not measured: the
    /// real orders come without views.
    pub viewed_weight: f32,
    pub weights: Weights,
    /// A candidate's score is multiplied by its popularity, relative to the most popular, to the
    /// power of this: of what fits a customer, what others buy now goes first.
    pub popularity_exponent: f32,
    /// Orders added to each product's popularity, so that what nobody bought yet keeps a chance.
    pub popularity_floor: f32,
    /// Candidates by nearest neighbour and by popularity, each.
    pub breadth: usize,
    /// Candidates kept ready for each customer.
    pub candidates: usize,
    pub click_through: ClickThroughSettings,
    pub diversity: Diversity,
    /// Customers whose candidates are kept ready; of the others, whoever asked least recently is
    /// forgotten.
    pub table_customers_max: usize,
    /// Customers whose views are remembered, and products of each.
    pub viewing_customers_max: usize,
    pub viewed_products_max: usize,
    /// Days, at least 1, after which what was looked at is not used any more.
    pub viewed_days: u32,
    /// Models are trained anew when orders have grown by this share, or when this many hours have
    /// passed and there were new ones.
    pub retrain_growth: f64,
    pub retrain_hours: i64,
}

/// How much each reason counts; each is scaled to at most 1 before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// The customer bought it, and more than once or not long ago.
    pub again: f32,
    /// Near to the customer's taste.
    pub taste: f32,
    /// Often in orders with what the customer bought last.
    pub together: f32,
    /// The same for every product: popularity decides among those without another reason.
    pub popular: f32,
}

/// How a page is kept from being ten times the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Diversity {
    None,
    /// No more than so many of one category, while there are others.
    PerCategory(usize),
    /// Maximal marginal relevance over taste vectors; 1 is relevance alone.
    MarginalRelevance {
        lambda: f32,
    },
}

impl Default for RecommendSettings {
    fn default() -> Self {
        Self {
            taste_dimensions: 64,
            popularity_half_life_days: 30.0,
            taste_half_life_days: 90.0,
            again_half_life_days: 180.0,
            bought_weight: 1.0,
            viewed_weight: 0.2,
            weights: Weights::default(),
            popularity_exponent: 0.45,
            popularity_floor: 1.0,
            breadth: 200,
            candidates: 50,
            click_through: ClickThroughSettings::default(),
            diversity: Diversity::MarginalRelevance { lambda: 0.8 },
            table_customers_max: 10_000,
            viewing_customers_max: 100_000,
            viewed_products_max: 50,
            viewed_days: 90,
            retrain_growth: 0.1,
            retrain_hours: 24,
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self { again: 1.0, taste: 0.1, together: 0.1, popular: 0.1 }
    }
}
