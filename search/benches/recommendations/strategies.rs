//! What is compared: simple rules, each source of candidates alone, and the whole page.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{ProductId, Timestamp};
use search::{Diversity, RecommendSettings, Recommender, Weights};

use crate::orders::Orders;
use crate::replay::{self, AsOf, Case};
use crate::score::Score;
use crate::shop::Texts;

const AT: usize = 10;

/// Settings by name; those with the same dimensions and half-life of popularity share models.
fn variants(tuning: bool) -> Vec<(String, RecommendSettings)> {
    let of = RecommendSettings::default;
    let only = |again, taste, together, popular| {
        let weights = Weights { again, taste, together, popular };
        RecommendSettings {
            weights,
            popularity_exponent: if popular > 0.0 { 1.0 } else { 0.0 },
            diversity: Diversity::None,
            ..of()
        }
    };
    let mut all = vec![
        ("popular of late".to_owned(), only(0.0, 0.0, 0.0, 1.0)),
        ("bought again".to_owned(), only(1.0, 0.0, 0.0, 0.0)),
        ("taste vectors".to_owned(), only(0.0, 1.0, 0.0, 0.0)),
        ("bought together, 20 partners".to_owned(), only(0.0, 0.0, 1.0, 0.0)),
        ("the whole page".to_owned(), of()),
        ("… not diversified".to_owned(), RecommendSettings { diversity: Diversity::None, ..of() }),
    ];
    if !tuning {
        return all;
    }
    let mut vary = |name: String, change: &dyn Fn(&mut RecommendSettings)| {
        let mut settings = RecommendSettings { diversity: Diversity::None, ..of() };
        change(&mut settings);
        all.push((name, settings));
    };
    for dimensions in [32, 128] {
        vary(format!("dimensions {dimensions}"), &|s| s.taste_dimensions = dimensions);
    }
    for days in [14.0, 21.0, 45.0] {
        vary(format!("popularity half-life {days}"), &|s| s.popularity_half_life_days = days);
    }
    for days in [30.0, 180.0] {
        vary(format!("taste half-life {days}"), &|s| s.taste_half_life_days = days);
    }
    for days in [90.0, 365.0] {
        vary(format!("again half-life {days}"), &|s| s.again_half_life_days = days);
    }
    for exponent in [0.3, 0.6] {
        vary(format!("exponent {exponent}"), &|s| s.popularity_exponent = exponent);
    }
    for floor in [0.0, 3.0] {
        vary(format!("floor {floor}"), &|s| s.popularity_floor = floor);
    }
    for (taste, together, popular) in [
        (0.0, 0.0, 0.1),
        (0.1, 0.0, 0.1),
        (0.0, 0.1, 0.1),
        (0.2, 0.1, 0.1),
        (0.1, 0.2, 0.1),
        (0.2, 0.2, 0.1),
        (0.1, 0.1, 0.0),
        (0.1, 0.1, 0.2),
    ] {
        let weights = Weights { again: 1.0, taste, together, popular };
        vary(format!("taste {taste} together {together} popular {popular}"), &|s| {
            s.weights = weights;
        });
    }
    for max in [1, 2, 3, 4, 5] {
        vary(format!("{max} of a category"), &|s| s.diversity = Diversity::PerCategory(max));
    }
    for lambda in [0.95, 0.9, 0.8, 0.7] {
        vary(format!("marginal relevance {lambda}"), &|s| {
            s.diversity = Diversity::MarginalRelevance { lambda };
        });
    }
    all
}

/// Hits, and how alike the products of a page are by what is written about them.
#[derive(Default)]
struct Row {
    score: Score,
    alike: f64,
    pages: f64,
}

pub(crate) fn measure(orders: &Arc<Orders>, tuning: bool) {
    let weeks = replay::cases(orders);
    let texts = Arc::new(Texts::of(orders));
    let variants = variants(tuning);
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    // By what models depend on: trained once for all variants that agree on it.
    let mut groups: BTreeMap<String, Vec<&(String, RecommendSettings)>> = BTreeMap::new();
    for variant in &variants {
        let (_, of) = variant;
        let key = format!("{} {}", of.taste_dimensions, of.popularity_half_life_days);
        groups.entry(key).or_default().push(variant);
    }
    for (week, cases) in &weeks {
        let cases: Vec<&Case> = cases.iter().filter(|case| case.tuning == tuning).collect();
        simple(orders, *week, &cases, &texts, &mut rows);
        for group in groups.values() {
            let purchases = Arc::new(AsOf {
                orders: Arc::clone(orders),
                now: *week,
                customers: cases.iter().map(|case| (case.customer, case.bought.clone())).collect(),
            });
            let settings = group[0].1.clone();
            let mut recommender =
                Recommender::new(settings, purchases, Arc::clone(&texts) as _).unwrap();
            recommender.apply(&texts.catalogue());
            recommender.train(*week).unwrap();
            for (name, settings) in group {
                recommender.rank_by(settings.clone());
                let row = rows.entry(name.clone()).or_default();
                for case in &cases {
                    let page = recommender.home(Some(case.customer), AT, case.at, &|_| true);
                    let page: Vec<_> = page.unwrap().iter().map(|s| s.product_id).collect();
                    row.alike += texts.alike(&page);
                    row.pages += 1.0;
                    row.score.add(&page, &case.truth);
                }
            }
        }
    }
    println!("{:<44} {:>8} {:>8} {:>8}", "", "hit@10", "NDCG@10", "alike");
    let order = [
        "most bought",
        "item-to-item cosine, last basket",
        "item-to-item cosine, all",
        "text vectors",
    ];
    let names = order.iter().map(|name| (*name).to_owned());
    for name in names.chain(variants.iter().map(|(name, _)| name.clone())) {
        let row = &rows[&name];
        let alike = row.alike / row.pages;
        println!("{name:<44} {:>8.4} {:>8.4} {alike:>8.4}", row.score.hit_rate(), row.score.ndcg());
    }
    println!("{} customers", rows["most bought"].score.customers());
}

/// Rules that need no recommender.
fn simple(
    orders: &Orders,
    week: Timestamp,
    cases: &[&Case],
    texts: &Texts,
    rows: &mut BTreeMap<String, Row>,
) {
    let before = orders.baskets.partition_point(|basket| basket.at < week);
    let mut with: BTreeMap<ProductId, Vec<usize>> = BTreeMap::new();
    for (place, basket) in orders.baskets[..before].iter().enumerate() {
        for product in &basket.products {
            with.entry(*product).or_default().push(place);
        }
    }
    let most: Vec<_> = best(with.iter().map(|(product, orders)| (*product, orders.len() as f32)));
    let cosine = |bought: &[ProductId]| {
        let mut sums: BTreeMap<ProductId, f32> = BTreeMap::new();
        for product in bought {
            let mut together: BTreeMap<ProductId, f32> = BTreeMap::new();
            let orders_with = with.get(product).map_or(&[][..], |orders| orders);
            for other in orders_with.iter().flat_map(|order| &orders.baskets[*order].products) {
                *together.entry(*other).or_default() += 1.0;
            }
            together.remove(product);
            for (other, count) in together {
                let either = orders_with.len() as f32 * with[&other].len() as f32;
                *sums.entry(other).or_default() += count / either.sqrt();
            }
        }
        best(sums)
    };
    for case in cases {
        let all: Vec<_> = case.bought.iter().map(|bought| bought.product_id).collect();
        let lists = [
            ("most bought", most.clone()),
            ("item-to-item cosine, last basket", cosine(&case.last)),
            ("item-to-item cosine, all", cosine(&all)),
            ("text vectors", best(texts.like(&all))),
        ];
        for (name, list) in lists {
            let row = rows.entry(name.to_owned()).or_default();
            row.alike += texts.alike(&list);
            row.pages += 1.0;
            row.score.add(&list, &case.truth);
        }
    }
}

fn best(scored: impl IntoIterator<Item = (ProductId, f32)>) -> Vec<ProductId> {
    let mut scored: Vec<_> = scored.into_iter().collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.into_iter().take(AT).map(|(product, _)| product).collect()
}
