//! One search: what matches, in which order, and what is counted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::filter::{self, is_below, values};
use super::serve::Refusal;
use super::store::Index;
use super::words::{Terms, terms, tokens, typos};

/// A document that is found, and how well it matches.
struct Found<'a> {
    document: &'a Value,
    /// Words matched, of those that had to be.
    words: usize,
    typos: usize,
    /// The sum of the places of the fields the words were found in.
    attribute: usize,
    exact: usize,
    positions: Map<String, Value>,
}

pub fn search(index: &Index, uid: &str, request: &Value) -> Result<Value, Refusal> {
    let list = |name: &str| strings(&index.settings[name]);
    let filterable = list("filterableAttributes");
    let filter = filter::read(&request["filter"], &filterable)?;
    let facets = strings(&request["facets"]);
    if let Some(unknown) = facets.iter().find(|facet| !is_below(facet, &filterable)) {
        let message =
            format!("Invalid facet distribution: attribute `{unknown}` is not filterable.");
        return Err(Refusal(400, "invalid_search_facets", message));
    }
    let sort = sort_by(&strings(&request["sort"]), &list("sortableAttributes"))?;
    let q = request["q"].as_str().unwrap_or_default();
    let terms = terms(q, &list("stopWords"));
    let all = request["matchingStrategy"] == "all";
    let candidates = index.documents.values().filter(|document| filter.passes(document));
    let mut found: Vec<Found<'_>> =
        candidates.filter_map(|document| matches(document, index, &terms, all)).collect();
    let rules = list("rankingRules");
    found.sort_by(|a, b| order(&rules, &sort, a, b));

    let max = index.settings["pagination"]["maxTotalHits"].as_u64().unwrap_or(1000) as usize;
    let total = found.len().min(max);
    let number =
        |name: &str| request[name].as_u64().map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    let paged = request["page"].is_u64() || request["hitsPerPage"].is_u64();
    let (offset, limit) = if paged {
        let size = number("hitsPerPage").unwrap_or(20);
        (number("page").unwrap_or(1).saturating_sub(1).saturating_mul(size), size)
    } else {
        (number("offset").unwrap_or(0), number("limit").unwrap_or(20))
    };
    let hits: Vec<Value> = (found.iter().take(max).skip(offset).take(limit))
        .map(|found| hit(found, request, terms.words.len()))
        .collect();
    let mut answer = json!({
        "indexUid": uid, "hits": hits, "query": q, "processingTimeMs": 0,
    });
    if paged {
        answer["page"] = json!(number("page").unwrap_or(1));
        answer["hitsPerPage"] = json!(limit);
        answer["totalHits"] = json!(total);
        answer["totalPages"] = json!(if limit == 0 { 0 } else { total.div_ceil(limit) });
    } else {
        answer["offset"] = json!(offset);
        answer["limit"] = json!(limit);
        answer["estimatedTotalHits"] = json!(total);
    }
    if !facets.is_empty() {
        answer["facetDistribution"] = distribution(index, &found, &facets);
        answer["facetStats"] = json!({});
    }
    Ok(answer)
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn matches<'a>(document: &'a Value, index: &Index, terms: &Terms, all: bool) -> Option<Found<'a>> {
    let mut found =
        Found { document, words: 0, typos: 0, attribute: 0, exact: 0, positions: Map::new() };
    if terms.words.is_empty() && terms.without.is_empty() {
        return Some(found);
    }
    let fields = strings(&index.settings["searchableAttributes"]);
    let mut best: Vec<Option<(usize, usize)>> = vec![None; terms.words.len()];
    for (place, field) in fields.iter().enumerate() {
        let array = document[field.as_str()].is_array();
        for (index, value) in values(document, field).into_iter().enumerate() {
            let Some(text) = value.as_str() else { continue };
            for (word, start, length) in tokens(text) {
                if terms.without.contains(&word) {
                    return None;
                }
                for (number, searched) in terms.words.iter().enumerate() {
                    let open = terms.open && number + 1 == terms.words.len();
                    let Some(typos) = typos(searched, &word, open) else { continue };
                    found.exact += usize::from(word == *searched);
                    let better = best[number].is_none_or(|best| (typos, place) < best);
                    if better {
                        best[number] = Some((typos, place));
                    }
                    let mut position = json!({ "start": start, "length": length });
                    if array {
                        position["indices"] = json!([index]);
                    }
                    let positions =
                        found.positions.entry(field.clone()).or_insert_with(|| json!([]));
                    positions.as_array_mut().unwrap().push(position);
                }
            }
        }
    }
    // Words are given up from the last to the second.
    found.words = best.iter().take_while(|best| best.is_some()).count();
    let needed = if all { terms.words.len() } else { terms.words.len().min(1) };
    if found.words < needed {
        return None;
    }
    for (typos, place) in best.into_iter().take(found.words).flatten() {
        found.typos += typos;
        found.attribute += place;
    }
    Some(found)
}

/// Fields to sort by, and whether upwards.
fn sort_by(sort: &[String], sortable: &[String]) -> Result<Vec<(String, bool)>, Refusal> {
    sort.iter()
        .map(|by| match by.rsplit_once(':') {
            Some((field, direction @ ("asc" | "desc"))) if is_below(field, sortable) => {
                Ok((field.to_owned(), direction == "asc"))
            }
            _ => {
                let message = format!("Attribute `{by}` is not sortable.");
                Err(Refusal(400, "invalid_search_sort", message))
            }
        })
        .collect()
}

fn order(rules: &[String], sort: &[(String, bool)], a: &Found<'_>, b: &Found<'_>) -> Ordering {
    for rule in rules {
        let ordering = match rule.as_str() {
            "sort" => sort.iter().fold(Ordering::Equal, |ordering, (field, up)| {
                ordering.then_with(|| by_field(field, *up, a, b))
            }),
            "words" => b.words.cmp(&a.words),
            "typo" => a.typos.cmp(&b.typos),
            "attribute" => a.attribute.cmp(&b.attribute),
            "exactness" => (b.exact > 0).cmp(&(a.exact > 0)),
            custom => match custom.rsplit_once(':') {
                Some((field, direction)) => by_field(field, direction == "asc", a, b),
                None => Ordering::Equal,
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

/// Numbers before strings; what has no such field comes last either way.
fn by_field(field: &str, up: bool, a: &Found<'_>, b: &Found<'_>) -> Ordering {
    let [a, b] = [a, b].map(|found| values(found.document, field).first().copied());
    let direct = |ordering: Ordering| if up { ordering } else { ordering.reverse() };
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => direct(a.total_cmp(&b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => direct(filter::key(a).cmp(&filter::key(b))),
        },
    }
}

fn hit(found: &Found<'_>, request: &Value, words: usize) -> Value {
    let mut hit = found.document.clone();
    if let (Some(fields), Some(wanted)) =
        (hit.as_object_mut(), request["attributesToRetrieve"].as_array())
    {
        fields.retain(|name, _| wanted.iter().any(|wanted| wanted == name || wanted == "*"));
    }
    if request["showRankingScore"] == true {
        let matched = (found.words + 1) as f64 / (words + 1) as f64;
        hit["_rankingScore"] = json!(matched / (1 + found.typos + found.attribute) as f64);
    }
    if request["showMatchesPosition"] == true {
        hit["_matchesPosition"] = Value::Object(found.positions.clone());
    }
    hit
}

/// Of all that is found; values that are the same but for case are one.
fn distribution(index: &Index, found: &[Found<'_>], facets: &[String]) -> Value {
    let faceting = &index.settings["faceting"];
    let max = faceting["maxValuesPerFacet"].as_u64().unwrap_or(100) as usize;
    let by_count = faceting["sortFacetValuesBy"]["*"] == "count";
    let mut distribution = Map::new();
    for facet in facets {
        let mut counts = BTreeMap::<String, (String, u64)>::new();
        for found in found {
            let mut seen = Vec::new();
            for value in values(found.document, facet) {
                let Some(key) = filter::key(value).filter(|key| !seen.contains(key)) else {
                    continue;
                };
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                counts.entry(key.clone()).or_insert((shown, 0)).1 += 1;
                seen.push(key);
            }
        }
        let mut counts: Vec<(String, u64)> = counts.into_values().collect();
        if by_count {
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        }
        counts.truncate(max);
        let counts = counts.into_iter().map(|(value, count)| (value, json!(count)));
        distribution.insert(facet.clone(), Value::Object(counts.collect()));
    }
    Value::Object(distribution)
}
