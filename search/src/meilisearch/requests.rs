//! Requests to fill the index anew. One is a document in the index that serves: every node sees it, and
//! when another index takes the place of that one it is met and gone.

use serde_json::json;

use super::MeilisearchEngine;
use super::document::REQUEST_ID;
use super::filter::PRODUCTS;
use super::indexes::shadows;
use super::query::Query;
use super::write::{count, send_values, wait};
use crate::{Refilling, SearchError};

const REQUESTS: &str = "kind = request";

pub(super) async fn make(engine: &MeilisearchEngine) -> Result<bool, SearchError> {
    let index = &engine.options.index;
    // Where there is none, or it is not ours, whoever writes fills it without being asked.
    if engine.meta().await?.is_some() {
        let request = json!([{ "id": REQUEST_ID, "kind": "request" }]);
        let task = send_values(engine, index, &request).await?;
        wait(engine, task, "take in a request").await?;
    }
    Ok(true)
}

pub(super) async fn look(engine: &MeilisearchEngine) -> Result<Refilling, SearchError> {
    let index = &engine.options.index;
    let filling = match shadows(engine).await?.into_iter().max() {
        Some((_, uid)) => products(engine, &uid).await.ok(),
        None => None,
    };
    if engine.meta().await?.is_none() {
        return Ok(Refilling { is_requested: true, serving: 0, filling });
    }
    let requests =
        count(engine, vec![Query::count(index, None, vec![REQUESTS.to_owned()])]).await?;
    Ok(Refilling { is_requested: requests > 0, serving: products(engine, index).await?, filling })
}

/// None of them while the index is not set up yet.
async fn products(engine: &MeilisearchEngine, uid: &str) -> Result<u64, SearchError> {
    count(engine, vec![Query::count(uid, None, vec![PRODUCTS.to_owned()])]).await
}
