//! Whether a server can be worked with, found out before anything depends on it.

use std::time::Duration;

use meilisearch_sdk::errors::{Error, ErrorType};
use serde::Deserialize;
use serde_json::{Value, json};

use super::document::TREE_ID;
use super::server::{Failure, Server};
use crate::SearchError;

/// The first that can be told not to index facets' values for searching in them, which nothing here
/// needs, and the first whose indexer was made for changes of few documents.
pub(super) const OLDEST: (u32, u32) = (1, 12);

/// A server that does not even say how it is in so long hangs: it is asked again rather than waited for.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    pkg_version: String,
}

#[derive(Deserialize)]
struct Health {
    status: String,
}

/// Health, version, and what the key may do.
pub(super) async fn check(server: &Server, index: &str) -> Result<(), SearchError> {
    if index.is_empty()
        || index.len() > 200
        || !index.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(SearchError::Misconfigured(format!(
            "`{index}` cannot be the name of an index in Meilisearch: 1 to 200 letters of a-z, A-Z, \
             0-9, `-` and `_`"
        )));
    }
    let health: Health = server
        .get_within("/health", HEALTH_TIMEOUT)
        .await
        .map_err(|failure| server.explain(&failure, "say how it is"))?;
    if health.status != "available" {
        return Err(SearchError::Unavailable(format!(
            "Meilisearch at {} says that it is {}",
            server.url(),
            health.status
        )));
    }
    let version: Version = server
        .get("/version")
        .await
        .map_err(|failure| server.explain(&failure, "ask for the version (right `version`)"))?;
    let (major, minor) = OLDEST;
    if number(&version.pkg_version).is_none_or(|number| number < OLDEST) {
        return Err(SearchError::Misconfigured(format!(
            "Meilisearch at {} is version {}, and {major}.{minor}.0 is the oldest that works: upgrade it",
            server.url(),
            version.pkg_version
        )));
    }
    let missing = missing_rights(server, index).await?;
    if !missing.is_empty() {
        return Err(SearchError::Misconfigured(format!(
            "the API key for Meilisearch at {} lacks rights on the indexes `{index}*`: {}",
            server.url(),
            missing.join(", ")
        )));
    }
    Ok(())
}

fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Tries each right with a call that changes nothing: one that reads, or one that is refused for its
/// form, which is looked at after the key. To read the key's own list of rights, it would have to be
/// sent in an address, which servers and proxies write to their logs.
async fn missing_rights(server: &Server, index: &str) -> Result<Vec<&'static str>, SearchError> {
    let mut missing = Vec::new();
    let malformed = || json!(7);
    let tried: [(&'static str, Result<Value, Failure>); 11] = [
        ("indexes.get", server.get("/indexes?limit=1").await),
        ("tasks.get", server.get("/tasks?limit=1").await),
        (
            "search",
            server
                .search(
                    "/multi-search",
                    json!({ "queries": [
            { "indexUid": index, "q": "", "limit": 0 }
        ] }),
                    super::server::CALL_TIMEOUT,
                )
                .await,
        ),
        ("indexes.create", server.post("/indexes", json!({})).await.map(nothing)),
        (
            "settings.update",
            server.patch(&format!("/indexes/{index}/settings"), malformed()).await.map(nothing),
        ),
        (
            "documents.add",
            server.post(&format!("/indexes/{index}/documents"), malformed()).await.map(nothing),
        ),
        (
            "documents.delete",
            server
                .post(&format!("/indexes/{index}/documents/delete-batch"), malformed())
                .await
                .map(nothing),
        ),
        ("documents.get", server.get(&format!("/indexes/{index}/documents/{TREE_ID}")).await),
        ("settings.get", server.get(&format!("/indexes/{index}/settings/ranking-rules")).await),
        // A name no index can have.
        ("indexes.delete", server.delete(&format!("/indexes/{index}_~")).await.map(nothing)),
        ("indexes.swap", server.post("/swap-indexes", malformed()).await.map(nothing)),
    ];
    for (right, answer) in tried {
        match answer {
            Err(failure) if is_refused(&failure) => missing.push(right),
            Err(Failure::Answer(Error::Meilisearch(error)))
                if error.error_type == ErrorType::InvalidRequest => {}
            Err(failure) => return Err(server.explain(&failure, "try the API key")),
            Ok(_) => {}
        }
    }
    Ok(missing)
}

fn nothing<T>(_: T) -> Value {
    Value::Null
}

fn is_refused(failure: &Failure) -> bool {
    matches!(failure, Failure::Answer(Error::Meilisearch(error)) if error.error_type == ErrorType::Auth)
}
