//! Indexes: which there are, and making and deleting them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::MeilisearchEngine;
use super::settings::ranking_rules;
use super::write::wait;
use crate::SearchError;

/// What the names of indexes begin with that are filled to take the other's place. Each shop has its own:
/// of two that fill the same index for the first time, neither must take what the other has begun for left
/// behind.
pub(super) fn shadow_prefix(engine: &MeilisearchEngine) -> String {
    // The end of a journal's id is random; it begins with when the journal did.
    let (_, _, _, shop) = engine.options.journal.as_fields();
    let shop: String = shop[2..].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}_shadow_{shop}_", engine.options.index)
}

/// This shop's indexes that were begun and never took the other's place, or whose place was taken.
pub(super) async fn shadows(engine: &MeilisearchEngine) -> Result<Vec<(u64, String)>, SearchError> {
    #[derive(Deserialize)]
    struct Indexes {
        results: Vec<Index>,
        total: u64,
    }
    #[derive(Deserialize)]
    struct Index {
        uid: String,
    }
    let prefix = shadow_prefix(engine);
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let page: Result<Indexes, _> =
            engine.server.get(&format!("/indexes?limit=1000&offset={offset}")).await;
        let page = page.map_err(|failure| {
            engine.server.explain(&failure, "list indexes (right `indexes.get`)")
        })?;
        offset += page.results.len() as u64;
        let last = page.results.is_empty() || offset >= page.total;
        for index in page.results {
            if let Some(number) = index.uid.strip_prefix(&prefix).and_then(|it| it.parse().ok()) {
                found.push((number, index.uid));
            }
        }
        if last {
            return Ok(found);
        }
    }
}

pub(super) async fn exists(engine: &MeilisearchEngine, uid: &str) -> Result<bool, SearchError> {
    match engine.server.get::<Value>(&format!("/indexes/{uid}")).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.is_no_index() => Ok(false),
        Err(failure) => {
            Err(engine.server.explain(&failure, "look at an index (right `indexes.get`)"))
        }
    }
}

/// Makes an empty index with settings.
pub(super) async fn create(engine: &MeilisearchEngine, uid: &str) -> Result<(), SearchError> {
    let server = &engine.server;
    let doing = "create an index (right `indexes.create`)";
    let accepted = server.post("/indexes", json!({ "uid": uid, "primaryKey": "id" })).await;
    let accepted = accepted.map_err(|failure| server.explain(&failure, doing))?;
    wait(engine, accepted, doing).await?;

    let doing = "read settings (right `settings.get`)";
    let rules = server.get(&format!("/indexes/{uid}/settings/ranking-rules")).await;
    let rules = ranking_rules(rules.map_err(|failure| server.explain(&failure, doing))?);
    let mut settings = engine.options.settings();
    settings["rankingRules"] = json!(rules);
    let doing = "change settings (right `settings.update`)";
    let accepted = server.patch(&format!("/indexes/{uid}/settings"), settings).await;
    wait(engine, accepted.map_err(|failure| server.explain(&failure, doing))?, doing).await
}

pub(super) async fn drop_index(engine: &MeilisearchEngine, uid: &str) -> Result<(), SearchError> {
    let doing = "delete an index (right `indexes.delete`)";
    let accepted = engine.server.delete(&format!("/indexes/{uid}")).await;
    wait(engine, accepted.map_err(|failure| engine.server.explain(&failure, doing))?, doing).await
}
