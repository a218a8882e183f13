//! Why a hit matched, as far as Meilisearch tells.

use std::collections::BTreeMap;

use serde_json::Value;

use super::query::Row;
use crate::TextScore;

const FIELDS: &[&str] = &["name", "brand", "categories", "tags", "attributes", "description"];

/// `rank` is from 1.
pub(super) fn text_score(row: &Row, rank: usize) -> TextScore {
    let score = row.get("_rankingScore").and_then(Value::as_f64).unwrap_or_default();
    let mut matched = BTreeMap::new();
    for field in FIELDS {
        let places = row.get("_matchesPosition").and_then(|places| places.get(field));
        let places = places.and_then(Value::as_array).into_iter().flatten();
        let mut words: Vec<String> = places
            .filter_map(|place| word(row.get(*field)?, place))
            .map(str::to_lowercase)
            .collect();
        words.sort_unstable();
        words.dedup();
        if !words.is_empty() {
            matched.insert((*field).to_owned(), words);
        }
    }
    TextScore { rank, score: score as f32, matched }
}

/// The part of a field at `{ start, length, indices }`, in bytes.
fn word<'a>(field: &'a Value, place: &Value) -> Option<&'a str> {
    let number = |name: &str| usize::try_from(place.get(name)?.as_u64()?).ok();
    let text = match field {
        Value::String(text) => text,
        Value::Array(values) => {
            let index = place.get("indices")?.get(0)?.as_u64()?;
            values.get(usize::try_from(index).ok()?)?.as_str()?
        }
        _ => return None,
    };
    let start = number("start")?;
    text.get(start..start.checked_add(number("length")?)?)
}
