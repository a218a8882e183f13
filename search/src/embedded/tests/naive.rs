//! The contract, followed by trying every document: slow, and plain to see.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::Tier;
use domain::product::ProductStatus;
use domain::{CategoryId, ProductId, Timestamp};
use projections::catalogue::{CategoryView, ProductSummary, SearchDocument};

use crate::{
    AttributeFacets, Bucket, CategoryCount, Changes, Explanation, Facets, Filter, Findings, Hit,
    Order, Question, SemanticScore, TextScore, ValueCount,
};

pub(super) struct Naive {
    pub(super) documents: BTreeMap<ProductId, SearchDocument>,
    pub(super) categories: Vec<CategoryView>,
}

fn nanoseconds(now: Timestamp) -> i64 {
    now.timestamp_nanos_opt().unwrap()
}

fn price(document: &SearchDocument, question: &Question) -> Option<i64> {
    document.price(question.tier, question.currency?, nanoseconds(question.now))
}

impl Naive {
    pub(super) fn apply(&mut self, changes: &Changes) {
        for document in &changes.documents {
            match document.status {
                ProductStatus::Active => {
                    self.documents.insert(document.product_id, document.clone());
                }
                _ => {
                    self.documents.remove(&document.product_id);
                }
            }
        }
        for removed in &changes.removed {
            self.documents.remove(removed);
        }
    }

    pub(super) fn categories_of(&self, id: ProductId) -> Vec<CategoryId> {
        let own = self.documents.get(&id).and_then(|document| document.categories.last());
        let mut next = own.map(|own| own.category_id);
        let mut path = Vec::new();
        while let Some(view) =
            next.and_then(|id| self.categories.iter().find(|view| view.category_id == id))
        {
            path.insert(0, view.category_id);
            next = view.parent_id;
        }
        path
    }

    pub(super) fn summary(
        &self,
        id: ProductId,
        tier: Tier,
        now: Timestamp,
    ) -> Option<ProductSummary> {
        let document = self.documents.get(&id)?;
        let now = nanoseconds(now);
        let currencies = document.prices.iter().map(|price| price.currency);
        Some(ProductSummary {
            product_id: id,
            name: document.name.clone(),
            category_id: document.categories.last().map(|own| own.category_id),
            brand: document.brand.clone(),
            tags: document.tags.clone(),
            status: document.status,
            seller_id: document.seller_id,
            lowest_prices: currencies
                .filter_map(|currency| Some((currency, document.price(tier, currency, now)?)))
                .collect(),
            in_stock: document.in_stock,
            stars: document.stars,
            created_at: document.created_at,
        })
    }

    pub(super) fn next_price_change(&self, now: Timestamp) -> Option<Timestamp> {
        let prices = self.documents.values().flat_map(|document| &document.prices);
        let ends = prices.flat_map(|price| [price.from_ns, price.until_ns]);
        let later = ends.filter(|end| *end > nanoseconds(now) && *end < i64::MAX);
        later.min().map(Timestamp::from_timestamp_nanos)
    }

    pub(super) fn price_changes(&self, after: Timestamp, until: Timestamp) -> Vec<ProductId> {
        let within = |end: i64| nanoseconds(after) < end && end <= nanoseconds(until);
        let changes = |document: &&SearchDocument| {
            document.prices.iter().any(|price| within(price.from_ns) || within(price.until_ns))
        };
        // The tests' product ids ascend with the numbers.
        self.documents.values().filter(changes).map(|document| document.product_id).collect()
    }

    fn passes(&self, document: &SearchDocument, question: &Question, filter: &Filter) -> bool {
        let has = |name: &String, wanted: &BTreeSet<String>| {
            document.attributes.get(name).is_some_and(|values| !values.is_disjoint(wanted))
        };
        filter
            .category
            .is_none_or(|category| self.categories_of(document.product_id).contains(&category))
            && (filter.brands.is_empty()
                || document.brand.as_ref().is_some_and(|brand| filter.brands.contains(brand)))
            && filter.tags.is_subset(&document.tags)
            && filter.attributes.iter().all(|(name, wanted)| has(name, wanted))
            && filter.price.is_none_or(|bounds| {
                price(document, question).is_some_and(|minor| {
                    bounds.min_minor.is_none_or(|min| min <= minor)
                        && bounds.max_minor.is_none_or(|max| minor <= max)
                })
            })
            && filter.in_stock.is_none_or(|wanted| document.in_stock == wanted)
            && filter.seller.is_none_or(|seller| document.seller_id == seller)
    }

    pub(super) fn passing(&self, question: &Question, filter: &Filter) -> Vec<&SearchDocument> {
        let passes = |document: &&SearchDocument| self.passes(document, question, filter);
        self.documents.values().filter(passes).collect()
    }

    pub(super) fn answer(&self, question: &Question, matches: Option<&[(i64, f32)]>) -> Findings {
        let near: BTreeSet<ProductId> =
            question.neighbours.iter().map(|it| it.product_id).collect();
        let score = |document: &SearchDocument| {
            matches?.iter().find(|(number, _)| *number == document.number).map(|(_, score)| *score)
        };
        let found = |filter: &Filter| {
            let mut passing = self.passing(question, filter);
            passing.retain(|document| {
                matches.is_none()
                    || score(document).is_some()
                    || near.contains(&document.product_id)
            });
            passing
        };
        let mut hits = found(&question.filter);
        let total = hits.len() as u64;

        let mut by_text: Vec<_> = hits.iter().filter_map(|it| Some((*it, score(it)?))).collect();
        by_text.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.number.cmp(&a.0.number)));
        let text_rank = |document: &SearchDocument| {
            by_text.iter().position(|(of, _)| of.number == document.number).map(|at| at + 1)
        };
        let mut ranked_near: Vec<ProductId> = Vec::new();
        for neighbour in question.neighbours.iter().filter(|_| matches.is_some()) {
            let id = neighbour.product_id;
            if hits.iter().any(|hit| hit.product_id == id) && !ranked_near.contains(&id) {
                ranked_near.push(id);
            }
        }
        let near_rank = |document: &SearchDocument| {
            ranked_near.iter().position(|id| *id == document.product_id).map(|at| at + 1)
        };
        let relevance = question.order == Order::Relevance;
        let fused = relevance && !question.neighbours.is_empty() && !question.fusion.only_behind;
        let fused = fused && matches.is_some();
        let fused_score = |document: &SearchDocument| {
            let part = |weight: f32, rank: Option<usize>| {
                rank.map_or(0.0, |rank| weight / (question.fusion.k + rank as f32))
            };
            part(question.fusion.text_weight, text_rank(document))
                + part(question.fusion.semantic_weight, near_rank(document))
        };
        hits.sort_by(|a, b| {
            let by = match question.order {
                Order::Relevance if fused => fused_score(b).total_cmp(&fused_score(a)),
                Order::Relevance if matches.is_some() => {
                    let key = |it| (text_rank(it).unwrap_or(usize::MAX), near_rank(it));
                    key(a).cmp(&key(b))
                }
                Order::Relevance => Ordering::Equal,
                Order::Newest => Ordering::Equal,
                Order::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
                Order::PriceAscending => {
                    let key = |it| price(it, question).map_or((1, 0), |minor| (0, minor));
                    key(a).cmp(&key(b))
                }
                Order::PriceDescending => {
                    let key = |it| price(it, question).map_or((1, 0), |minor| (0, -minor));
                    key(a).cmp(&key(b))
                }
                Order::Rating => {
                    let (left, right) = (a.stars, b.stars);
                    let mean = |of: projections::catalogue::Stars| of.mean().unwrap_or(0.0);
                    mean(right).total_cmp(&mean(left)).then(right.count.cmp(&left.count))
                }
            };
            by.then(b.number.cmp(&a.number))
        });
        let similarity = |id| question.neighbours.iter().find(|it| it.product_id == id);
        let page = hits.iter().skip(question.offset).take(question.limit);
        let hits = page.map(|document| Hit {
            product_id: document.product_id,
            explanation: question.explain.then(|| Explanation {
                text: text_rank(document).map(|rank| TextScore {
                    rank,
                    score: by_text[rank - 1].1,
                    matched: BTreeMap::new(),
                }),
                semantic: near_rank(document).map(|rank| SemanticScore {
                    rank,
                    similarity: similarity(document.product_id).unwrap().similarity,
                }),
                fused: fused.then(|| fused_score(document)),
                personal: None,
            }),
        });
        Findings {
            hits: hits.collect(),
            total,
            facets: self.facets(question, &found),
            buckets: buckets(question, &found),
            corrected: None,
        }
    }

    fn facets<'n>(
        &self,
        question: &Question,
        found: &impl Fn(&Filter) -> Vec<&'n SearchDocument>,
    ) -> Facets {
        let request = &question.facets;
        let filter = &question.filter;
        let max = request.values_max;
        let nothing = BTreeSet::new();
        let mut facets = Facets::default();
        if request.category {
            let among = found(&Filter { category: None, ..filter.clone() });
            facets.category = (self.categories.iter())
                .map(|view| CategoryCount {
                    category_id: view.category_id,
                    count: among
                        .iter()
                        .filter(|it| self.categories_of(it.product_id).contains(&view.category_id))
                        .count() as u64,
                })
                .filter(|it| it.count > 0)
                .collect();
        }
        if request.brand {
            let among = found(&Filter { brands: BTreeSet::new(), ..filter.clone() });
            facets.brand = counted(among.iter().flat_map(|it| &it.brand), &filter.brands, max);
        }
        if request.tags {
            let among = found(filter);
            facets.tags = counted(among.iter().flat_map(|it| &it.tags), &filter.tags, max);
        }
        for name in ["colour", "size", "unknown"] {
            let wanted = match &request.attributes {
                AttributeFacets::None => false,
                AttributeFacets::All => true,
                AttributeFacets::Named(names) => names.contains(name),
            };
            if wanted {
                let mut unchosen = filter.clone();
                unchosen.attributes.remove(name);
                let among = found(&unchosen);
                let values = among.iter().filter_map(|it| it.attributes.get(name)).flatten();
                let chosen = filter.attributes.get(name).unwrap_or(&nothing);
                let values = counted(values, chosen, max);
                if !values.is_empty() {
                    facets.attributes.insert(name.to_owned(), values);
                }
            }
        }
        facets
    }
}

fn counted<'n>(
    values: impl Iterator<Item = &'n String>,
    chosen: &BTreeSet<String>,
    max: usize,
) -> Vec<ValueCount> {
    let mut counts: BTreeMap<&String, u64> = chosen.iter().map(|value| (value, 0)).collect();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(&String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(value, count)| (Reverse(*count), *value));
    let kept = counts.into_iter().enumerate();
    kept.filter(|(at, (value, _))| *at < max || chosen.contains(*value))
        .map(|(_, (value, count))| ValueCount { value: value.clone(), count })
        .collect()
}

fn buckets<'n>(
    question: &Question,
    found: &impl Fn(&Filter) -> Vec<&'n SearchDocument>,
) -> Vec<Bucket> {
    let bounds = &question.price_bounds;
    let among = found(&Filter { price: None, ..question.filter.clone() });
    let prices: Vec<i64> = among.iter().filter_map(|it| price(it, question)).collect();
    let from = std::iter::once(None).chain(bounds.iter().copied().map(Some));
    let to = bounds.iter().copied().map(Some).chain([None]);
    from.zip(to)
        .filter(|_| !bounds.is_empty())
        .map(|(from, to)| {
            let within = |minor: &&i64| {
                from.is_none_or(|from| from <= **minor) && to.is_none_or(|to| **minor < to)
            };
            Bucket { from, to, count: prices.iter().filter(within).count() as u64 }
        })
        .collect()
}
