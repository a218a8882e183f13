//! Answers a question with a request or two, seldom more, of as many searches as it takes.
//!
//! What is found is the union of two sets: what matches the text (or everything), and neighbours. They
//! are made disjoint first, by asking which neighbours match the text. Then everything that is counted,
//! be it hits, a facet or a price bucket, is the sum of what Meilisearch counts in each of the two, and
//! a facet in which something is chosen has a search of its own that leaves the choice out.

use std::collections::{BTreeSet, HashMap};

use domain::ProductId;
use serde_json::Value;

use super::facets::{Counted, Counts};
use super::filter::{Without, expressions, one_of, priced};
use super::query::{self, Answer, Answers, Queries, Query, Row, Text, Words, is_one_word};
use super::{MeilisearchEngine, meta_query};
use crate::{AttributeFacets, Bucket, Findings, Neighbour, PriceFilter, Question, SearchError};

/// If fewer have all words of a text, those with some follow.
const ENOUGH: u64 = 10;

/// What a question comes down to.
pub(super) struct Asked<'a> {
    pub(super) engine: &'a MeilisearchEngine,
    pub(super) question: &'a Question,
    pub(super) source: Source,
    pub(super) near: Vec<Neighbour>,
    /// Those that do not match the text.
    pub(super) only_near: Vec<ProductId>,
}

/// What is searched in, beside the neighbours.
pub(super) enum Source {
    Everything,
    Text(String, Words),
    /// The text has no words.
    Nothing,
}

pub(super) async fn search(
    engine: &MeilisearchEngine,
    question: &Question,
) -> Result<Findings, SearchError> {
    let mut named = BTreeSet::new();
    let near = question.neighbours.iter().filter(|near| named.insert(near.product_id));
    let mut asked = Asked {
        engine,
        question,
        source: Source::Everything,
        near: near.copied().collect(),
        only_near: Vec::new(),
    };
    asked.choose().await?;
    asked.answer().await
}

/// Searches that go in one request.
#[derive(Default)]
pub(super) struct Batch(pub(super) Vec<Query>);

impl Batch {
    pub(super) fn push(&mut self, query: Query) -> usize {
        self.0.push(query);
        self.0.len() - 1
    }
}

/// Where in a batch something is counted, in either set.
struct Places {
    text: Option<usize>,
    near: Option<usize>,
}

impl Places {
    fn total(&self, answers: &[Answer]) -> u64 {
        let places = [self.text, self.near].into_iter().flatten();
        places.filter_map(|place| answers.get(place)?.total_hits).sum()
    }

    fn counts(&self, answers: &[Answer], field: &str) -> Counts {
        let mut sum = Counts::new();
        for place in [self.text, self.near].into_iter().flatten() {
            let facets = answers.get(place).and_then(|answer| answer.facet_distribution.as_ref());
            for (key, count) in facets.and_then(|facets| facets.get(field)).into_iter().flatten() {
                *sum.entry(key.clone()).or_default() += count;
            }
        }
        sum
    }
}

impl Asked<'_> {
    pub(super) fn index(&self) -> &str {
        &self.engine.options.index
    }

    pub(super) fn text(&self) -> Option<Text<'_>> {
        match &self.source {
            Source::Text(words, matching) => Some(Text { words, matching: *matching }),
            _ => None,
        }
    }

    pub(super) fn filter(&self, without: Without<'_>) -> Vec<String> {
        expressions(&self.engine.products, self.question, without)
    }

    pub(super) async fn ask(&self, batch: Batch) -> Result<Vec<Answer>, SearchError> {
        let server = &self.engine.server;
        let limit = self.engine.options.search_timeout;
        let wanted = batch.0.len();
        match server
            .search::<_, Answers>("/multi-search", Queries { queries: batch.0 }, limit)
            .await
        {
            Ok(answers) if answers.results.len() == wanted => Ok(answers.results),
            Ok(_) => Err(SearchError::Other("Meilisearch did not answer every search".to_owned())),
            Err(failure) if failure.is_no_index() => Err(self.unfilled()),
            Err(failure) => Err(server.explain(&failure, "search (right `search`)")),
        }
    }

    fn unfilled(&self) -> SearchError {
        SearchError::Unavailable(format!(
            "there is nothing to search in: the index `{}` in Meilisearch has to be filled",
            self.index()
        ))
    }

    /// Finds out how many words must match, and which neighbours do. Both hang on the text alone, not
    /// on the filter.
    async fn choose(&mut self) -> Result<(), SearchError> {
        let Some(text) = &self.question.text else { return Ok(()) };
        let all_near = || self.near.iter().map(|near| near.product_id).collect();
        let Some(words) = query::words(text) else {
            self.source = Source::Nothing;
            self.only_near = all_near();
            return Ok(());
        };
        let one_word = is_one_word(&words);
        let products = || vec![self.engine.products.clone()];
        let mut batch = Batch::default();
        if !one_word {
            let text = Text { words: &words, matching: Words::All };
            batch.push(Query::count(self.index(), Some(text), products()));
        }
        if !self.near.is_empty() {
            let matchings: &[Words] =
                if one_word { &[Words::All] } else { &[Words::All, Words::Last] };
            for matching in matchings {
                let mut filter = products();
                filter.push(ids(self.near.iter().map(|near| near.product_id)));
                let text = Text { words: &words, matching: *matching };
                let window = (0, self.near.len());
                batch.push(Query::hits(self.index(), Some(text), filter, window, Some(vec!["id"])));
            }
        }
        if batch.0.is_empty() {
            self.source = Source::Text(words, Words::All);
            return Ok(());
        }
        let mut answers = self.ask(batch).await?.into_iter();
        let enough = one_word
            || answers.next().and_then(|answer| answer.total_hits).is_some_and(|it| it >= ENOUGH);
        // The second list is of those that have some of the words.
        let matching = if enough { answers.next() } else { answers.nth(1) };
        let matching: BTreeSet<ProductId> = matching
            .map(|answer| answer.hits.iter().filter_map(id_of).collect())
            .unwrap_or_default();
        self.only_near = all_near();
        self.only_near.retain(|product_id| !matching.contains(product_id));
        self.source = Source::Text(words, if enough { Words::All } else { Words::Last });
        Ok(())
    }

    /// Counts in both sets.
    fn count(&self, batch: &mut Batch, filter: Vec<String>, facets: &[&'static str]) -> Places {
        let query =
            |text, filter| Query::count(self.index(), text, filter).counting(facets.to_vec());
        let near = (!self.only_near.is_empty()).then(|| {
            let mut filter = filter.clone();
            filter.push(ids(self.only_near.iter().copied()));
            batch.push(query(None, filter))
        });
        let text = match self.source {
            Source::Nothing => None,
            _ => Some(batch.push(query(self.text(), filter))),
        };
        Places { text, near }
    }

    async fn answer(&self) -> Result<Findings, SearchError> {
        let question = self.question;
        let chosen = &question.filter;
        let facets = &question.facets;
        let mut batch = Batch::default();
        let meta = batch.push(meta_query(self.index()));

        // Facets in which nothing is chosen are counted over what is found.
        let is_asked = |name: &String| match &facets.attributes {
            AttributeFacets::None => false,
            AttributeFacets::All => true,
            AttributeFacets::Named(names) => names.contains(name),
        };
        let apart: Vec<&String> = chosen.attributes.keys().filter(|name| is_asked(name)).collect();
        let mut fields = Vec::new();
        let mut own = Vec::new();
        let mut facet = |asked: bool, is_chosen: bool, field, without| match (asked, is_chosen) {
            (true, true) => own.push((field, without)),
            (true, false) => fields.push(field),
            (false, _) => {}
        };
        facet(facets.category, chosen.category.is_some(), "category_ids", Without::Category);
        facet(facets.brand, !chosen.brands.is_empty(), "brand_key", Without::Brands);
        facet(facets.tags, false, "tag_keys", Without::Nothing);
        let any_attribute = match &facets.attributes {
            AttributeFacets::None => false,
            AttributeFacets::All => true,
            AttributeFacets::Named(names) => names.len() > apart.len(),
        };
        facet(any_attribute, false, "pairs", Without::Nothing);
        for name in &apart {
            facet(true, true, "pairs", Without::Attribute(name));
        }
        let found = self.count(&mut batch, self.filter(Without::Nothing), &fields);
        let own: Vec<_> = own
            .into_iter()
            .map(|(field, without)| {
                let places = self.count(&mut batch, self.filter(without), &[field]);
                (field, without, places)
            })
            .collect();
        let buckets = self.count_buckets(&mut batch);
        let wanted = self.want_hits(&mut batch);

        let mut answers = self.ask(batch).await?;
        let meta = answers.get(meta).map(|answer| self.engine.read_meta(answer)).transpose();
        let meta = meta.map_err(|journal| self.engine.another_shops(journal))?.flatten();
        let meta = meta.ok_or_else(|| self.unfilled())?;

        let mut counted = Counted::default();
        let field = |name: &str| {
            if fields.contains(&name) { found.counts(&answers, name) } else { Counts::new() }
        };
        counted.categories = field("category_ids");
        counted.brands = field("brand_key");
        counted.tags = field("tag_keys");
        counted.pairs = field("pairs");
        for (field, without, places) in &own {
            let counts = places.counts(&answers, field);
            match without {
                Without::Category => counted.categories = counts,
                Without::Brands => counted.brands = counts,
                Without::Attribute(name) => {
                    counted.chosen.insert((*name).to_owned(), counts);
                }
                Without::Nothing | Without::Price => {}
            }
        }
        let total = found.total(&answers);
        let buckets = buckets
            .into_iter()
            .map(|(bucket, places)| Bucket {
                count: places.map_or(0, |places| places.total(&answers)),
                ..bucket
            })
            .collect();
        let places = if counted.categories.is_empty() {
            std::sync::Arc::default()
        } else {
            self.engine.places(meta.tree).await?
        };
        let known = self.look_up(counted.hashed()).await?;
        let facets = counted.into_facets(facets, chosen, &known, &places);
        let text_total = found.text.and_then(|place| answers.get(place)?.total_hits).unwrap_or(0);
        let hits = self.hits(wanted, text_total, &mut answers).await?;
        Ok(Findings { hits, total, facets, buckets, corrected: None })
    }

    /// For each bucket where it is counted; nowhere without a currency.
    fn count_buckets(&self, batch: &mut Batch) -> Vec<(Bucket, Option<Places>)> {
        let bounds = &self.question.price_bounds;
        if bounds.is_empty() {
            return Vec::new();
        }
        let bucket = |index: usize| Bucket {
            from: index.checked_sub(1).map(|before| bounds[before]),
            to: bounds.get(index).copied(),
            count: 0,
        };
        let mut counted = Vec::new();
        for bucket in (0..=bounds.len()).map(bucket) {
            // A filter's bounds are both included.
            let last = bucket.to.map(|to| to.saturating_sub(1));
            let price = PriceFilter { min_minor: bucket.from, max_minor: last };
            let mut filter = self.filter(Without::Price);
            filter.extend(priced(self.question, price));
            let places = self.question.currency.map(|_| self.count(batch, filter, &[]));
            counted.push((bucket, places));
        }
        counted
    }

    /// What values with hashed keys are, read from a product that has them.
    async fn look_up(
        &self,
        keys: Vec<(&'static str, String)>,
    ) -> Result<HashMap<String, Vec<String>>, SearchError> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let query = |(field, key): &(&'static str, String)| {
            let filter = vec![format!("{field} = \"{key}\"")];
            Query::hits(self.index(), None, filter, (0, 1), Some(vec!["long"]))
        };
        let answers = self.ask(Batch(keys.iter().map(query).collect())).await?;
        let mut known = HashMap::new();
        for row in answers.iter().flat_map(|answer| &answer.hits) {
            for long in row.get("long").and_then(Value::as_array).into_iter().flatten() {
                let (key, json) =
                    long.as_str().unwrap_or_default().split_once(' ').unwrap_or_default();
                if let Ok(made_of) = serde_json::from_str(json) {
                    known.insert(key.to_owned(), made_of);
                }
            }
        }
        Ok(known)
    }
}

pub(super) fn ids(ids: impl Iterator<Item = ProductId>) -> String {
    one_of("id", ids.map(|product_id| product_id.to_string()))
}

pub(super) fn id_of(row: &Row) -> Option<ProductId> {
    row.get("id")?.as_str()?.parse().ok()
}
