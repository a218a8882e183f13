//! From candidates to a page: what is available, by expected click-through, not all of the same.

use std::collections::HashSet;

use domain::{CategoryId, ProductId};

use super::candidates::Suggestion;
use super::diversity::{at_most_of_a_group, maximal_marginal_relevance};
use super::models::Models;
use super::settings::Diversity;

/// What a page is chosen by.
pub(super) struct Page<'a> {
    pub(super) wanted: usize,
    pub(super) diversity: Diversity,
    pub(super) models: &'a Models,
    pub(super) category: &'a dyn Fn(ProductId) -> Option<CategoryId>,
    pub(super) is_available: &'a dyn Fn(ProductId) -> bool,
    /// What a product's score is multiplied by for how likely it is clicked.
    pub(super) click_through: &'a dyn Fn(ProductId) -> f32,
}

impl Page<'_> {
    /// Chooses from the first list; from each further one only what the page still lacks.
    pub(super) fn choose(&self, lists: &[&[Suggestion]]) -> Vec<Suggestion> {
        let mut chosen: Vec<Suggestion> = Vec::new();
        let mut shown: HashSet<ProductId> = HashSet::new();
        for list in lists {
            let lacking = self.wanted - chosen.len();
            if lacking == 0 {
                break;
            }
            // A further list ranks by other measures: it goes on where the one before ended.
            let most = chosen.last().map_or(f32::INFINITY, |last| last.score);
            for mut suggestion in self.best_of(list, &shown, lacking) {
                suggestion.score = suggestion.score.min(most);
                shown.insert(suggestion.product_id);
                chosen.push(suggestion);
            }
        }
        chosen
    }

    fn best_of(
        &self,
        list: &[Suggestion],
        shown: &HashSet<ProductId>,
        count: usize,
    ) -> Vec<Suggestion> {
        let mut ranked: Vec<Suggestion> = (list.iter())
            .filter(|s| !shown.contains(&s.product_id) && (self.is_available)(s.product_id))
            .map(|s| Suggestion { score: s.score * (self.click_through)(s.product_id), ..*s })
            .collect();
        // Equal ones stay in the list's own order.
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut places = match self.diversity {
            Diversity::None => (0..ranked.len().min(count)).collect(),
            Diversity::PerCategory(max) => {
                let groups = ranked.iter().map(|s| (self.category)(s.product_id));
                at_most_of_a_group(groups, max, count)
            }
            Diversity::MarginalRelevance { lambda } => {
                let scores: Vec<f32> = ranked.iter().map(|s| s.score).collect();
                let taste = &self.models.taste;
                let likeness =
                    |a: usize, b: usize| taste.likeness(ranked[a].product_id, ranked[b].product_id);
                maximal_marginal_relevance(&scores, likeness, lambda, count)
            }
        };
        // Which are shown is decided; the best of them still goes first.
        places.sort_unstable();
        places.into_iter().map(|place| ranked[place]).collect()
    }
}
