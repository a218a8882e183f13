//! What the port promises, as checks every engine must pass: the same questions over the same shop,
//! and the same answers.
//!
//! A check panics with the rule that was broken. The order among hits that match a text is an
//! engine's own, but for the rules in [`text`].

pub(crate) mod changes;
pub(crate) mod expected;
pub(crate) mod filters;
pub(crate) mod fused;
pub(crate) mod pages;
pub(crate) mod refill;
pub(crate) mod shop;
mod sound;
pub(crate) mod text;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::pricing::Tier;
use domain::{Currency, Timestamp};
use journal::Position;
use projections::catalogue::{CategoryView, SearchDocument};
use uuid::Uuid;

use crate::{
    AttributeFacets, Changes, FacetRequest, Filled, Filter, Findings, Fusion, Order, Question,
    SearchEngine,
};

type TellAll = dyn Fn(&[SearchDocument], &[CategoryView]) + Send + Sync;

/// An empty engine that nobody else uses, and what stands beside it.
pub(crate) struct Subject {
    pub(crate) engine: Arc<dyn SearchEngine>,
    /// Told of changes before the engine is, for engines that take facts from elsewhere.
    pub(crate) tell: Box<dyn Fn(&Changes) + Send + Sync>,
    /// Told of everything there is, in place of all it knew, before an index is swapped in.
    pub(crate) tell_all: Box<TellAll>,
    /// Sets the clock of engines that have one.
    pub(crate) set_clock: Box<dyn Fn(Timestamp) + Send + Sync>,
    /// What must live as long: a directory, a server.
    pub(crate) keeps: Box<dyn Any + Send + Sync>,
}

impl Subject {
    /// Nothing but an engine.
    pub(crate) fn new(engine: Arc<dyn SearchEngine>) -> Self {
        Self {
            engine,
            tell: Box::new(|_| {}),
            tell_all: Box::new(|_, _| {}),
            set_clock: Box::new(|_| {}),
            keeps: Box::new(()),
        }
    }

    /// Fills the engine with the shop, in two parts, at [`filled`]`(1)`.
    pub(crate) async fn with_shop(self) -> Self {
        (self.set_clock)(shop::instant(0));
        self.refill(&shop::documents(), &shop::categories(), filled(1)).await;
        self
    }

    pub(crate) async fn refill(
        &self,
        documents: &[SearchDocument],
        categories: &[CategoryView],
        filled: Filled,
    ) {
        self.engine.begin().await.expect("an index can be begun");
        self.fill(documents, categories).await;
        (self.tell_all)(documents, categories);
        self.engine.swap(filled).await.expect("an index that was filled is swapped in");
    }

    /// Fills what was begun, in two parts.
    pub(crate) async fn fill(&self, documents: &[SearchDocument], categories: &[CategoryView]) {
        let (first, second) = documents.split_at(documents.len() / 2);
        let parts = [(first, Some(categories.to_vec())), (second, None)];
        for (documents, categories) in parts {
            let changes =
                Changes { documents: documents.to_vec(), removed: Vec::new(), categories };
            self.engine.fill(changes).await.expect("an index that was begun is filled");
        }
    }

    pub(crate) async fn apply(&self, changes: Changes, filled: Filled) {
        (self.tell)(&changes);
        let before = self.engine.filled().await.expect("what serves is known");
        let before = before.expect("something serves");
        self.engine.apply(changes, before, filled).await.expect("changes are applied");
    }

    /// Time goes on; as whoever feeds engines does, hands in the products whose prices changed by
    /// themselves.
    pub(crate) async fn at(&self, now: Timestamp) {
        (self.set_clock)(now);
        let changed = |document: &SearchDocument| {
            document.prices.iter().any(|price| price.until_ns != i64::MAX)
        };
        let documents = shop::documents().into_iter().filter(changed).collect();
        self.apply(Changes { documents, ..Changes::default() }, filled(1)).await;
    }

    pub(crate) async fn ask(&self, question: &Question) -> Findings {
        self.engine.search(question).await.expect("a sound question is answered")
    }

    /// Shop's numbers of all hits, in order; with them the total is checked.
    pub(crate) async fn hits(&self, question: &Question) -> Vec<u32> {
        let findings = self.ask(&Question { offset: 0, limit: 1000, ..question.clone() }).await;
        assert_eq!(
            findings.total,
            findings.hits.len() as u64,
            "the total is the number of hits on all pages: {question:?}"
        );
        numbers(&findings)
    }

    /// Shop's numbers of all hits, ascending.
    pub(crate) async fn found(&self, question: &Question) -> Vec<u32> {
        let mut hits = self.hits(question).await;
        hits.sort_unstable();
        hits
    }
}

/// Shop's numbers of the hits, in order.
pub(crate) fn numbers(findings: &Findings) -> Vec<u32> {
    findings.hits.iter().map(|hit| shop::number(hit.product_id)).collect()
}

pub(crate) fn filled(position: u64) -> Filled {
    Filled { journal: Uuid::from_u128(77), generation: 3, position: Position(position) }
}

/// Everything, the newest first, without facets.
pub(crate) fn everything() -> Question {
    Question {
        text: None,
        filter: Filter::default(),
        tier: Tier::Retail,
        currency: Some(Currency::GBP),
        now: shop::instant(0),
        order: Order::Relevance,
        offset: 0,
        limit: 1000,
        facets: FacetRequest::default(),
        price_bounds: Vec::new(),
        neighbours: Vec::new(),
        fusion: Fusion::default(),
        explain: false,
    }
}

pub(crate) fn text(text: &str) -> Question {
    Question { text: Some(text.to_owned()), ..everything() }
}

pub(crate) fn filter(filter: Filter) -> Question {
    Question { filter, ..everything() }
}

pub(crate) fn all_facets() -> FacetRequest {
    FacetRequest {
        category: true,
        brand: true,
        tags: true,
        attributes: AttributeFacets::All,
        values_max: 100,
    }
}

/// Filters of each kind, none of which leaves nothing or everything, and some together.
pub(crate) fn filters() -> BTreeMap<&'static str, Filter> {
    use shop::*;
    let strings = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let price = |min_minor, max_minor| Some(crate::PriceFilter { min_minor, max_minor });
    let default = Filter::default;
    BTreeMap::from([
        ("none", default()),
        ("a root category", Filter { category: Some(category_id(OUTDOORS)), ..default() }),
        ("a middle category", Filter { category: Some(category_id(CAMPING)), ..default() }),
        ("a leaf", Filter { category: Some(category_id(COOKWARE)), ..default() }),
        ("an empty category", Filter { category: Some(category_id(ARCHIVE)), ..default() }),
        ("one brand", Filter { brands: strings(&["Nordwind"]), ..default() }),
        ("two brands", Filter { brands: strings(&["nordwind", BRUTE_BRAND]), ..default() }),
        ("one tag", Filter { tags: strings(&["eco-friendly"]), ..default() }),
        ("two tags", Filter { tags: strings(&[TAGS[2], "clearance"]), ..default() }),
        (
            "two values of an attribute",
            Filter {
                attributes: [(COLOUR.to_owned(), strings(&["Midnight", "Ochre / tan"]))].into(),
                ..default()
            },
        ),
        (
            "two attributes",
            Filter {
                attributes: [
                    (COLOUR.to_owned(), strings(&["ivory"])),
                    (SIZE.to_owned(), strings(&["10.5", "12"])),
                ]
                .into(),
                ..default()
            },
        ),
        ("from a price", Filter { price: price(Some(1_500), None), ..default() }),
        ("up to a price", Filter { price: price(None, Some(1_500)), ..default() }),
        ("between prices", Filter { price: price(Some(900), Some(1_800)), ..default() }),
        ("exactly a price", Filter { price: price(Some(1_200), Some(1_200)), ..default() }),
        ("with any price", Filter { price: price(None, None), ..default() }),
        ("in stock", Filter { in_stock: Some(true), ..default() }),
        ("out of stock", Filter { in_stock: Some(false), ..default() }),
        ("of a seller", Filter { seller: Some(seller_id(2)), ..default() }),
        (
            "much together",
            Filter {
                category: Some(category_id(HOUSEHOLD)),
                brands: strings(&["Nordwind", "nordwind", "Tamarisk"]),
                tags: strings(&["clearance"]),
                attributes: [(COLOUR.to_owned(), strings(&["ivory", "Midnight"]))].into(),
                price: price(Some(600), Some(2_600)),
                in_stock: Some(true),
                seller: Some(seller_id(2)),
            },
        ),
    ])
}

/// Makes a test of each check, of a function that makes a fresh [`Subject`].
macro_rules! checks {
    ($fresh:path) => {
        $crate::conformance::checks! { $fresh;
            text: [only_what_has_all_words_matches
                a_misspelt_word_is_found
                the_last_word_may_be_only_begun
                a_word_that_something_follows_is_whole
                case_and_accents_do_not_matter
                one_and_many_are_the_same
                hostile_texts_find_little
                what_has_some_words_follows_what_has_all
                a_word_in_the_name_ranks_above_one_in_the_description
                explanations_are_given_if_asked_for]
            filters: [each_filter_alone
                each_filter_with_a_text
                values_that_look_like_syntax_are_values
                prices_are_those_of_the_tier_and_the_time
                facets_leave_out_their_own_choice
                facets_keep_to_the_most_frequent
                what_is_chosen_is_listed_in_any_case
                only_facets_asked_for_are_counted
                buckets_cover_everything_once]
            pages: [pages_are_disjoint_and_together_everything
                past_the_end_is_empty
                no_limit_asks_for_numbers_only
                every_order_is_kept]
            fused: [what_is_near_comes_behind
                two_lists_are_fused_by_rank
                facets_and_totals_are_of_both
                pages_of_both_are_disjoint
                orders_hold_for_both
                neighbours_that_are_unknown_are_left_out]
            changes: [changes_are_seen_at_once
                removed_products_are_gone
                a_category_can_move
                changes_for_something_else_are_refused
                what_is_served_is_known
                changes_may_be_repeated]
            refill: [an_empty_engine_says_so
                a_refill_replaces_everything
                the_old_serves_while_the_new_is_filled
                changes_go_on_while_the_new_is_filled
                an_unfinished_refill_leaves_no_trace
                a_swap_without_a_beginning_is_refused]
        }
    };
    ($fresh:path; $($module:ident: [$($check:ident)*])*) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                $crate::conformance::$module::$check($fresh().await).await;
            }
        )*)*
    };
}

#[allow(unused_imports, reason = "used by the engines that are built in")]
pub(crate) use checks;
