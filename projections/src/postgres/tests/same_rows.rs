//! The same events give the same rows and the same answers, wherever the rows are kept.

use std::sync::Arc;

use journal::{Journal, MemoryJournal};

use crate::runner::tests::{assert_same, catch_up, open, rows, tell_some};
use crate::story::Teller;
use crate::{Directory, Options, Runner, models};

#[tokio::test]
async fn the_same_events_give_the_same_rows_table_by_table() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let mut teller = Teller::new(Arc::clone(&journal));
    tell_some(&mut teller, 0..40).await;
    let (_url, directory) = super::fresh();
    let mut remote = open(&journal, &directory);
    let mut local = open(&journal, &Directory::in_memory());
    catch_up(&mut remote).await;
    catch_up(&mut local).await;
    let ours = rows(&remote.read_models());
    if std::env::var("SHOW").is_ok() {
        std::fs::write("/tmp/h/rows.txt", ours.join("\n")).unwrap();
    }
    assert_same(&ours, &rows(&local.read_models()));
    let _ = (Options::default(), models::all().len(), Runner::position(&remote));
}
