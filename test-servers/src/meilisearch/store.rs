//! Indexes, and the tasks that change them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::TaskFate;
use super::serve::Refusal;

#[derive(Debug, Clone)]
pub struct Index {
    pub documents: BTreeMap<String, Value>,
    pub settings: Value,
}

impl Default for Index {
    fn default() -> Self {
        let settings = json!({
            "displayedAttributes": ["*"],
            "searchableAttributes": ["*"],
            "filterableAttributes": [],
            "sortableAttributes": [],
            "rankingRules": ["words", "typo", "proximity", "attribute", "sort", "exactness"],
            "stopWords": [],
            "synonyms": {},
            "distinctAttribute": null,
            "typoTolerance": { "enabled": true },
            "faceting": { "maxValuesPerFacet": 100, "sortFacetValuesBy": { "*": "alpha" } },
            "pagination": { "maxTotalHits": 1000 },
            "searchCutoffMs": null,
            "facetSearch": true,
            "prefixSearch": "indexingTime",
        });
        Self { documents: BTreeMap::new(), settings }
    }
}

/// What a task does.
#[derive(Debug, Clone)]
pub enum Work {
    CreateIndex,
    DeleteIndex,
    Settings(Map<String, Value>),
    AddDocuments { documents: Vec<Value>, key: Option<String>, merge: bool },
    DeleteDocuments(Vec<String>),
    DeleteAllDocuments,
    Swap(Vec<(String, String)>),
}

impl Work {
    fn kind(&self) -> &'static str {
        match self {
            Self::CreateIndex => "indexCreation",
            Self::DeleteIndex => "indexDeletion",
            Self::Settings(_) => "settingsUpdate",
            Self::AddDocuments { .. } => "documentAdditionOrUpdate",
            Self::DeleteDocuments(_) | Self::DeleteAllDocuments => "documentDeletion",
            Self::Swap(_) => "indexSwap",
        }
    }
}

#[derive(Debug)]
pub struct Task {
    uid: usize,
    index: Option<String>,
    kind: &'static str,
    /// Until it is done.
    work: Option<Work>,
    status: &'static str,
    error: Value,
}

impl Task {
    pub fn json(&self) -> Value {
        let begun = (self.status != "enqueued").then_some("2026-01-01T00:00:01Z");
        let ended = self.work.is_none().then_some("2026-01-01T00:00:02Z");
        json!({
            "uid": self.uid,
            "batchUid": self.uid,
            "indexUid": self.index,
            "status": self.status,
            "type": self.kind,
            "canceledBy": if self.status == "canceled" { json!(self.uid + 1) } else { Value::Null },
            "details": {},
            "error": self.error,
            "duration": ended.map(|_| "PT1S"),
            "enqueuedAt": "2026-01-01T00:00:00Z",
            "startedAt": begun,
            "finishedAt": ended,
        })
    }
}

#[derive(Debug, Default)]
pub struct Store {
    pub indexes: BTreeMap<String, Index>,
    pub tasks: Vec<Task>,
    /// Tasks before this one are done.
    next: usize,
}

impl Store {
    pub fn index(&self, uid: &str) -> Result<&Index, Refusal> {
        self.indexes.get(uid).ok_or_else(|| no_index(uid))
    }

    /// The task as it is announced.
    pub fn enqueue(&mut self, index: Option<&str>, work: Work) -> Value {
        let uid = self.tasks.len();
        let (index, kind) = (index.map(str::to_owned), work.kind());
        let announced = json!({
            "taskUid": uid, "indexUid": index, "status": "enqueued", "type": kind,
            "enqueuedAt": "2026-01-01T00:00:00Z",
        });
        let work = Some(work);
        self.tasks.push(Task { uid, index, kind, work, status: "enqueued", error: Value::Null });
        announced
    }

    /// The next task to do, if there is one.
    pub fn start_next(&mut self) -> Option<usize> {
        let task = self.tasks.get_mut(self.next)?;
        task.status = "processing";
        Some(task.uid)
    }

    pub fn finish(&mut self, uid: usize, fate: TaskFate) {
        let task = &mut self.tasks[uid];
        let (work, index) = (task.work.take(), task.index.clone());
        let outcome = match fate {
            TaskFate::Fail => Err(Refusal(500, "internal", "The disk is on fire.".to_owned())),
            TaskFate::Cancel | TaskFate::Stick => Ok(()),
            TaskFate::Succeed => work.map_or(Ok(()), |work| self.work(index.as_deref(), work)),
        };
        let task = &mut self.tasks[uid];
        task.status = match (fate, &outcome) {
            (TaskFate::Cancel, _) => "canceled",
            (_, Ok(())) => "succeeded",
            (_, Err(_)) => "failed",
        };
        if let Err(refusal) = outcome {
            task.error = refusal.json();
        }
        self.next = uid + 1;
    }

    fn work(&mut self, uid: Option<&str>, work: Work) -> Result<(), Refusal> {
        let uid = uid.unwrap_or_default();
        match work {
            Work::CreateIndex => {
                if self.indexes.contains_key(uid) {
                    let message = format!("Index `{uid}` already exists.");
                    return Err(Refusal(409, "index_already_exists", message));
                }
                self.indexes.insert(uid.to_owned(), Index::default());
            }
            Work::DeleteIndex => {
                self.indexes.remove(uid).ok_or_else(|| no_index(uid))?;
            }
            Work::Settings(changes) => {
                // As in the real one, an index comes into being by being written to.
                let index = self.indexes.entry(uid.to_owned()).or_default();
                for (name, value) in changes {
                    match (&mut index.settings[&name], value) {
                        (Value::Object(old), Value::Object(new)) if name != "synonyms" => {
                            old.extend(new)
                        }
                        (old, value) => *old = value,
                    }
                }
            }
            Work::AddDocuments { documents, key, merge } => {
                let key = key.unwrap_or_else(|| "id".to_owned());
                let index = self.indexes.entry(uid.to_owned()).or_default();
                // All of a task or nothing.
                let mut ids = Vec::new();
                for document in &documents {
                    ids.push(document_id(document, &key)?);
                }
                for (id, document) in ids.into_iter().zip(documents) {
                    match (index.documents.get_mut(&id), document) {
                        (Some(Value::Object(old)), Value::Object(new)) if merge => old.extend(new),
                        (_, document) => {
                            index.documents.insert(id, document);
                        }
                    }
                }
            }
            Work::DeleteDocuments(ids) => {
                let index = self.indexes.get_mut(uid).ok_or_else(|| no_index(uid))?;
                for id in ids {
                    index.documents.remove(&id);
                }
            }
            Work::DeleteAllDocuments => {
                self.indexes.get_mut(uid).ok_or_else(|| no_index(uid))?.documents.clear();
            }
            Work::Swap(pairs) => {
                // All of them or none.
                for (a, b) in &pairs {
                    self.index(a)?;
                    self.index(b)?;
                }
                for (a, b) in pairs {
                    if let (Some(left), Some(right)) =
                        (self.indexes.remove(&a), self.indexes.remove(&b))
                    {
                        self.indexes.insert(a, right);
                        self.indexes.insert(b, left);
                    }
                }
            }
        }
        Ok(())
    }
}

fn document_id(document: &Value, key: &str) -> Result<String, Refusal> {
    let id = match &document[key] {
        Value::String(id) => id.clone(),
        Value::Number(id) if id.is_u64() || id.is_i64() => id.to_string(),
        _ => {
            return Err(Refusal(
                400,
                "missing_document_id",
                format!("Document doesn't have a `{key}`"),
            ));
        }
    };
    let sound = !id.is_empty()
        && id.len() <= 511
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if sound {
        Ok(id)
    } else {
        Err(Refusal(400, "invalid_document_id", format!("Document identifier `{id}` is invalid.")))
    }
}

fn no_index(uid: &str) -> Refusal {
    Refusal(404, "index_not_found", format!("Index `{uid}` not found."))
}
