//! What might please a customer: candidates from several sources, with one score.
//!
//! `score = (again + taste + together + popular) × (popularity relative to the most popular)^exponent`;
//! each of the four is scaled by its greatest value among the candidates and then weighted.

use std::collections::{BTreeMap, HashMap};

use domain::{ProductId, Timestamp};

use super::decay;
use super::models::Models;
use super::purchases::Bought;
use super::settings::RecommendSettings;
use super::taste::dot;
use super::views::Viewed;

/// A product to show, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    pub product_id: ProductId,
    /// Only to be compared within one list.
    pub score: f32,
    pub because: Because,
}

/// The reason that counted most for a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The customer bought it before.
    BoughtAgain,
    /// The customer looked at it before.
    ViewedBefore,
    /// Bought by the same people as what the customer bought.
    SimilarToBought(ProductId),
    /// Bought by the same people as what the customer looked at.
    SimilarToViewed(ProductId),
    /// Often in one order with what the customer bought.
    OftenBoughtWith(ProductId),
    /// Many buy it now.
    Popular,
    /// New in the shop.
    New,
}

/// What is known of a customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) bought: &'a [Bought],
    pub(super) viewed: &'a [Viewed],
}

/// Times that a customer looked at a product count up to this.
const VIEWS_COUNT_MAX: u32 = 3;

/// Orders of one product by one customer count up to this for the customer's taste.
const ORDERS_COUNT_MAX: u32 = 20;

#[derive(Debug, Clone, Copy, Default)]
struct Signals {
    again: f32,
    taste: f32,
    together: f32,
    /// The product bought that counted most for `together`.
    partner: Option<(ProductId, f32)>,
    bought: bool,
    viewed: bool,
}

/// The best `limit` for a customer, the best first; equal ones by id. Only what is
/// `for_sale` is among them.
pub(super) fn candidates(
    models: &Models,
    known: Known<'_>,
    settings: &RecommendSettings,
    limit: usize,
    now: Timestamp,
    for_sale: &dyn Fn(ProductId) -> bool,
) -> Vec<Suggestion> {
    let mut found: BTreeMap<ProductId, Signals> = BTreeMap::new();
    let now = models.as_of(now);
    let liked = liked(known, settings, now);
    let vector = models.taste.mean(liked.iter().map(|(product, weight, _)| (*product, *weight)));
    for bought in known.bought {
        let signals = found.entry(bought.product_id).or_default();
        signals.bought = true;
        signals.again =
            bought.orders as f32 * decay::weight(bought.last, now, settings.again_half_life_days);
    }
    for viewed in known.viewed {
        found.entry(viewed.product_id).or_default().viewed = true;
    }
    for (product, weight, _) in liked.iter().filter(|(_, _, source)| *source == Source::Bought) {
        for (partner, cosine) in models.partners(*product) {
            let signals = found.entry(partner).or_default();
            signals.together += weight * cosine;
            if signals.partner.is_none_or(|(_, most)| weight * cosine > most) {
                signals.partner = Some((*product, weight * cosine));
            }
        }
    }
    if let Some(vector) = &vector {
        for (product, _) in models.taste.nearest(vector, settings.breadth) {
            found.entry(product).or_default();
        }
    }
    for product in models.popular() {
        found.entry(*product).or_default();
    }
    found.retain(|product, _| for_sale(*product));
    if let Some(vector) = &vector {
        for (product, signals) in &mut found {
            signals.taste = models.taste.of(*product).map_or(0.0, |of| dot(of, vector).max(0.0));
        }
    }
    let mut scored = score(models, &found, settings, now);
    scored
        .sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.product_id.cmp(&b.product_id)));
    scored.truncate(limit);
    for suggestion in &mut scored {
        if let Because::SimilarToBought(_) = suggestion.because {
            suggestion.because = nearest_liked(models, &liked, suggestion.product_id);
        }
    }
    scored
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Bought,
    Viewed,
}

/// What makes a customer's taste, with weights.
fn liked(
    known: Known<'_>,
    settings: &RecommendSettings,
    now: Timestamp,
) -> Vec<(ProductId, f32, Source)> {
    let half_life = settings.taste_half_life_days;
    let bought = known.bought.iter().map(|bought| {
        let times = bought.orders.min(ORDERS_COUNT_MAX) as f32;
        let weight = settings.bought_weight * times * decay::weight(bought.last, now, half_life);
        (bought.product_id, weight, Source::Bought)
    });
    let viewed = known.viewed.iter().map(|viewed| {
        let times = viewed.times.min(VIEWS_COUNT_MAX) as f32;
        let weight = settings.viewed_weight * times * decay::weight(viewed.last, now, half_life);
        (viewed.product_id, weight, Source::Viewed)
    });
    bought.chain(viewed).filter(|(_, weight, _)| *weight > 0.0).collect()
}

fn score(
    models: &Models,
    found: &BTreeMap<ProductId, Signals>,
    settings: &RecommendSettings,
    now: Timestamp,
) -> Vec<Suggestion> {
    let popularity: HashMap<ProductId, f32> =
        found.keys().map(|product| (*product, models.popularity(*product, now))).collect();
    let greatest = |of: &dyn Fn(&Signals) -> f32| {
        found.values().map(of).fold(0.0, f32::max).max(f32::MIN_POSITIVE)
    };
    let again = greatest(&|signals| signals.again);
    let taste = greatest(&|signals| signals.taste);
    let together = greatest(&|signals| signals.together);
    let popular = popularity.values().copied().fold(0.0, f32::max) + settings.popularity_floor;
    let weights = settings.weights;
    let each = found.iter().map(|(product, signals)| {
        let popularity = (popularity[product] + settings.popularity_floor) / popular.max(1e-6);
        let by_again = weights.again * signals.again / again;
        let by_taste = weights.taste * signals.taste / taste;
        let by_together = weights.together * signals.together / together;
        let sum = by_again + by_taste + by_together + weights.popular;
        let because = match signals.partner {
            _ if signals.bought => Because::BoughtAgain,
            _ if signals.viewed => Because::ViewedBefore,
            Some((partner, _)) if by_together >= by_taste.max(weights.popular * popularity) => {
                Because::OftenBoughtWith(partner)
            }
            _ if by_taste > 0.0 && by_taste >= weights.popular * popularity => {
                Because::SimilarToBought(*product)
            }
            _ => Because::Popular,
        };
        let score = sum * popularity.powf(settings.popularity_exponent);
        Suggestion { product_id: *product, score, because }
    });
    each.filter(|suggestion| suggestion.score.is_finite()).collect()
}

/// Which of what the customer likes is nearest to a product.
fn nearest_liked(
    models: &Models,
    liked: &[(ProductId, f32, Source)],
    product: ProductId,
) -> Because {
    let nearest = (liked.iter().filter(|(of, _, _)| *of != product))
        .map(|(of, _, source)| (models.taste.likeness(*of, product), *of, *source))
        .filter(|(likeness, _, _)| *likeness > 0.0)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    match nearest {
        Some((_, of, Source::Bought)) => Because::SimilarToBought(of),
        Some((_, of, Source::Viewed)) => Because::SimilarToViewed(of),
        None => Because::Popular,
    }
}
