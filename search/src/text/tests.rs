//! What an index of products finds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use domain::product::ProductStatus;
use domain::{CategoryId, ProductId, SellerId};
use projections::catalogue::{NamedCategory, SearchDocument, Stars};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

mod hostile;
mod keeping;
mod matching;
mod ordering;
mod spelling;

pub(super) fn id(number: i64) -> ProductId {
    ProductId::new(Uuid::from_u128(u128::try_from(number).unwrap()))
}

/// `name | brand | category | tag | attribute | description`, as far as given.
pub(super) fn product(number: i64, text: &str) -> SearchDocument {
    let mut parts = text.split('|').map(|part| part.trim().to_owned());
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let name = next().unwrap_or_default();
    let brand = next();
    let category =
        next().map(|name| NamedCategory { category_id: CategoryId::new(Uuid::from_u128(1)), name });
    let tags = next().into_iter().collect();
    let colours: BTreeSet<_> = next().into_iter().collect();
    SearchDocument {
        number,
        product_id: id(number),
        seller_id: SellerId::new(Uuid::from_u128(1)),
        status: ProductStatus::Active,
        name,
        description: next().unwrap_or_default(),
        brand,
        tags,
        categories: category.into_iter().collect(),
        attributes: BTreeMap::from([("colour".to_owned(), colours)]),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: DateTime::from_timestamp_nanos(0),
    }
}

pub(super) struct Shop {
    pub(super) index: TextIndex,
    pub(super) directory: TempDir,
}

impl Shop {
    /// Products numbered from 1.
    pub(super) fn new(texts: &[&str]) -> Self {
        Self::with(TextSettings::default(), texts)
    }

    pub(super) fn with(settings: TextSettings, texts: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let index = TextIndex::create(directory.path(), &settings).unwrap();
        let products: Vec<_> = (1..).zip(texts).map(|(at, text)| product(at, text)).collect();
        index.apply(&products, &[], "").unwrap();
        Self { index, directory }
    }

    pub(super) fn matches(&self, text: &str) -> TextMatches {
        self.index.matches(text, false).unwrap()
    }

    /// Numbers, the best first, then ascending.
    pub(super) fn find(&self, text: &str) -> Vec<i64> {
        let mut scores = self.matches(text).scores;
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scores.into_iter().map(|(number, _)| number).collect()
    }

    pub(super) fn corrected(&self, text: &str) -> Option<String> {
        self.matches(text).corrected
    }
}
