//! Writing: changes to the index that serves, and the filling of another that takes its place.
//!
//! Tasks are done in the order in which they were accepted, but one that fails does not hold up the
//! next. So the document that says what an index is filled with is only sent when the ones it speaks of
//! are there.

use std::collections::{BTreeMap, HashSet, VecDeque};

use domain::ProductId;
use domain::product::ProductStatus;
use projections::catalogue::{CategoryView, SearchDocument};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::MeilisearchEngine;
use super::document::{Document, Meta, Owner, Tree};
use super::filter::one_of;
use super::indexes::{create, drop_index, exists, shadow_prefix, shadows};
use super::query::{Answers, Queries, Query};
use super::server::{Accepted, CALL_TIMEOUT};
use crate::{Changes, Filled, SearchEngine, SearchError};

/// Documents are sent in parts of about so many bytes.
const PART_BYTES: usize = 4 << 20;
/// Parts that may be on the way before the first of them must be done.
const PARTS_AHEAD: usize = 4;
/// Ids asked for at once.
const IDS_AT_ONCE: usize = 1_000;

/// What the one that writes has to remember.
#[derive(Default)]
pub(super) struct Writer {
    begun: Option<Begun>,
}

/// An index that is being filled.
struct Begun {
    uid: String,
    products: HashSet<ProductId>,
    categories: Vec<CategoryView>,
    pending: VecDeque<Accepted>,
}

/// Changes as tasks: what to write, each product once, and what to take out.
struct Sorted {
    written: BTreeMap<ProductId, SearchDocument>,
    removed: Vec<ProductId>,
}

impl Sorted {
    fn is_empty(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }
}

fn sorted(changes: Changes) -> (Sorted, Option<Vec<CategoryView>>) {
    let mut written = BTreeMap::new();
    let mut removed: HashSet<ProductId> = changes.removed.into_iter().collect();
    for document in changes.documents {
        if document.status == ProductStatus::Active {
            written.insert(document.product_id, document);
        } else {
            removed.insert(document.product_id);
        }
    }
    written.retain(|product_id, _| !removed.contains(product_id));
    let mut removed: Vec<ProductId> = removed.into_iter().collect();
    removed.sort_unstable();
    (Sorted { written, removed }, changes.categories)
}

pub(super) async fn apply(
    engine: &MeilisearchEngine,
    changes: Changes,
    before: Filled,
    filled: Filled,
) -> Result<(), SearchError> {
    // One at a time: the count below is only right while nobody else writes.
    let _writer = engine.writer.lock().await;
    let index = &engine.options.index;
    settle(engine).await?;
    let Some((found, count)) = engine.meta().await? else {
        return Err(SearchError::Damaged(format!(
            "the index `{index}` in Meilisearch at {} is not what this program filled: it has to be \
             filled anew",
            engine.server.url()
        )));
    };
    if found.filled() != before {
        return Err(somebody_else(engine));
    }
    let (sorted, categories) = sorted(changes);
    if sorted.is_empty() && categories.is_none() {
        // Only how far it is.
        let mut after = found;
        after.set(filled);
        let task = send_values(engine, index, &json!([after])).await?;
        return wait(engine, task, "take in changes").await;
    }
    let known = |ids: Vec<ProductId>| count_of(engine, ids);
    let replaced = known(sorted.written.keys().copied().collect()).await?;
    let gone = known(sorted.removed.clone()).await?;
    let products = (count + sorted.written.len() as u64).saturating_sub(replaced + gone);

    let mut tasks = send(engine, index, sorted.written.into_values()).await?;
    let mut left = found;
    if gone > 0 {
        // Should this end half-way, the index must not pass for one that lost documents.
        left.products = products.min(left.products);
        tasks.push(send_values(engine, index, &json!([left])).await?);
    }
    for task in tasks {
        wait(engine, task, "take in changes").await?;
    }
    if gone > 0 {
        let task = remove(engine, index, &sorted.removed).await?;
        wait(engine, task, "take out products").await?;
    }
    stands(engine, &left).await?;
    let mut after = left;
    after.products = products;
    after.set(filled);
    let task = match categories.map(|categories| Tree::new(&categories)) {
        Some(tree) => {
            after.tree = tree.checksum();
            send_values(engine, index, &json!([tree, after])).await?
        }
        None => send_values(engine, index, &json!([after])).await?,
    };
    wait(engine, task, "take in changes").await
}

/// Whether the index still says what this writer left in it. If not, another one wrote meanwhile, and
/// each may have put an older document in place of the other's newer one: both are to read on from where
/// the one was that is further back.
async fn stands(engine: &MeilisearchEngine, left: &Meta) -> Result<(), SearchError> {
    let Some((mut theirs, _)) = engine.meta().await? else { return Err(somebody_else(engine)) };
    if theirs == *left {
        return Ok(());
    }
    if theirs.journal == left.journal && theirs.position > left.position {
        theirs.position = left.position;
        // Neither knows what the other put in and took out.
        theirs.products = theirs.products.min(left.products);
        let task = send_values(engine, &engine.options.index, &json!([theirs])).await?;
        wait(engine, task, "take in changes").await?;
    }
    Err(somebody_else(engine))
}

fn somebody_else(engine: &MeilisearchEngine) -> SearchError {
    SearchError::Unavailable(format!(
        "somebody else writes to the index `{}` in Meilisearch at {}",
        engine.options.index,
        engine.server.url()
    ))
}

pub(super) async fn begin(engine: &MeilisearchEngine) -> Result<(), SearchError> {
    let mut writer = engine.writer.lock().await;
    writer.begun = None;
    let shadows = shadows(engine).await?;
    for (_, uid) in &shadows {
        drop_index(engine, uid).await?;
    }
    let next = shadows.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
    let uid = format!("{}{next}", shadow_prefix(engine));
    create(engine, &uid).await?;
    writer.begun = Some(Begun {
        uid,
        products: HashSet::new(),
        categories: Vec::new(),
        pending: VecDeque::new(),
    });
    Ok(())
}

pub(super) async fn fill(engine: &MeilisearchEngine, changes: Changes) -> Result<(), SearchError> {
    let mut writer = engine.writer.lock().await;
    let begun = writer.begun.as_mut().ok_or_else(nothing_begun)?;
    let (sorted, categories) = sorted(changes);
    if let Some(categories) = categories {
        begun.categories = categories;
    }
    begun.products.extend(sorted.written.keys());
    for product_id in &sorted.removed {
        begun.products.remove(product_id);
    }
    begun.pending.extend(send(engine, &begun.uid, sorted.written.into_values()).await?);
    if !sorted.removed.is_empty() {
        begun.pending.push_back(remove(engine, &begun.uid, &sorted.removed).await?);
    }
    while begun.pending.len() > PARTS_AHEAD {
        finish_one(engine, begun).await?;
    }
    Ok(())
}

pub(super) async fn swap(engine: &MeilisearchEngine, filled: Filled) -> Result<(), SearchError> {
    let mut writer = engine.writer.lock().await;
    let begun = writer.begun.as_mut().ok_or_else(nothing_begun)?;
    while !begun.pending.is_empty() {
        finish_one(engine, begun).await?;
    }
    let wanted = begun.products.len() as u64;
    let count =
        count(engine, vec![Query::count(&begun.uid, None, vec![engine.products.clone()])]).await?;
    if count != wanted {
        return Err(SearchError::Damaged(format!(
            "the index `{}` in Meilisearch holds {count} products and not the {wanted} that were \
             written: it has to be filled anew",
            begun.uid
        )));
    }
    // Another shop may have taken it over since this was begun.
    engine.filled().await?;
    let tree = Tree::new(&begun.categories);
    let meta = Meta::new(filled, engine.settings, wanted, &tree);
    let task =
        send_values(engine, &begun.uid, &json!([Owner::new(filled.journal), tree, meta])).await?;
    wait(engine, task, "take in documents").await?;
    let index = &engine.options.index;
    if !exists(engine, index).await? {
        // Only what is there can be swapped.
        create(engine, index).await?;
    }
    let uid = begun.uid.clone();
    let doing = "swap indexes (right `indexes.swap`)";
    let body = json!([{ "indexes": [index, uid] }]);
    let accepted = engine.server.post("/swap-indexes", body).await;
    let accepted = accepted.map_err(|failure| engine.server.explain(&failure, doing))?;
    wait(engine, accepted, doing).await?;
    writer.begun = None;
    // The old one is only in the way; what begins the next sweeps up what is left.
    if let Err(error) = drop_index(engine, &uid).await {
        tracing::warn!(index = uid, %error, "an index that was replaced is still there");
    }
    Ok(())
}

fn nothing_begun() -> SearchError {
    SearchError::Damaged("no index was begun in Meilisearch: it has to be filled anew".to_owned())
}

async fn finish_one(engine: &MeilisearchEngine, begun: &mut Begun) -> Result<(), SearchError> {
    if let Some(task) = begun.pending.front().copied() {
        wait(engine, task, "take in documents").await?;
        begun.pending.pop_front();
    }
    Ok(())
}

/// Waits for what an earlier writer left undone, so that documents are counted that will be there.
async fn settle(engine: &MeilisearchEngine) -> Result<(), SearchError> {
    #[derive(Deserialize)]
    struct Tasks {
        results: Vec<Left>,
    }
    #[derive(Deserialize)]
    struct Left {
        uid: u64,
    }
    let path =
        format!("/tasks?indexUids={}&statuses=enqueued,processing&limit=1", engine.options.index);
    let tasks: Result<Tasks, _> = engine.server.get(&path).await;
    let tasks = tasks
        .map_err(|failure| engine.server.explain(&failure, "list tasks (right `tasks.get`)"))?;
    // The newest is listed first, and is done last. How it ends does not matter: what it was to do is
    // about to be done again.
    match tasks.results.first() {
        None => Ok(()),
        Some(left) => {
            let task = Accepted { task: left.uid };
            let limit = engine.options.task_timeout;
            engine.server.settle(task, "finish earlier tasks", limit).await
        }
    }
}

/// Products of the index that serves which have one of the ids.
async fn count_of(engine: &MeilisearchEngine, ids: Vec<ProductId>) -> Result<u64, SearchError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let queries = ids.chunks(IDS_AT_ONCE).map(|ids| {
        let filter =
            vec![engine.products.clone(), one_of("id", ids.iter().map(ToString::to_string))];
        Query::count(&engine.options.index, None, filter)
    });
    count(engine, queries.collect()).await
}

pub(super) async fn count(
    engine: &MeilisearchEngine,
    queries: Vec<Query>,
) -> Result<u64, SearchError> {
    let answers: Result<Answers, _> =
        engine.server.search("/multi-search", Queries { queries }, CALL_TIMEOUT).await;
    let answers = answers
        .map_err(|failure| engine.server.explain(&failure, "count documents (right `search`)"))?;
    Ok(answers.results.iter().filter_map(|answer| answer.total_hits).sum())
}

/// Sends documents in parts of some megabytes.
async fn send(
    engine: &MeilisearchEngine,
    index: &str,
    products: impl Iterator<Item = SearchDocument>,
) -> Result<Vec<Accepted>, SearchError> {
    let mut tasks = Vec::new();
    let mut part: Vec<Box<RawValue>> = Vec::new();
    let mut bytes = 0;
    let now = (engine.options.clock)();
    for product in products {
        let document =
            serde_json::value::to_raw_value(&Document::new(product, engine.options.journal, now));
        let document = document.map_err(|error| {
            SearchError::Other(format!("a product cannot be written as JSON: {error}"))
        })?;
        bytes += document.get().len();
        part.push(document);
        if bytes >= PART_BYTES {
            tasks.push(send_values(engine, index, &std::mem::take(&mut part)).await?);
            bytes = 0;
        }
    }
    if !part.is_empty() {
        tasks.push(send_values(engine, index, &part).await?);
    }
    Ok(tasks)
}

pub(super) async fn send_values<B: serde::Serialize + Send + Sync>(
    engine: &MeilisearchEngine,
    index: &str,
    documents: &B,
) -> Result<Accepted, SearchError> {
    let path = format!("/indexes/{index}/documents?primaryKey=id");
    let accepted = engine.server.post(&path, documents).await;
    accepted
        .map_err(|failure| engine.server.explain(&failure, "add documents (right `documents.add`)"))
}

async fn remove(
    engine: &MeilisearchEngine,
    index: &str,
    ids: &[ProductId],
) -> Result<Accepted, SearchError> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let accepted =
        engine.server.post(&format!("/indexes/{index}/documents/delete-batch"), ids).await;
    accepted.map_err(|failure| {
        engine.server.explain(&failure, "delete documents (right `documents.delete`)")
    })
}

pub(super) async fn wait(
    engine: &MeilisearchEngine,
    task: Accepted,
    doing: &str,
) -> Result<(), SearchError> {
    engine.server.wait(task, doing, engine.options.task_timeout).await
}
