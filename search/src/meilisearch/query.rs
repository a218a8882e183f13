//! Searches as Meilisearch takes them in, many at once, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Order, Question};

use super::document::price_field;

/// Most words that Meilisearch looks at.
const WORDS_MAX: usize = 10;
/// Longer ones are in no index.
const WORD_CHARS_MAX: usize = 200;
/// No catalogue is longer; what is skipped and asked for must fit in the server's numbers.
const HITS_MAX: usize = 10_000_000;

/// How many words of a text must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Words {
    All,
    /// As many as can, from the first on; those with more come first.
    Last,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) words: &'a str,
    pub(super) matching: Words,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    index_uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matching_strategy: Option<Words>,
    filter: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facets: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sort: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes_to_retrieve: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    show_ranking_score: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    show_matches_position: bool,
    // The total is exact with these two,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hits_per_page: Option<usize>,
    // and any window can be had with these.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
}

impl Query {
    /// Counts exactly, and fetches nothing.
    pub(super) fn count(index: &str, text: Option<Text<'_>>, filter: Vec<String>) -> Self {
        Self {
            index_uid: index.to_owned(),
            q: text.map(|text| text.words.to_owned()),
            matching_strategy: text.map(|text| text.matching),
            filter,
            facets: Vec::new(),
            sort: Vec::new(),
            attributes_to_retrieve: None,
            show_ranking_score: false,
            show_matches_position: false,
            page: Some(1),
            hits_per_page: Some(0),
            offset: None,
            limit: None,
        }
    }

    /// Fetches hits from `offset` on.
    pub(super) fn hits(
        index: &str,
        text: Option<Text<'_>>,
        filter: Vec<String>,
        (offset, limit): (usize, usize),
        fields: Option<Vec<&'static str>>,
    ) -> Self {
        Self {
            attributes_to_retrieve: fields,
            page: None,
            hits_per_page: None,
            offset: Some(offset.min(HITS_MAX)),
            limit: Some(limit.min(HITS_MAX)),
            ..Self::count(index, text, filter)
        }
    }

    pub(super) fn counting(mut self, facets: Vec<&'static str>) -> Self {
        self.facets = facets;
        self
    }

    pub(super) fn sorted(mut self, sort: Vec<String>) -> Self {
        self.sort = sort;
        self
    }

    /// With scores, and with what matched where.
    pub(super) fn explained(mut self) -> Self {
        self.show_ranking_score = true;
        self.show_matches_position = true;
        self.attributes_to_retrieve = None;
        self
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Queries {
    pub(super) queries: Vec<Query>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answers {
    pub(super) results: Vec<Answer>,
}

pub(super) type Row = Map<String, Value>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Answer {
    pub(super) hits: Vec<Row>,
    pub(super) total_hits: Option<u64>,
    pub(super) facet_distribution: Option<BTreeMap<String, BTreeMap<String, u64>>>,
}

/// The words of a text; `None` if there are none.
///
/// Signs between words have a meaning in Meilisearch: quotes make a phrase, a minus leaves out what has
/// the word, and signs alone find everything. A shopper who types them means none of it, but that the
/// last word is whole if anything follows it: to Meilisearch it is, if a space does.
pub(super) fn words(text: &str) -> Option<String> {
    let is_sign = |letter: char| letter == '"' || letter.is_control() || letter.is_whitespace();
    let mut all = text
        .split(is_sign)
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty());
    let words: Vec<String> = (all.by_ref().take(WORDS_MAX))
        .map(|word| word.chars().take(WORD_CHARS_MAX).collect())
        .collect();
    let open = all.next().is_none() && text.ends_with(char::is_alphanumeric);
    let end = if open { "" } else { " " };
    (!words.is_empty()).then(|| words.join(" ") + end)
}

/// Whether it is one word to Meilisearch too, which splits at signs and where a script has no spaces.
pub(super) fn is_one_word(words: &str) -> bool {
    words.trim_end().bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// How Meilisearch is to sort. Nothing if a text's relevance decides.
pub(super) fn sorting(question: &Question, by_relevance: bool) -> Vec<String> {
    if by_relevance {
        return Vec::new();
    }
    let price = |direction: &str| {
        let currency = question.currency?;
        Some(format!("prices.{}:{direction}", price_field(question.tier, currency)))
    };
    let mut sort: Vec<String> = match question.order {
        Order::Relevance | Order::Newest => Vec::new(),
        Order::Name => vec!["name_key:asc".to_owned()],
        Order::PriceAscending => price("asc").into_iter().collect(),
        Order::PriceDescending => price("desc").into_iter().collect(),
        Order::Rating => vec!["stars_mean:desc".to_owned(), "stars_count:desc".to_owned()],
    };
    sort.extend(["created:desc".to_owned(), "number:desc".to_owned()]);
    sort
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn signs_have_no_meaning() {
        for (typed, meant) in [
            ("red lamp", Some("red lamp")),
            ("  red   lamp ", Some("red lamp ")),
            ("-red \"lamp\"", Some("red lamp ")),
            ("\"red-hot\" - lamp!", Some("red-hot lamp ")),
            ("a\u{0}b\nc", Some("a b c")),
            ("- ! \" \"", None),
            ("\u{200b}", None),
            ("", None),
        ] {
            assert_eq!(words(typed).as_deref(), meant, "{typed:?}");
        }
        let many = words(&"word ".repeat(100)).unwrap();
        assert_eq!(many, "word ".repeat(10));
        assert_eq!(words(&"é".repeat(100_000)).unwrap().chars().count(), 200);
    }
}
