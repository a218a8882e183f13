//! Requests to fill the index anew. One is a document in the index that serves: every node sees it, and
//! when another index takes the place of that one it is met and gone.

use serde_json::json;

use super::document::REQUEST_ID;
use super::indexes::shadows;
use super::query::Query;
use super::write::{count, send_values, wait};
use super::{Found, MeilisearchEngine};
use crate::{Refilling, SearchError};

/// Each shop has its own: one that asks for its index to be filled anew must not be taken by another for
/// the wish to take it over.
fn kind(engine: &MeilisearchEngine) -> String {
    format!("request {}", engine.options.journal)
}

pub(super) async fn make(engine: &MeilisearchEngine) -> Result<bool, SearchError> {
    let index = &engine.options.index;
    // Where there is none, or it was made in another way, whoever writes fills it without being asked.
    if !matches!(engine.found().await?, Found::Nothing) {
        let id = format!("{REQUEST_ID}-{}", engine.options.journal);
        let request = json!([{ "id": id, "kind": kind(engine) }]);
        let task = send_values(engine, index, &request).await?;
        wait(engine, task, "take in a request").await?;
    }
    Ok(true)
}

/// Whether this shop's request waits in the index that serves.
pub(super) async fn is_made(engine: &MeilisearchEngine) -> Result<bool, SearchError> {
    let filter = vec![format!("kind = \"{}\"", kind(engine))];
    let query = Query::count(&engine.options.index, None, filter);
    Ok(count(engine, vec![query]).await? > 0)
}

pub(super) async fn look(engine: &MeilisearchEngine) -> Result<Refilling, SearchError> {
    let index = &engine.options.index;
    let filling = match shadows(engine).await?.into_iter().max() {
        Some((_, uid)) => products(engine, &uid).await.ok(),
        None => None,
    };
    if matches!(engine.found().await?, Found::Nothing) {
        return Ok(Refilling { is_requested: true, serving: 0, filling });
    }
    let is_requested = is_made(engine).await?;
    Ok(Refilling { is_requested, serving: products(engine, index).await?, filling })
}

/// None of them while the index is not set up yet.
async fn products(engine: &MeilisearchEngine, uid: &str) -> Result<u64, SearchError> {
    count(engine, vec![Query::count(uid, None, vec![engine.products.clone()])]).await
}
