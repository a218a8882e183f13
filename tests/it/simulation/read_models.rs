//! The read models while the engine runs, and the same ones built again from the first event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{Journal, MemoryJournal, Storage};
use projections::frequently_bought_together::{FrequentlyBoughtTogether, Freshness, Score, top};
use projections::{Directory, Options, Projector, ReadModels, Registration, Runner, models};
use rusqlite::types::Value;

use super::executor::Executor;
use super::world::lock;

/// Models kept in one directory over all lives of the engine.
pub(crate) struct ReadModelsAtWork {
    directory: Directory,
    /// Held only while a batch is folded: a killed task lets go of it between two.
    runner: Mutex<Option<Runner>>,
}

/// Every row of every table of every model.
pub(crate) type Rows = BTreeMap<String, Vec<String>>;

impl ReadModelsAtWork {
    pub(crate) fn new() -> Self {
        Self { directory: Directory::in_memory(), runner: Mutex::default() }
    }

    /// Follows the journal until the process dies.
    pub(crate) async fn follow(&self, journal: Arc<MemoryJournal>, executor: &Executor) {
        drop(lock(&self.runner).take());
        let opened = Runner::open(journal, &self.directory, &models::all(), Options::default());
        *lock(&self.runner) = Some(opened.expect("the read models open"));
        loop {
            let taken = lock(&self.runner).take();
            let Some(mut runner) = taken else { return };
            // Polled to its end at once: nothing in it waits but for the journal in memory.
            let step = futures::FutureExt::now_or_never(runner.run_once(64));
            *lock(&self.runner) = Some(runner);
            let busy = matches!(step, Some(Ok(step)) if step.events > 0);
            let wait = if busy { 5 } else { 400 };
            executor.sleep(Duration::from_millis(wait)).await;
        }
    }

    /// The rows as they stand after catching up with what is on the disk.
    pub(crate) fn rows(&self, storage: &Arc<Storage>) -> Rows {
        drop(lock(&self.runner).take());
        rows_of(&self.directory, storage)
    }
}

/// The rows of models built anew.
pub(crate) fn rebuilt(storage: &Arc<Storage>) -> Rows {
    rows_of(&Directory::in_memory(), storage)
}

fn rows_of(directory: &Directory, storage: &Arc<Storage>) -> Rows {
    let journal = Arc::new(MemoryJournal::over(Arc::clone(storage)));
    let mut runner =
        Runner::open(Arc::clone(&journal) as _, directory, &models::all(), Options::default())
            .expect("the read models open");
    while runner.position() < journal.head() {
        let step = futures::FutureExt::now_or_never(runner.run_once(1_000));
        step.expect("nothing waits").expect("the models get on");
    }
    let read_models = runner.read_models();
    assert!(read_models.parked().is_empty(), "parked: {:?}", read_models.parked());
    let tables = |model: &Registration| match model.name() {
        // Numbers its products and orders in the order in which it first wrote them, which
        // depends on the batches; its answers must not.
        FrequentlyBoughtTogether::NAME => answers_of(&read_models, storage),
        _ => tables_of(&read_models, model),
    };
    models::all().iter().flat_map(tables).collect()
}

fn answers_of(models: &ReadModels, storage: &Arc<Storage>) -> Rows {
    let products =
        storage.events().into_iter().filter(|e| e.event_type.as_str() == "product.created");
    let answers =
        products.filter_map(|event| event.stream.key.to_string().parse().ok()).map(|id| {
            let read = models.read(FrequentlyBoughtTogether::NAME, |connection| {
                top(connection, id, 20, Score::Cosine, Freshness::Current)
            });
            format!("{:?}", read.expect("the model answers"))
        });
    BTreeMap::from([(FrequentlyBoughtTogether::NAME.to_owned(), answers.collect())])
}

fn tables_of(models: &ReadModels, model: &Registration) -> Rows {
    let name_of_model = model.name();
    let read = models.read(name_of_model, |connection| {
        let mut names = connection.prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )?;
        let names: Vec<String> =
            names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut tables = Rows::new();
        // The model's own progress is not part of its answers, nor what depends on the batches.
        let own = |name: &String| {
            name != "checkpoint"
                && name != "parked"
                && !model.derived_tables().contains(&name.as_str())
        };
        for name in names.into_iter().filter(own) {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
            let columns = statement.column_count()?;
            let mut rows: Vec<String> = statement
                .query_map([], |row| {
                    let values: Result<Vec<Value>, _> = (0..columns).map(|c| row.get(c)).collect();
                    Ok(format!("{:?}", values?))
                })?
                .collect::<Result<_, _>>()?;
            rows.sort_unstable();
            tables.insert(format!("{name_of_model}.{name}"), rows);
        }
        Ok(tables)
    });
    read.expect("the model's tables can be read")
}
