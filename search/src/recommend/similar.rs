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
    lists: HashMap<ProductId, List>,
    stale: BTreeSet<ProductId>,
    /// Products that changed or went, and when: who names them is looked for all at once, since all
    /// lists have to be gone through.
    moved: HashMap<ProductId, u64>,
    /// Counts changes.
    time: u64,
}

#[derive(Debug)]
struct List {
    made: u64,
    neighbours: Box<[Neighbour]>,
}

impl SimilarLists {
    /// A list, whether or not it is stale; `None` if none was made yet.
    pub(super) fn of(&self, product: ProductId) -> Option<&[Neighbour]> {
        self.lists.get(&product).map(|list| &*list.neighbours)
    }

    /// Products that are new or changed: their lists are to be made. Those that name them follow
    /// with [`Self::naming`].
    pub(super) fn changed(&mut self, products: &HashSet<ProductId>) {
        self.time += 1;
        // What has no list yet is new, and in no other.
        let known = products.iter().filter(|product| self.lists.contains_key(product));
        self.moved.extend(known.map(|product| (*product, self.time)));
        self.stale.extend(products);
    }

    pub(super) fn removed(&mut self, products: &HashSet<ProductId>) {
        self.time += 1;
        for product in products {
            self.lists.remove(product);
            self.stale.remove(product);
            self.moved.insert(*product, self.time);
        }
    }

    /// What changed or went since this was called last, for [`Self::naming`].
    pub(super) fn take_moved(&mut self) -> HashMap<ProductId, u64> {
        std::mem::take(&mut self.moved)
    }

    /// Whose lists name something of `moved` as it was before. Goes through all lists.
    pub(super) fn naming(&self, moved: &HashMap<ProductId, u64>) -> Vec<ProductId> {
        let is_old = |list: &List| {
            let mut at = list.neighbours.iter().filter_map(|near| moved.get(&near.product_id));
            at.any(|at| *at > list.made)
        };
        let naming = self.lists.iter().filter(|(_, list)| is_old(list));
        naming.map(|(product, _)| *product).collect()
    }

    /// These lists are to be made anew, as far as there still are such.
    pub(super) fn outdated(&mut self, products: &[ProductId]) {
        self.stale.extend(products.iter().filter(|product| self.lists.contains_key(product)));
    }

    /// Lists to be made next, and the time, to be given back with them: what changes until then may
    /// not be in them.
    pub(super) fn next_stale(&self, count: usize) -> (Vec<ProductId>, u64) {
        (self.stale.iter().take(count).copied().collect(), self.time)
    }

    /// Puts a list that was made. It enters the lists of those it names, where it is likelier than
    /// the last of them: a new product is not only told what is like it.
    /// `at` is the time from [`Self::next_stale`].
    pub(super) fn made(&mut self, product: ProductId, list: Vec<Neighbour>, at: u64) {
        if !self.stale.remove(&product) {
            return;
        }
        for neighbour in &list {
            let Some(theirs) = self.lists.get_mut(&neighbour.product_id) else { continue };
            let entry = Neighbour { product_id: product, similarity: neighbour.similarity };
            let mut grown = theirs.neighbours.to_vec();
            grown.retain(|other| other.product_id != product);
            grown.push(entry);
            grown.sort_by(|a, b| {
                b.similarity.total_cmp(&a.similarity).then(a.product_id.cmp(&b.product_id))
            });
            grown.truncate(SIMILAR_MAX);
            theirs.neighbours = grown.into_boxed_slice();
        }
        let list = List { made: at, neighbours: list.into_boxed_slice() };
        self.lists.insert(product, list);
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

    fn look_who_names(lists: &mut SimilarLists) {
        let moved = lists.take_moved();
        let naming = lists.naming(&moved);
        lists.outdated(&naming);
    }

    #[test]
    fn a_new_product_enters_the_lists_of_those_like_it() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1, 2]));
        lists.made(product(1), vec![near(2, 0.5)], lists.time);
        lists.made(product(2), vec![near(1, 0.5)], lists.time);
        assert_eq!(lists.progress(), (2, 2));
        lists.changed(&set(&[3]));
        assert_eq!(lists.progress(), (2, 3));
        lists.made(product(3), vec![near(1, 0.9)], lists.time);
        assert_eq!(lists.of(product(1)).unwrap(), [near(3, 0.9), near(2, 0.5)]);
        assert_eq!(lists.progress(), (3, 3));
    }

    #[test]
    fn whoever_names_what_changed_or_went_is_made_anew() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1, 2, 3]));
        lists.made(product(1), vec![near(2, 0.5)], lists.time);
        lists.made(product(2), vec![near(1, 0.5)], lists.time);
        lists.made(product(3), vec![], lists.time);
        look_who_names(&mut lists);
        assert_eq!(lists.next_stale(9).0, []);
        lists.removed(&set(&[2]));
        look_who_names(&mut lists);
        assert_eq!(lists.next_stale(9).0, [product(1)]);
        assert_eq!(lists.of(product(2)), None);
        lists.made(product(1), vec![near(3, 0.1)], lists.time);
        lists.changed(&set(&[3]));
        look_who_names(&mut lists);
        assert_eq!(lists.next_stale(9).0, [product(1), product(3)]);
        // What was made after a change is of what is now.
        lists.changed(&set(&[3]));
        lists.made(product(1), vec![near(3, 0.2)], lists.time);
        lists.made(product(3), vec![], lists.time);
        look_who_names(&mut lists);
        assert_eq!(lists.next_stale(9).0, []);
    }

    #[test]
    fn a_list_made_of_what_is_gone_meanwhile_is_thrown_away() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1]));
        lists.removed(&set(&[1]));
        lists.made(product(1), vec![near(2, 0.5)], lists.time);
        assert_eq!(lists.of(product(1)), None);
        assert_eq!(lists.progress(), (0, 0));
    }

    #[test]
    fn what_goes_while_a_list_is_made_is_noticed() {
        let mut lists = SimilarLists::default();
        lists.changed(&set(&[1, 2]));
        lists.made(product(2), vec![], lists.time);
        let (_, at) = lists.next_stale(9);
        lists.removed(&set(&[2]));
        lists.made(product(1), vec![near(2, 0.5)], at);
        look_who_names(&mut lists);
        assert_eq!(lists.next_stale(9).0, [product(1)], "it names what is gone");
    }
}
