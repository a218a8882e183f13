//! How an index is set up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use journal::{Clock, JournalId};
use projections::Projector;
use projections::catalogue::Catalogue;
use serde_json::{Value, json};

/// More values of one facet than a catalogue has.
const FACET_VALUES_MAX: usize = 100_000;
/// Hits that can be paged to, and counted.
const TOTAL_HITS_MAX: usize = 10_000_000;

/// What an operator chooses.
#[derive(Clone)]
pub struct MeilisearchOptions {
    /// The shop: an index that was filled from another one's journal is left alone.
    pub journal: JournalId,
    /// Name of the index that serves; those being filled are called so too, with `_shadow_`, the end of
    /// the journal's id and a number behind. Letters, digits, `-` and `_`.
    pub index: String,
    /// A search that takes longer is given up.
    pub search_timeout: Duration,
    /// A task that is not done after so long is taken for stuck.
    pub task_timeout: Duration,
    /// For each word, what also matches it.
    pub synonyms: BTreeMap<String, Vec<String>>,
    /// Words that are not searched for.
    pub stop_words: BTreeSet<String>,
    /// Decides which prices hold when a document is written.
    pub clock: Clock,
}

impl MeilisearchOptions {
    /// An index called `products`, 2 s for searches and 5 minutes for tasks.
    #[must_use]
    pub fn new(journal: JournalId, clock: Clock) -> Self {
        Self {
            journal,
            index: "products".to_owned(),
            search_timeout: Duration::from_secs(2),
            task_timeout: Duration::from_secs(300),
            synonyms: BTreeMap::new(),
            stop_words: BTreeSet::new(),
            clock,
        }
    }

    /// Settings but for the rules of ranking, which depend on the server.
    pub(super) fn settings(&self) -> Value {
        json!({
            "searchableAttributes":
                ["name", "brand", "categories", "tags", "attributes", "description"],
            "filterableAttributes": [
                "id", "kind", "category_ids", "brand_key", "tag_keys", "pairs", "seller", "in_stock",
                "prices", "until",
            ],
            "sortableAttributes":
                ["created", "number", "name_key", "stars_mean", "stars_count", "prices"],
            "synonyms": self.synonyms,
            "stopWords": self.stop_words,
            "pagination": { "maxTotalHits": TOTAL_HITS_MAX },
            "faceting": {
                "maxValuesPerFacet": FACET_VALUES_MAX,
                "sortFacetValuesBy": { "*": "count" },
            },
            // An answer that is cut short would be a wrong one: rather none, after the time-out.
            "searchCutoffMs": self.search_timeout.as_millis() as u64 * 2 + 1_000,
            "facetSearch": false,
        })
    }

    /// Checksum of all that decides how documents are found, and of what they are made from: a
    /// catalogue of another version may say something else of the same products.
    pub(super) fn checksum(&self) -> u32 {
        let made_by = format!("{} catalogue {}", self.settings(), Catalogue::VERSION);
        crc32fast::hash(made_by.as_bytes())
    }
}

/// The server's own rules of ranking, but what is sorted by goes before them, and what is equal by all
/// of them goes newest first.
pub(super) fn ranking_rules(own: Vec<String>) -> Vec<String> {
    let mut rules = vec!["sort".to_owned()];
    rules.extend(own.into_iter().filter(|rule| rule != "sort" && !rule.contains(':')));
    rules.extend(["created:desc".to_owned(), "number:desc".to_owned()]);
    rules
}
