//! Which call goes where.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use super::serve::{Answer, Refusal};
use super::store::{Index, Store, Work};
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
    let mut call = Call { shared, store: shared.store(), query };
    match (method, path) {
        ("GET", ["health"]) => Ok((200, json!({ "status": "available" }))),
        ("GET", ["version"]) => {
            let version = shared.version.lock().unwrap().clone();
            Ok((200, json!({ "commitSha": "", "commitDate": "", "pkgVersion": version })))
        }
        ("GET", ["keys"]) => {
            Ok((200, json!({ "results": [], "offset": 0, "limit": 20, "total": 0 })))
        }
        ("GET", ["tasks"]) => Ok((200, call.tasks())),
        ("GET", ["tasks", uid]) => {
            let task = uid.parse().ok().and_then(|uid: usize| call.store.tasks.get(uid));
            let message = format!("Task `{uid}` not found.");
            task.map(|task| (200, task.json())).ok_or(Refusal(404, "task_not_found", message))
        }
        ("POST", ["multi-search"]) => call.multi_search(&body),
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
            call.accept(None, Work::Swap(pairs))
        }
        (_, ["indexes", uid, "documents", rest @ ..]) => call.documents(method, uid, rest, body),
        (_, ["indexes", ..]) => call.indexes(method, path, body),
        _ => Err(unknown(method, path)),
    }
}

struct Call<'a> {
    shared: &'a Shared,
    store: MutexGuard<'a, Store>,
    query: &'a [(String, String)],
}

impl Call<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, otherwise: usize) -> usize {
        self.parameter(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }

    fn page(&self) -> (usize, usize) {
        (self.number("offset", 0), self.number("limit", 20))
    }

    fn accept(&mut self, index: Option<&str>, work: Work) -> Answer {
        self.shared.queued.notify_one();
        Ok((202, self.store.enqueue(index, work)))
    }

    /// The newest first.
    fn tasks(&self) -> Value {
        let wanted = |name: &str, value: Option<&str>| {
            self.parameter(name).is_none_or(|list| list.split(',').any(|it| Some(it) == value))
        };
        let all: Vec<Value> = (self.store.tasks.iter().rev())
            .map(|task| task.json())
            .filter(|task| wanted("indexUids", task["indexUid"].as_str()))
            .filter(|task| wanted("statuses", task["status"].as_str()))
            .collect();
        let limit = self.number("limit", 20);
        let page: Vec<&Value> = all.iter().take(limit).collect();
        let next = all.get(limit).map(|task| task["uid"].clone());
        let from = page.first().map(|task| task["uid"].clone());
        let total = all.len();
        json!({ "results": page, "total": total, "limit": limit, "from": from, "next": next })
    }

    fn multi_search(&self, body: &Value) -> Answer {
        let queries =
            body["queries"].as_array().ok_or_else(|| missing("bad_request", "queries"))?;
        self.shared.searches.fetch_add(queries.len() as u64, Relaxed);
        let mut results = Vec::new();
        for query in queries {
            let uid = query["indexUid"].as_str();
            let uid = uid.ok_or_else(|| missing("missing_index_uid", "indexUid"))?;
            results.push(search::search(self.store.index(uid)?, uid, query)?);
        }
        Ok((200, json!({ "results": results })))
    }

    fn indexes(&mut self, method: &str, path: &[&str], body: Value) -> Answer {
        match (method, path) {
            ("GET", ["indexes"]) => {
                let (offset, limit) = self.page();
                let all: Vec<Value> = self.store.indexes.keys().map(|uid| described(uid)).collect();
                let page: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
                let total = all.len();
                let body =
                    json!({ "results": page, "offset": offset, "limit": limit, "total": total });
                Ok((200, body))
            }
            ("POST", ["indexes"]) => {
                let uid = body["uid"].as_str();
                let uid = uid.ok_or_else(|| missing("missing_index_uid", "uid"))?.to_owned();
                valid_uid(&uid)?;
                self.accept(Some(&uid), Work::CreateIndex)
            }
            ("GET", ["indexes", uid]) => self.store.index(uid).map(|_| (200, described(uid))),
            ("DELETE", ["indexes", uid]) => {
                valid_uid(uid)?;
                self.accept(Some(uid), Work::DeleteIndex)
            }
            ("GET", ["indexes", uid, "stats"]) => {
                let documents = self.store.index(uid)?.documents.len();
                let body = json!({
                    "numberOfDocuments": documents, "isIndexing": false, "fieldDistribution": {},
                });
                Ok((200, body))
            }
            ("GET", ["indexes", uid, "settings"]) => {
                Ok((200, self.store.index(uid)?.settings.clone()))
            }
            ("GET", ["indexes", uid, "settings", "ranking-rules"]) => {
                Ok((200, self.store.index(uid)?.settings["rankingRules"].clone()))
            }
            ("PATCH", ["indexes", uid, "settings"]) => {
                valid_uid(uid)?;
                let settings =
                    body.as_object().ok_or_else(|| bad("bad_request", "not an object"))?;
                valid_settings(settings)?;
                self.accept(Some(uid), Work::Settings(settings.clone()))
            }
            ("POST", ["indexes", uid, "search"]) => {
                self.shared.searches.fetch_add(1, Relaxed);
                Ok((200, search::search(self.store.index(uid)?, uid, &body)?))
            }
            _ => Err(unknown(method, path)),
        }
    }

    fn documents(&mut self, method: &str, uid: &str, rest: &[&str], body: Value) -> Answer {
        valid_uid(uid)?;
        match (method, rest) {
            ("POST" | "PUT", []) => {
                let documents = match body {
                    Value::Array(documents) => documents,
                    document @ Value::Object(_) => vec![document],
                    _ => return Err(bad("malformed_payload", "not documents")),
                };
                let key = self.parameter("primaryKey").map(str::to_owned);
                self.accept(
                    Some(uid),
                    Work::AddDocuments { documents, key, merge: method == "PUT" },
                )
            }
            ("POST", ["delete-batch"]) => {
                let ids = body.as_array().ok_or_else(|| bad("bad_request", "not an array"))?;
                let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                self.accept(Some(uid), Work::DeleteDocuments(ids.iter().map(text).collect()))
            }
            ("DELETE", []) => self.accept(Some(uid), Work::DeleteAllDocuments),
            ("DELETE", [id]) => {
                self.accept(Some(uid), Work::DeleteDocuments(vec![(*id).to_owned()]))
            }
            ("POST", ["fetch"]) => {
                let limit = body["limit"].as_u64().unwrap_or(20);
                let page =
                    json!({ "filter": body["filter"], "offset": body["offset"], "limit": limit });
                let found = search::search(self.store.index(uid)?, uid, &page)?;
                let total = &found["estimatedTotalHits"];
                let body = json!({
                    "results": found["hits"], "offset": body["offset"], "limit": limit, "total": total,
                });
                Ok((200, body))
            }
            ("GET", []) => {
                let (offset, limit) = self.page();
                let documents = &self.store.index(uid)?.documents;
                let page: Vec<&Value> = documents.values().skip(offset).take(limit).collect();
                let total = documents.len();
                let body =
                    json!({ "results": page, "offset": offset, "limit": limit, "total": total });
                Ok((200, body))
            }
            ("GET", [id]) => {
                let document = self.store.index(uid)?.documents.get(*id).cloned();
                let message = format!("Document `{id}` not found.");
                document.map(|it| (200, it)).ok_or(Refusal(404, "document_not_found", message))
            }
            _ => Err(unknown(method, rest)),
        }
    }
}

fn unknown(method: &str, path: &[&str]) -> Refusal {
    Refusal(404, "not_found", format!("{method} /{}", path.join("/")))
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
