//! What every store of read models promises, checked on each: on a disk, in memory, and in
//! PostgreSQL.

use std::path::Path;

use crate::Directory;

/// A directory that is empty and nobody else's.
pub(crate) struct Store {
    pub(crate) directory: Directory,
    /// The same one, as another process opens it.
    pub(crate) again: Box<dyn Fn() -> Directory + Send>,
    temporary: Option<tempfile::TempDir>,
}

impl Store {
    pub(crate) fn on_disk() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("read-models");
        let again = move || Directory::on_disk(&path).unwrap();
        Self { directory: again(), again: Box::new(again), temporary: Some(temporary) }
    }

    pub(crate) fn in_memory() -> Self {
        let directory = Directory::in_memory();
        let same = directory.clone();
        Self { directory, again: Box::new(move || same.clone()), temporary: None }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn in_postgres() -> Self {
        let (url, directory) = crate::postgres::tests::fresh();
        let again = Box::new(move || crate::postgres::tests::open(&url));
        Self { directory, again, temporary: None }
    }

    /// Where it is on the disk.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.temporary.as_ref().map(tempfile::TempDir::path)
    }
}

/// Makes tests of functions that take a store.
macro_rules! in_every_store {
    ($($check:ident)*) => {
        mod on_disk {
            $(#[tokio::test] async fn $check() { super::$check(super::Store::on_disk()).await; })*
        }
        mod in_memory {
            $(#[tokio::test] async fn $check() { super::$check(super::Store::in_memory()).await; })*
        }
        #[cfg(feature = "postgres")]
        mod in_postgres {
            $(#[tokio::test] async fn $check() { super::$check(super::Store::in_postgres()).await; })*
        }
    };
}

pub(crate) use in_every_store;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use journal::{Journal, MemoryJournal};

    use super::Store;
    use crate::orders::Orders;
    use crate::runner::tests::{catch_up, open, run_rebuild};
    use crate::story::{self, Teller};
    use crate::{Options, Projector, ReadModels, Runner, RunnerError, models, orders};

    async fn told(orders: std::ops::Range<u64>) -> (Arc<dyn Journal>, Teller) {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let mut teller = Teller::new(Arc::clone(&journal));
        for number in orders {
            teller.tell(story::bought(number, 1)).await;
        }
        (journal, teller)
    }

    fn count(models: &ReadModels) -> i64 {
        let sql = "SELECT count(*) FROM orders";
        models.read(Orders::NAME, |rows| rows.query_row(sql, [], |row| row.get(0))).unwrap()
    }

    async fn one_writes_and_all_read(store: Store) {
        let (journal, mut teller) = told(0..3).await;
        let mut runner = open(&journal, &store.directory);
        let again = (store.again)();
        let second = Runner::open(Arc::clone(&journal), &again, &models::all(), Options::default());
        assert!(matches!(second, Err(RunnerError::InUse)));
        let reader = ReadModels::open(&again, &models::all()).unwrap();
        catch_up(&mut runner).await;
        assert_eq!(count(&reader), 3);
        teller.tell(story::bought(3, 1)).await;
        catch_up(&mut runner).await;
        assert_eq!(count(&reader), 4);
        drop(runner);
        let mut successor = open(&journal, &again);
        teller.tell(story::bought(4, 1)).await;
        catch_up(&mut successor).await;
        assert_eq!(count(&reader), 5);
    }

    async fn a_reader_elsewhere_moves_on_when_a_rebuild_is_taken_over(store: Store) {
        let (journal, mut teller) = told(0..3).await;
        let mut runner = open(&journal, &store.directory);
        catch_up(&mut runner).await;
        runner.store_positions().unwrap();
        let reader = ReadModels::open(&(store.again)(), &models::all()).unwrap();
        assert_eq!(count(&reader), 3);
        run_rebuild(&journal, &(store.again)(), &["orders"]).await.unwrap();
        runner.keep_house().await.unwrap();
        assert_eq!(runner.generation("orders").unwrap().0, 2);
        teller.tell(story::bought(3, 1)).await;
        catch_up(&mut runner).await;
        // A file that is open may be read a while longer; what is opened from now on is the new.
        drop(reader);
        let reader = ReadModels::open(&(store.again)(), &models::all()).unwrap();
        assert_eq!(count(&reader), 4);
        assert!(orders::by_id(&reader, story::order(3)).unwrap().is_some());
    }

    async fn a_query_sees_one_state_whatever_is_written_meanwhile(store: Store) {
        let (journal, mut teller) = told(0..3).await;
        let mut runner = open(&journal, &store.directory);
        catch_up(&mut runner).await;
        teller.tell(story::bought(3, 1)).await;
        let reader = runner.read_models();
        let (begun, wait_for_reader) = mpsc::channel();
        let (written, wait_for_writer) = mpsc::channel();
        let query = std::thread::spawn(move || {
            reader.read(Orders::NAME, |rows| {
                let count = |sql: &str| rows.query_row(sql, [], |row| row.get::<i64>(0));
                let before = count("SELECT count(*) FROM orders")?;
                begun.send(()).unwrap();
                // Where both share a connection, it is the writer who waits.
                let _ = wait_for_writer.recv_timeout(Duration::from_secs(1));
                Ok((before, count("SELECT count(*) FROM placed")?))
            })
        });
        wait_for_reader.recv().unwrap();
        catch_up(&mut runner).await;
        let _ = written.send(());
        assert_eq!(query.join().unwrap().unwrap(), (3, 3));
        assert_eq!(count(&runner.read_models()), 4);
    }

    in_every_store! {
        one_writes_and_all_read
        a_reader_elsewhere_moves_on_when_a_rebuild_is_taken_over
        a_query_sees_one_state_whatever_is_written_meanwhile
    }
}
