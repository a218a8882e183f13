//! A catalogue of the products' names, and what is alike by them.

use std::collections::{BTreeMap, HashMap};

use domain::product::ProductStatus;
use domain::{CategoryId, ProductId, SellerId, Timestamp};
use projections::catalogue::{NamedCategory, SearchDocument, Stars};
use search::{Changes, Likeness, Neighbour};
use uuid::Uuid;

use crate::orders::Orders;

/// Names as bags of words, weighted by how rare a word is.
pub(crate) struct Texts {
    documents: Vec<SearchDocument>,
    vectors: HashMap<ProductId, BTreeMap<String, f32>>,
    with: BTreeMap<String, Vec<ProductId>>,
}

impl Texts {
    pub(crate) fn of(orders: &Orders) -> Self {
        let mut with: BTreeMap<String, Vec<ProductId>> = BTreeMap::new();
        for (product, name) in &orders.names {
            for word in words(name) {
                let with = with.entry(word).or_default();
                if with.last() != Some(product) {
                    with.push(*product);
                }
            }
        }
        let count = orders.names.len() as f32;
        let vectors = orders.names.iter().map(|(product, name)| {
            let mut vector: BTreeMap<String, f32> = words(name)
                .map(|word| (word.clone(), (count / with[&word].len() as f32).ln()))
                .collect();
            let length = vector.values().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
            vector.values_mut().for_each(|value| *value /= length);
            (*product, vector)
        });
        let vectors = vectors.collect();
        let documents = (1..)
            .zip(&orders.names)
            .map(|(number, (product, name))| document(number, *product, name));
        Self { documents: documents.collect(), vectors, with }
    }

    pub(crate) fn catalogue(&self) -> Changes {
        Changes { documents: self.documents.clone(), ..Changes::default() }
    }

    /// Sums of likeness to some products.
    pub(crate) fn like(&self, products: &[ProductId]) -> BTreeMap<ProductId, f32> {
        let mut sums = BTreeMap::new();
        for (word, weight) in products.iter().flat_map(|product| &self.vectors[product]) {
            for other in &self.with[word] {
                *sums.entry(*other).or_default() += weight * self.vectors[other][word];
            }
        }
        sums
    }

    /// Mean likeness of the pairs of a page.
    pub(crate) fn alike(&self, page: &[ProductId]) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (place, one) in page.iter().enumerate() {
            for other in &page[..place] {
                let other = &self.vectors[other];
                let shared =
                    self.vectors[one].iter().filter_map(|(word, w)| Some(w * other.get(word)?));
                sum += f64::from(shared.sum::<f32>());
                pairs += 1.0;
            }
        }
        if pairs > 0.0 { sum / pairs } else { 0.0 }
    }
}

fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split(|letter: char| !letter.is_alphanumeric())
        .filter(|w| w.len() > 1)
        .map(str::to_lowercase)
}

/// The last word of these names says what kind of thing it is: it stands in for a category.
pub(crate) fn document(number: i64, product: ProductId, name: &str) -> SearchDocument {
    let kind = words(name).last().unwrap_or_default();
    let category = CategoryId::new(Uuid::from_u128(u128::from(crc32fast::hash(kind.as_bytes()))));
    SearchDocument {
        number,
        product_id: product,
        seller_id: SellerId::new(Uuid::from_u128(1)),
        status: ProductStatus::Active,
        name: name.to_owned(),
        description: String::new(),
        brand: None,
        tags: Default::default(),
        categories: vec![NamedCategory { category_id: category, name: kind }],
        attributes: Default::default(),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

impl Likeness for Texts {
    fn like_each(&self, products: &[ProductId], k: usize) -> Vec<Vec<Neighbour>> {
        products
            .iter()
            .map(|product| {
                let mut like: Vec<_> = self
                    .like(&[*product])
                    .into_iter()
                    .filter(|(other, _)| other != product)
                    .collect();
                like.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                like.into_iter()
                    .take(k)
                    .map(|(product_id, similarity)| Neighbour { product_id, similarity })
                    .collect()
            })
            .collect()
    }

    fn take_changed(&self) -> Vec<ProductId> {
        Vec::new()
    }
}
