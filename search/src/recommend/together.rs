//! Which products are bought together: cosine over orders, the best partners of each product.
//!
//! The same measure as the read model `frequently_bought_together`, held in memory beside the other
//! models, so that ranking a customer's candidates asks no database.

/// Partners kept of each product.
const PARTNERS_MAX: usize = 20;

/// For each product its partners, the best first, as places of products and cosines.
pub(super) struct Together {
    partners: Vec<Box<[(u32, f32)]>>,
}

impl Together {
    /// `baskets` holds places below `products`, each once in a basket.
    pub(super) fn count(baskets: &[Vec<u32>], products: usize) -> Self {
        let mut postings: Vec<Vec<u32>> = vec![Vec::new(); products];
        for (order, basket) in (0_u32..).zip(baskets) {
            for product in basket {
                postings[*product as usize].push(order);
            }
        }
        let mut counts = vec![0_u32; products];
        let mut seen: Vec<u32> = Vec::new();
        let mut partners = Vec::with_capacity(products);
        for (product, orders) in (0_u32..).zip(&postings) {
            for other in orders.iter().flat_map(|order| &baskets[*order as usize]) {
                if *other != product {
                    if counts[*other as usize] == 0 {
                        seen.push(*other);
                    }
                    counts[*other as usize] += 1;
                }
            }
            let mut scored: Vec<(u32, f32)> = (seen.drain(..))
                .map(|other| {
                    let together = std::mem::take(&mut counts[other as usize]) as f32;
                    let either = orders.len() as f32 * postings[other as usize].len() as f32;
                    (other, together / either.sqrt())
                })
                .collect();
            scored.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            scored.truncate(PARTNERS_MAX);
            partners.push(scored.into_boxed_slice());
        }
        Self { partners }
    }

    pub(super) fn of(&self, product: u32) -> &[(u32, f32)] {
        self.partners.get(product as usize).map_or(&[], |partners| partners)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_ranked_by_cosine_and_ties_by_place() {
        let baskets = [vec![0, 1], vec![0, 1, 2], vec![0, 3], vec![2], vec![4]];
        let together = Together::count(&baskets, 6);
        let of_0: Vec<u32> = together.of(0).iter().map(|(other, _)| *other).collect();
        // 2 of 3 and 2, 1 of 3 and 1, 1 of 3 and 2.
        assert_eq!(of_0, [1, 3, 2]);
        assert!((together.of(0)[0].1 - 2.0 / 6f32.sqrt()).abs() < 1e-6);
        assert!(
            together.of(4).is_empty() && together.of(5).is_empty() && together.of(9).is_empty()
        );
    }
}
