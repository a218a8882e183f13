//! Taste vectors: products that are bought together, or with the same others, point the same way.

use std::collections::HashMap;

use domain::ProductId;
use embeddings::{CoOccurrenceOptions, IndexError, VectorIndex, embed_baskets};

/// Names the vectors in their index; they never leave memory.
const MODEL: &str = "taste";

/// A vector for each product that was bought with others, and for those that borrow one.
pub(super) struct Taste {
    numbers: HashMap<ProductId, u64>,
    products: Vec<ProductId>,
    vectors: Vec<Box<[f32]>>,
    index: VectorIndex,
}

impl Taste {
    pub(super) fn empty(dimensions: usize) -> Result<Self, IndexError> {
        Ok(Self {
            numbers: HashMap::new(),
            products: Vec::new(),
            vectors: Vec::new(),
            index: VectorIndex::new(MODEL, dimensions)?,
        })
    }

    /// From which products were in one order: `baskets` holds places in `products`.
    pub(super) fn train(
        products: &[ProductId],
        baskets: &[Vec<u32>],
        dimensions: usize,
    ) -> Result<Self, IndexError> {
        let mut taste = Self::empty(dimensions)?;
        let options = CoOccurrenceOptions { dimensions, ..CoOccurrenceOptions::default() };
        let vectors = embed_baskets(products.len(), baskets, &options);
        for (place, product) in products.iter().enumerate() {
            taste.insert(*product, vectors.get(place).unwrap_or_default())?;
        }
        Ok(taste)
    }

    /// Takes in a vector of any length; one of zeros is none.
    pub(super) fn insert(&mut self, product: ProductId, vector: &[f32]) -> Result<(), IndexError> {
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length == 0.0 {
            return Ok(());
        }
        let number = match self.numbers.get(&product) {
            Some(number) => *number,
            None => self.products.len() as u64,
        };
        self.index.insert(number, vector)?;
        let unit = vector.iter().map(|value| value / length).collect();
        if self.numbers.insert(product, number).is_none() {
            self.products.push(product);
            self.vectors.push(unit);
        } else {
            self.vectors[number as usize] = unit;
        }
        Ok(())
    }

    pub(super) fn of(&self, product: ProductId) -> Option<&[f32]> {
        self.numbers.get(&product).map(|number| &*self.vectors[*number as usize])
    }

    pub(super) fn dimensions(&self) -> usize {
        self.index.dimensions()
    }

    /// The weighted mean of products' vectors, of length 1; `None` where nothing is known of any.
    pub(super) fn mean(
        &self,
        weighted: impl IntoIterator<Item = (ProductId, f32)>,
    ) -> Option<Vec<f32>> {
        let mut sum = vec![0.0; self.dimensions()];
        for (product, weight) in weighted {
            for (sum, value) in sum.iter_mut().zip(self.of(product).unwrap_or_default()) {
                *sum += weight * value;
            }
        }
        let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length <= 0.0 || !length.is_finite() {
            return None;
        }
        sum.iter_mut().for_each(|value| *value /= length);
        Some(sum)
    }

    /// Products near to a vector, the nearest first.
    pub(super) fn nearest(&self, vector: &[f32], count: usize) -> Vec<(ProductId, f32)> {
        // Vectors are made by `mean` alone: of the right length, and finite.
        let near = self.index.nearest(vector, count, |_| true).unwrap_or_default();
        near.into_iter().map(|near| (self.products[near.id as usize], near.similarity)).collect()
    }

    /// Cosine of two products' vectors; 0 where one has none.
    pub(super) fn likeness(&self, left: ProductId, right: ProductId) -> f32 {
        match (self.of(left), self.of(right)) {
            (Some(left), Some(right)) => dot(left, right),
            _ => 0.0,
        }
    }
}

pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}
