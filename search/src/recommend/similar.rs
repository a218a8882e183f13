//! The products most like each product, kept ready.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::ProductId;

use crate::Neighbour;

/// Which products are like a product by what is written about them.
pub trait Likeness: Send + Sync + 'static {
    /// For each of `products` the `k` likest, the likest first, without itself; none where nothing
    /// is known of it.
    fn like_each(&self, products: &[ProductId], k: usize) -> Vec<Vec<Neighbour>>;

    /// Products of which more or something else is known than when this was asked last; at first
    /// all that are known. One asker.
    fn take_changed(&self) -> Vec<ProductId>;
}

/// Products kept for each product.
pub(super) const SIMILAR_MAX: usize = 20;

/// The lists, and those that are still to be made.
#[derive(Debug, Default)]
pub(super) struct SimilarLists {
    lists: HashMap<ProductId, Box<[Neighbour]>>,
    stale: BTreeSet<ProductId>,
}

impl SimilarLists {
    /// A list, whether or not it is stale; `None` if none was made yet.
    pub(super) fn of(&self, product: ProductId) -> Option<&[Neighbour]> {
        self.lists.get(&product).map(|list| &**list)
    }

    /// Products that are new or changed: their lists are to be made, and those that name them.
    pub(super) fn changed(&mut self, products: &HashSet<ProductId>) {
        self.stale_if_naming(products);
        self.stale.extend(products);
    }

    pub(super) fn removed(&mut self, products: &HashSet<ProductId>) {
        for product in products {
            self.lists.remove(product);
            self.stale.remove(product);
        }
        self.stale_if_naming(products);
    }

    fn stale_if_naming(&mut self, products: &HashSet<ProductId>) {
        for (product, list) in &self.lists {
            if list.iter().any(|neighbour| products.contains(&neighbour.product_id)) {
                self.stale.insert(*product);
            }
        }
    }

    pub(super) fn next_stale(&self, count: usize) -> Vec<ProductId> {
        self.stale.iter().take(count).copied().collect()
    }

    /// Puts a list that was made. It enters the lists of those it names, where it is likelier than
    /// the last of them: a new product is not only told what is like it.
    pub(super) fn made(&mut self, product: ProductId, list: Vec<Neighbour>) {
        if !self.stale.remove(&product) {
            return;
        }
        for neighbour in &list {
            let Some(theirs) = self.lists.get_mut(&neighbour.product_id) else { continue };
            let entry = Neighbour { product_id: product, similarity: neighbour.similarity };
            let mut grown = theirs.to_vec();
            grown.retain(|other| other.product_id != product);
            grown.push(entry);
            grown.sort_by(|a, b| {
                b.similarity.total_cmp(&a.similarity).then(a.product_id.cmp(&b.product_id))
            });
            grown.truncate(SIMILAR_MAX);
            *theirs = grown.into_boxed_slice();
        }
        self.lists.insert(product, list.into_boxed_slice());
    }

    /// Lists that are up to date, and all that should be.
    pub(super) fn progress(&self) -> (usize, usize) {
        let unmade = self.stale.iter().filter(|product| !self.lists.contains_key(product)).count();
        let total = self.lists.len() + unmade;
        (total - self.stale.len().min(total), total)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn product(number: u128) -> ProductId {
        ProductId::new(Uuid::from_u128(number))
    }

    fn near(number: u128, similarity: f32) -> Neighbour {
        Neighbour { product_id: product(number), similarity }
    }

    fn set(numbers: &[u128]) -> HashSet<ProductId> {
        numbers.iter().map(|number| product(*number)).collect()
    }

    #[test]
    fn a_new_product_enters_the_lists_of_those_like_it() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1, 2]));
        lists.made(product(1), vec![near(2, 0.5)]);
        lists.made(product(2), vec![near(1, 0.5)]);
        assert_eq!(lists.progress(), (2, 2));
        lists.changed(&set(&[3]));
        assert_eq!(lists.progress(), (2, 3));
        lists.made(product(3), vec![near(1, 0.9)]);
        assert_eq!(lists.of(product(1)).unwrap(), [near(3, 0.9), near(2, 0.5)]);
        assert_eq!(lists.progress(), (3, 3));
    }

    #[test]
    fn whoever_names_what_changed_or_went_is_made_anew() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1, 2, 3]));
        lists.made(product(1), vec![near(2, 0.5)]);
        lists.made(product(2), vec![near(1, 0.5)]);
        lists.made(product(3), vec![]);
        lists.removed(&set(&[2]));
        assert_eq!(lists.next_stale(9), [product(1)]);
        assert_eq!(lists.of(product(2)), None);
        lists.made(product(1), vec![near(3, 0.1)]);
        lists.changed(&set(&[3]));
        assert_eq!(lists.next_stale(9), [product(1), product(3)]);
    }

    #[test]
    fn a_list_made_of_what_is_gone_meanwhile_is_thrown_away() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1]));
        lists.removed(&set(&[1]));
        lists.made(product(1), vec![near(2, 0.5)]);
        assert_eq!(lists.of(product(1)), None);
        assert_eq!(lists.progress(), (0, 0));
    }
}
