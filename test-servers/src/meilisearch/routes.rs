//! Which call goes where.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use super::serve::{Answer, Refusal};
use super::store::{Index, Work};
use super::{Shared, search};

/// The right a call needs; `None` for what everybody may.
pub fn right(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        (_, ["health"]) => return None,
        (_, ["version"]) => "version",
        (_, ["stats"] | ["indexes", _, "stats"]) => "stats.get",
        (_, ["keys", ..]) => "keys.get",
        ("GET", ["tasks", ..]) => "tasks.get",
        (_, ["tasks", "cancel"]) => "tasks.cancel",
        (_, ["multi-search"] | ["indexes", _, "search"]) => "search",
        (_, ["swap-indexes"]) => "indexes.swap",
        ("GET", ["indexes"] | ["indexes", _]) => "indexes.get",
        ("POST", ["indexes"]) => "indexes.create",
        ("DELETE", ["indexes", _]) => "indexes.delete",
        ("PATCH", ["indexes", _]) => "indexes.update",
        ("GET", ["indexes", _, "settings", ..]) => "settings.get",
        (_, ["indexes", _, "settings", ..]) => "settings.update",
        ("GET", ["indexes", _, "documents", ..]) | (_, ["indexes", _, "documents", "fetch"]) => {
            "documents.get"
        }
        ("DELETE", ["indexes", _, "documents", ..])
        | (_, ["indexes", _, "documents", "delete-batch" | "delete"]) => "documents.delete",
        (_, ["indexes", _, "documents"]) => "documents.add",
        _ => "*",
    })
}

pub fn answer(
    shared: &Shared,
    method: &str,
    path: &[&str],
    query: &[(String, String)],
    body: Value,
) -> Answer {
    let parameter =
        |name: &str| query.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str());
    let number = |name: &str, otherwise: usize| {
        parameter(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    };
    let mut store = shared.store();
    let mut accept = |index: Option<&str>, work: Work| {
        shared.queued.notify_one();
        Ok((202, store.enqueue(index, work)))
    };
    match (method, path) {
        ("GET", ["health"]) => Ok((200, json!({ "status": "available" }))),
        ("GET", ["version"]) => {
            let version = shared.version.lock().unwrap().clone();
            Ok((200, json!({ "commitSha": "", "commitDate": "", "pkgVersion": version })))
        }
        ("GET", ["keys"]) => {
            Ok((200, json!({ "results": [], "offset": 0, "limit": 20, "total": 0 })))
        }
        ("GET", ["indexes"]) => {
            let (offset, limit) = (number("offset", 0), number("limit", 20));
            let all: Vec<Value> = store.indexes.keys().map(|uid| described(uid)).collect();
            let page: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
            Ok((
                200,
                json!({ "results": page, "offset": offset, "limit": limit, "total": all.len() }),
            ))
        }
        ("POST", ["indexes"]) => {
            let uid =
                body["uid"].as_str().ok_or_else(|| missing("missing_index_uid", "uid"))?.to_owned();
            valid_uid(&uid)?;
            accept(Some(&uid), Work::CreateIndex)
        }
        ("GET", ["indexes", uid]) => store.index(uid).map(|_| (200, described(uid))),
        ("DELETE", ["indexes", uid]) => {
            valid_uid(uid)?;
            accept(Some(uid), Work::DeleteIndex)
        }
        ("GET", ["indexes", uid, "stats"]) => {
            let documents = store.index(uid)?.documents.len();
            let body = json!({
                "numberOfDocuments": documents, "isIndexing": false, "fieldDistribution": {},
            });
            Ok((200, body))
        }
        ("GET", ["indexes", uid, "settings"]) => Ok((200, store.index(uid)?.settings.clone())),
        ("GET", ["indexes", uid, "settings", "ranking-rules"]) => {
            Ok((200, store.index(uid)?.settings["rankingRules"].clone()))
        }
        ("PATCH", ["indexes", uid, "settings"]) => {
            valid_uid(uid)?;
            let settings =
                body.as_object().ok_or_else(|| bad("bad_request", "not an object"))?.clone();
            valid_settings(&settings)?;
            accept(Some(uid), Work::Settings(settings))
        }
        ("POST" | "PUT", ["indexes", uid, "documents"]) => {
            valid_uid(uid)?;
            let documents = match body {
                Value::Array(documents) => documents,
                document @ Value::Object(_) => vec![document],
                _ => return Err(bad("malformed_payload", "not documents")),
            };
            let key = parameter("primaryKey").map(str::to_owned);
            accept(Some(uid), Work::AddDocuments { documents, key, merge: method == "PUT" })
        }
        ("POST", ["indexes", uid, "documents", "delete-batch"]) => {
            let ids = body.as_array().ok_or_else(|| bad("bad_request", "not an array"))?;
            let ids =
                ids.iter().map(|id| id.as_str().map_or(id.to_string(), str::to_owned)).collect();
            accept(Some(uid), Work::DeleteDocuments(ids))
        }
        ("DELETE", ["indexes", uid, "documents"]) => accept(Some(uid), Work::DeleteAllDocuments),
        ("DELETE", ["indexes", uid, "documents", id]) => {
            accept(Some(uid), Work::DeleteDocuments(vec![(*id).to_owned()]))
        }
        ("POST", ["indexes", uid, "documents", "fetch"]) => {
            let index = store.index(uid)?;
            let page = json!({
                "filter": body["filter"], "offset": body["offset"],
                "limit": body["limit"].as_u64().unwrap_or(20),
            });
            let found = search::search(index, uid, &page)?;
            let total = found["estimatedTotalHits"].clone();
            Ok((200, json!({ "results": found["hits"], "offset": 0, "limit": 20, "total": total })))
        }
        ("GET", ["indexes", uid, "documents"]) => {
            let (offset, limit) = (number("offset", 0), number("limit", 20));
            let documents = &store.index(uid)?.documents;
            let page: Vec<&Value> = documents.values().skip(offset).take(limit).collect();
            let total = documents.len();
            Ok((200, json!({ "results": page, "offset": offset, "limit": limit, "total": total })))
        }
        ("GET", ["indexes", uid, "documents", id]) => {
            let document = store.index(uid)?.documents.get(*id).cloned();
            let message = format!("Document `{id}` not found.");
            document.map(|it| (200, it)).ok_or(Refusal(404, "document_not_found", message))
        }
        ("POST", ["indexes", uid, "search"]) => {
            shared.searches.fetch_add(1, Relaxed);
            Ok((200, search::search(store.index(uid)?, uid, &body)?))
        }
        ("POST", ["multi-search"]) => {
            let queries =
                body["queries"].as_array().ok_or_else(|| missing("bad_request", "queries"))?;
            shared.searches.fetch_add(queries.len() as u64, Relaxed);
            let mut results = Vec::new();
            for query in queries {
                let uid = query["indexUid"]
                    .as_str()
                    .ok_or_else(|| missing("missing_index_uid", "indexUid"))?;
                results.push(search::search(store.index(uid)?, uid, query)?);
            }
            Ok((200, json!({ "results": results })))
        }
        ("POST", ["swap-indexes"]) => {
            let swaps = body.as_array().ok_or_else(|| bad("bad_request", "not an array"))?;
            let mut pairs = Vec::new();
            for swap in swaps {
                match swap["indexes"].as_array().map(Vec::as_slice) {
                    Some([Value::String(a), Value::String(b)]) => {
                        pairs.push((a.clone(), b.clone()))
                    }
                    _ => return Err(bad("invalid_swap_indexes", "two indexes must be given")),
                }
            }
            accept(None, Work::Swap(pairs))
        }
        ("GET", ["tasks"]) => {
            let wanted = |name: &str, value: Option<&str>| {
                parameter(name).is_none_or(|list| list.split(',').any(|it| Some(it) == value))
            };
            let all: Vec<Value> = (store.tasks.iter().rev())
                .map(|task| task.json())
                .filter(|task| wanted("indexUids", task["indexUid"].as_str()))
                .filter(|task| wanted("statuses", task["status"].as_str()))
                .collect();
            let limit = number("limit", 20);
            let page: Vec<&Value> = all.iter().take(limit).collect();
            let next = all.get(limit).map(|task| task["uid"].clone());
            let from = page.first().map(|task| task["uid"].clone());
            let total = all.len();
            Ok((
                200,
                json!({
                    "results": page, "total": total, "limit": limit, "from": from, "next": next,
                }),
            ))
        }
        ("GET", ["tasks", uid]) => {
            let task = uid.parse().ok().and_then(|uid: usize| store.tasks.get(uid));
            let message = format!("Task `{uid}` not found.");
            task.map(|task| (200, task.json())).ok_or(Refusal(404, "task_not_found", message))
        }
        _ => Err(Refusal(404, "not_found", format!("{method} /{}", path.join("/")))),
    }
}

fn described(uid: &str) -> Value {
    json!({
        "uid": uid, "primaryKey": "id",
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
    })
}

fn valid_uid(uid: &str) -> Result<(), Refusal> {
    let sound = !uid.is_empty()
        && uid.len() <= 400
        && uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if sound { Ok(()) } else { Err(bad("invalid_index_uid", "not a valid index uid")) }
}

fn valid_settings(settings: &serde_json::Map<String, Value>) -> Result<(), Refusal> {
    let known = Index::default().settings;
    match settings.keys().find(|name| known.get(name.as_str()).is_none()) {
        Some(unknown) => Err(bad("bad_request", &format!("Unknown field `{unknown}`"))),
        None => Ok(()),
    }
}

fn missing(code: &'static str, field: &str) -> Refusal {
    Refusal(400, code, format!("Missing field `{field}`"))
}

fn bad(code: &'static str, message: &str) -> Refusal {
    Refusal(400, code, message.to_owned())
}
