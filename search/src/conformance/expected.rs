//! What the contract says must come out, worked out from the documents by trying each.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use domain::product::ProductStatus;
use domain::{CategoryId, ProductId};
use projections::catalogue::{CategoryView, SearchDocument};

use super::shop;
use crate::{AttributeFacets, Bucket, CategoryCount, Facets, Filter, Order, Question, ValueCount};

/// Everything an engine was told.
#[derive(Clone)]
pub(crate) struct Expected {
    pub(crate) documents: BTreeMap<ProductId, SearchDocument>,
    pub(crate) categories: Vec<CategoryView>,
}

impl Expected {
    pub(crate) fn shop() -> Self {
        let documents =
            shop::documents().into_iter().map(|document| (document.product_id, document));
        Self { documents: documents.collect(), categories: shop::categories() }
    }

    /// Products found: all that pass the filter and match the text or are a neighbour.
    pub(crate) fn found(&self, question: &Question) -> Vec<&SearchDocument> {
        self.passing(question, &question.filter)
    }

    /// Shop's numbers of products found, ascending.
    pub(crate) fn numbers(&self, question: &Question) -> Vec<u32> {
        let found = self.found(question).into_iter();
        let numbers: BTreeSet<u32> = found.map(|found| shop::number(found.product_id)).collect();
        numbers.into_iter().collect()
    }

    fn passing(&self, question: &Question, filter: &Filter) -> Vec<&SearchDocument> {
        let near: BTreeSet<ProductId> =
            question.neighbours.iter().map(|neighbour| neighbour.product_id).collect();
        self.documents
            .values()
            .filter(|document| document.status == ProductStatus::Active)
            .filter(|document| passes(document, filter, question))
            .filter(|document| {
                question.text.as_ref().is_none_or(|text| has_words(document, text))
                    || near.contains(&document.product_id)
            })
            .collect()
    }

    /// In the question's order, which must not be by relevance to a text.
    pub(crate) fn ordered(&self, question: &Question) -> Vec<u32> {
        let mut found = self.found(question);
        found.sort_by(|a, b| in_order(question, a, b));
        found.into_iter().map(|document| shop::number(document.product_id)).collect()
    }

    pub(crate) fn facets(&self, question: &Question) -> Facets {
        let asked = &question.facets;
        let with = |change: &dyn Fn(&mut Filter)| {
            let mut filter = question.filter.clone();
            change(&mut filter);
            self.passing(question, &filter)
        };
        let mut facets = Facets::default();
        if asked.category {
            let found = with(&|filter| filter.category = None);
            facets.category = self
                .categories
                .iter()
                .map(|category| CategoryCount {
                    category_id: category.category_id,
                    count: found.iter().filter(|it| is_below(it, category.category_id)).count()
                        as u64,
                })
                .filter(|counted| counted.count > 0)
                .collect();
        }
        if asked.brand {
            let found = with(&|filter| filter.brands.clear());
            facets.brand = counted(
                found.iter().flat_map(|it| &it.brand),
                &question.filter.brands,
                asked.values_max,
            );
        }
        if asked.tags {
            facets.tags = counted(
                with(&|_| {}).iter().flat_map(|it| &it.tags),
                &question.filter.tags,
                asked.values_max,
            );
        }
        let names: BTreeSet<String> = match &asked.attributes {
            AttributeFacets::None => BTreeSet::new(),
            AttributeFacets::Named(names) => names.clone(),
            AttributeFacets::All => {
                let of_all = self.documents.values().flat_map(|it| it.attributes.keys());
                of_all.chain(question.filter.attributes.keys()).cloned().collect()
            }
        };
        for name in names {
            let found = with(&|filter| {
                filter.attributes.remove(&name);
            });
            let values = found.iter().flat_map(|it| it.attributes.get(&name)).flatten();
            let chosen = question.filter.attributes.get(&name).cloned().unwrap_or_default();
            let values = counted(values, &chosen, asked.values_max);
            if !values.is_empty() {
                facets.attributes.insert(name, values);
            }
        }
        facets
    }

    pub(crate) fn buckets(&self, question: &Question) -> Vec<Bucket> {
        if question.price_bounds.is_empty() {
            return Vec::new();
        }
        let unpriced = Filter { price: None, ..question.filter.clone() };
        let found = self.passing(question, &unpriced);
        let bounds = &question.price_bounds;
        (0..=bounds.len())
            .map(|index| {
                let from = index.checked_sub(1).map(|before| bounds[before]);
                let to = bounds.get(index).copied();
                let prices = found.iter().filter_map(|it| price(it, question));
                let inside = prices
                    .filter(|price| from.is_none_or(|from| *price >= from))
                    .filter(|price| to.is_none_or(|to| *price < to));
                Bucket { from, to, count: inside.count() as u64 }
            })
            .collect()
    }
}

/// Whether every word of the text is in the document; the last one may be only begun.
pub(crate) fn has_words(document: &SearchDocument, text: &str) -> bool {
    let words = words(&text_of(document));
    let searched: Vec<String> = self::words(text);
    !searched.is_empty()
        && searched.iter().enumerate().all(|(index, word)| {
            let last = index + 1 == searched.len();
            words.iter().any(|has| has == word || (last && has.starts_with(word.as_str())))
        })
}

/// Everything of a document that can be found by words.
pub(crate) fn text_of(document: &SearchDocument) -> String {
    let mut text = format!("{} {}", document.name, document.description);
    let parts = document.brand.iter().chain(&document.tags);
    let parts = parts.chain(document.categories.iter().map(|category| &category.name));
    for part in parts.chain(document.attributes.values().flatten()) {
        text.push(' ');
        text.push_str(part);
    }
    text
}

pub(super) fn words(text: &str) -> Vec<String> {
    let plain = |letter: char| match letter {
        'è' | 'é' | 'ê' => 'e',
        'û' | 'ü' => 'u',
        other => other,
    };
    let text: String = text.to_lowercase().chars().map(plain).collect();
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn passes(document: &SearchDocument, filter: &Filter, question: &Question) -> bool {
    let price = price(document, question);
    let brand = |brand: &String| filter.brands.contains(brand);
    filter.category.is_none_or(|category| is_below(document, category))
        && (filter.brands.is_empty() || document.brand.as_ref().is_some_and(brand))
        && filter.tags.is_subset(&document.tags)
        && filter.attributes.iter().all(|(name, values)| {
            document.attributes.get(name).is_some_and(|has| !has.is_disjoint(values))
        })
        && filter.price.is_none_or(|bounds| {
            price.is_some_and(|price| {
                bounds.min_minor.is_none_or(|min| price >= min)
                    && bounds.max_minor.is_none_or(|max| price <= max)
            })
        })
        && filter.in_stock.is_none_or(|in_stock| document.in_stock == in_stock)
        && filter.seller.is_none_or(|seller| document.seller_id == seller)
}

fn is_below(document: &SearchDocument, category: CategoryId) -> bool {
    document.categories.iter().any(|above| above.category_id == category)
}

fn price(document: &SearchDocument, question: &Question) -> Option<i64> {
    document.price(question.tier, question.currency?, shop::nanoseconds(question.now))
}

/// The most frequent, and all that are chosen, found or not.
fn counted<'a>(
    values: impl Iterator<Item = &'a String>,
    chosen: &BTreeSet<String>,
    values_max: usize,
) -> Vec<ValueCount> {
    let mut counts: BTreeMap<String, u64> = chosen.iter().map(|it| (it.clone(), 0)).collect();
    for value in values {
        *counts.entry(value.clone()).or_default() += 1;
    }
    let mut counts: Vec<ValueCount> =
        counts.into_iter().map(|(value, count)| ValueCount { value, count }).collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    let mut place = 0;
    counts.retain(|counted| {
        place += 1;
        place <= values_max || chosen.contains(&counted.value)
    });
    counts
}

fn in_order(question: &Question, a: &SearchDocument, b: &SearchDocument) -> Ordering {
    let newest = (b.created_at, b.number).cmp(&(a.created_at, a.number));
    let priced = |document: &SearchDocument| price(document, question);
    let by = match question.order {
        Order::Relevance | Order::Newest => Ordering::Equal,
        Order::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
        Order::PriceAscending => priced(a).unwrap_or(i64::MAX).cmp(&priced(b).unwrap_or(i64::MAX)),
        Order::PriceDescending => priced(b).cmp(&priced(a)),
        Order::Rating => {
            // Compared as fractions, without rounding.
            let (a, b) = (a.stars, b.stars);
            let left = u64::from(b.sum) * u64::from(a.count.max(1));
            let right = u64::from(a.sum) * u64::from(b.count.max(1));
            left.cmp(&right).then_with(|| b.count.cmp(&a.count))
        }
    };
    by.then(newest)
}
