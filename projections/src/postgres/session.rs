//! A session as models use it: it blocks, and goes to the server as seldom as it can.
//!
//! Statements whose result nobody looks at are sent and not waited for; what became of them is
//! seen at the next answer that is waited for, at the latest at the commit. Questions that are
//! known to come can be asked ahead, many at a time.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::{Stream, TryStreamExt};
use journal::Position;
use tokio_postgres::{Error, Row, RowStream, Statement};

use super::block::wait;
use super::dialect::translate;
use super::faults::fault;
use super::links::{Link, Links, Role};
use super::values::{Parameter, bytes, parameters};
use crate::StoreError;
use crate::sql::Params;

/// Statements on their way at most: what is waiting for its answer takes memory on both sides.
const UNDER_WAY_MAX: usize = 1_024;

/// Statements kept prepared on one connection; past it, all are prepared anew.
const PREPARED_MAX: usize = 512;

pub(crate) struct Session {
    links: Arc<Links>,
    role: Role,
    schema: String,
    link: RefCell<Option<Link>>,
    in_transaction: Cell<bool>,
    /// Sent and not waited for, in order.
    under_way: RefCell<VecDeque<Started<()>>>,
    ahead: RefCell<Ahead>,
    /// Where the rows were when the transaction began, and where they are to be.
    check: RefCell<Option<(Position, Started<Vec<Row>>)>>,
}

#[derive(Default)]
struct Ahead {
    is_asking: bool,
    asked: VecDeque<(Question, Started<Vec<Row>>)>,
    /// All that was asked since the transaction began.
    questions: HashSet<Question>,
    known: HashMap<Question, Arc<Vec<Row>>>,
}

/// A statement's number and its parameters.
type Question = (u32, Vec<u8>);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("schema", &self.schema)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session whose names are looked up in `schema`; it connects when it is used.
    pub(super) fn new(links: Arc<Links>, role: Role, schema: String) -> Self {
        Self {
            links,
            role,
            schema,
            link: RefCell::new(None),
            in_transaction: Cell::new(false),
            under_way: RefCell::default(),
            ahead: RefCell::default(),
            check: RefCell::default(),
        }
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction.get()
    }

    /// Sends it; an error may come out later.
    pub(crate) fn execute(&self, sql: &str, params: &impl Params) -> Result<(), StoreError> {
        if self.ahead.borrow().is_asking {
            return Err(StoreError::Ahead);
        }
        let values = parameters(params)?;
        let (_, statement) = self.statement(sql)?;
        let client = self.client()?;
        self.send(async move { client.execute_raw(&statement, values).await.map(drop) })
    }

    /// Runs it and waits.
    pub(crate) fn execute_counted(
        &self,
        sql: &str,
        params: &impl Params,
    ) -> Result<usize, StoreError> {
        let values = parameters(params)?;
        let (_, statement) = self.statement(sql)?;
        let client = self.client()?;
        let counted = start(async move { client.execute_raw(&statement, values).await });
        self.settle()?;
        let count = wait(counted).map_err(|error| fault(&error))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// All rows of an answer.
    pub(crate) fn query(
        &self,
        sql: &str,
        params: &impl Params,
    ) -> Result<Arc<Vec<Row>>, StoreError> {
        let values = parameters(params)?;
        let (number, statement) = self.statement(sql)?;
        if self.ahead.borrow().is_asking {
            self.ask(number, statement, values)?;
            return Err(StoreError::Ahead);
        }
        if let Some(rows) = self.asked(number, &values)? {
            return Ok(rows);
        }
        let answer = self.answer(statement, values)?;
        self.settle()?;
        wait(answer).map(Arc::new).map_err(|error| fault(&error))
    }

    /// An answer row by row; nothing else can be asked before its end.
    pub(crate) fn stream(&self, sql: &str, params: &impl Params) -> Result<Answer, StoreError> {
        let values = parameters(params)?;
        let (_, statement) = self.statement(sql)?;
        self.settle()?;
        let client = self.client()?;
        let stream = wait(client.query_raw(&statement, values)).map_err(|error| fault(&error))?;
        Ok(Answer(Box::pin(stream)))
    }

    pub(crate) fn execute_batch(&self, sql: &str) -> Result<(), StoreError> {
        let client = self.client()?;
        let sql = translate(sql);
        let done = start(async move { client.batch_execute(&sql).await });
        self.settle()?;
        wait(done).map_err(|error| fault(&error))
    }

    pub(crate) fn column_count(&self, sql: &str) -> Result<usize, StoreError> {
        Ok(self.statement(sql)?.1.columns().len())
    }

    /// Asks the first question of `ask` without waiting for the answer.
    pub(crate) fn set_asking(&self, is_asking: bool) {
        self.ahead.borrow_mut().is_asking = is_asking;
    }

    /// Forgets what was asked ahead, since it is about to change.
    pub(crate) fn forget_ahead(&self) {
        *self.ahead.borrow_mut() = Ahead::default();
    }

    /// Begins a transaction; with `from`, one that can be committed only if the rows are there,
    /// and that nobody else can write to until then.
    pub(crate) fn begin(&self, from: Option<Position>) -> Result<(), StoreError> {
        self.forget_ahead();
        let client = self.client()?;
        let begin = match self.role {
            Role::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Role::Write | Role::Build => "BEGIN",
        };
        self.send(async move { client.batch_execute(begin).await })?;
        self.in_transaction.set(true);
        if let Some(from) = from {
            let (_, statement) = self.statement("SELECT position FROM checkpoint FOR UPDATE")?;
            let answer = self.answer(statement, Vec::new())?;
            *self.check.borrow_mut() = Some((from, answer));
        }
        Ok(())
    }

    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        if let Some((from, answer)) = self.check.take() {
            let rows = wait(answer).map_err(|error| self.first_fault(&error))?;
            let at = rows.first().map(|row| row.get::<_, i64>(0).cast_unsigned());
            if at != Some(from.0) {
                return Err(StoreError::Unavailable(format!(
                    "the rows of {} are at {}, not at {}: they are read again",
                    self.schema,
                    at.unwrap_or_default(),
                    from.0
                )));
            }
        }
        if self.role == Role::Write {
            let fence = format!("SELECT {}.fence({})", self.links.meta, self.links.epoch());
            let client = self.client()?;
            self.send(async move { client.batch_execute(&fence).await })?;
        }
        let client = self.client()?;
        self.send(async move { client.batch_execute("COMMIT").await })?;
        self.in_transaction.set(false);
        match self.role {
            // Nothing rests on it.
            Role::Read => Ok(()),
            Role::Write | Role::Build => self.settle(),
        }
    }

    pub(crate) fn roll_back(&self) -> Result<(), StoreError> {
        self.under_way.borrow_mut().clear();
        self.forget_ahead();
        drop(self.check.take());
        if !self.in_transaction.replace(false) {
            return Ok(());
        }
        let client = self.link.borrow().as_ref().map(|link| Arc::clone(&link.client));
        if let Some(client) = client
            && wait(client.batch_execute("ROLLBACK")).is_err()
        {
            // The server takes it back when the connection ends.
            self.link.take();
        }
        Ok(())
    }

    /// Waits for all that was sent; the first error is told.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        self.settle_down_to(0)
    }

    fn settle_down_to(&self, left: usize) -> Result<(), StoreError> {
        let mut under_way = self.under_way.borrow_mut();
        let count = under_way.len().saturating_sub(left);
        let outcome = wait(async {
            for started in under_way.drain(..count) {
                started.await?;
            }
            Ok(())
        });
        outcome.map_err(|error: Error| {
            // What follows failed only because of it.
            under_way.clear();
            fault(&error)
        })
    }

    /// The error of what was sent before, if there is one, for it is the cause of `error`.
    fn first_fault(&self, error: &Error) -> StoreError {
        self.settle().err().unwrap_or_else(|| fault(error))
    }

    fn send(
        &self,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Result<(), StoreError> {
        let started = start(work);
        self.under_way.borrow_mut().push_back(started);
        match self.under_way.borrow().len() {
            many if many >= UNDER_WAY_MAX => {}
            _ => return Ok(()),
        }
        self.settle_down_to(UNDER_WAY_MAX / 2)
    }

    fn answer(
        &self,
        statement: Statement,
        values: Vec<Parameter>,
    ) -> Result<Started<Vec<Row>>, StoreError> {
        let client = self.client()?;
        Ok(start(async move { client.query_raw(&statement, values).await?.try_collect().await }))
    }

    fn ask(
        &self,
        number: u32,
        statement: Statement,
        values: Vec<Parameter>,
    ) -> Result<(), StoreError> {
        let question = (number, bytes(&values));
        if self.ahead.borrow_mut().questions.insert(question.clone()) {
            let answer = self.answer(statement, values)?;
            self.ahead.borrow_mut().asked.push_back((question, answer));
        }
        if self.ahead.borrow().asked.len() >= UNDER_WAY_MAX {
            self.gather()?;
        }
        Ok(())
    }

    /// The answer to a question that was asked ahead.
    fn asked(
        &self,
        number: u32,
        values: &[Parameter],
    ) -> Result<Option<Arc<Vec<Row>>>, StoreError> {
        if !self.ahead.borrow().asked.is_empty() {
            self.gather()?;
        }
        let known = &self.ahead.borrow().known;
        if known.is_empty() {
            return Ok(None);
        }
        Ok(known.get(&(number, bytes(values))).map(Arc::clone))
    }

    /// Waits for all answers that were asked for ahead, in their order.
    fn gather(&self) -> Result<(), StoreError> {
        let asked = std::mem::take(&mut self.ahead.borrow_mut().asked);
        let answers = wait(async {
            let mut answers = Vec::with_capacity(asked.len());
            for (question, started) in asked {
                answers.push((question, Arc::new(started.await?)));
            }
            Ok(answers)
        });
        let answers = answers.map_err(|error: Error| self.first_fault(&error))?;
        self.ahead.borrow_mut().known.extend(answers);
        Ok(())
    }

    fn statement(&self, sql: &str) -> Result<(u32, Statement), StoreError> {
        let client = self.client()?;
        {
            let link = self.link.borrow();
            let of_schema = link.as_ref().and_then(|link| link.statements.get(&self.schema));
            if let Some((number, statement)) = of_schema.and_then(|known| known.get(sql)) {
                return Ok((*number, statement.clone()));
            }
        }
        let prepared = wait(client.prepare(&translate(sql)));
        let statement = prepared.map_err(|error| self.first_fault(&error))?;
        let mut link = self.link.borrow_mut();
        let link = link.as_mut().ok_or_else(lost)?;
        if link.statements.values().map(HashMap::len).sum::<usize>() >= PREPARED_MAX {
            link.statements.clear();
        }
        link.prepared += 1;
        let of_schema = link.statements.entry(self.schema.clone()).or_default();
        of_schema.insert(sql.to_owned(), (link.prepared, statement.clone()));
        Ok((link.prepared, statement))
    }

    /// The connection; opened again where it was lost, unless a transaction went with it.
    fn client(&self) -> Result<Arc<tokio_postgres::Client>, StoreError> {
        let mut link = self.link.borrow_mut();
        if let Some(link) = &*link
            && !link.client.is_closed()
        {
            return Ok(Arc::clone(&link.client));
        }
        if self.in_transaction.get() {
            return Err(lost());
        }
        if let Some(closed) = link.take()
            && self.role == Role::Read
        {
            self.links.give(Some(closed));
        }
        self.under_way.borrow_mut().clear();
        let mut opened = match self.role {
            Role::Read => self.links.take()?,
            role => self.links.open(role)?,
        };
        let client = Arc::clone(&opened.client);
        if opened.schema != self.schema {
            opened.schema.clone_from(&self.schema);
            let set = format!("SET search_path = {}", self.schema);
            let client = Arc::clone(&client);
            let set = start(async move { client.batch_execute(&set).await });
            self.under_way.borrow_mut().push_back(set);
        }
        *link = Some(opened);
        Ok(client)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.role == Role::Read
            && let Some(link) = self.link.take()
        {
            // One in the middle of something is not for the next.
            self.links.give((!self.in_transaction.get()).then_some(link));
        }
    }
}

fn lost() -> StoreError {
    StoreError::Unavailable("the connection to PostgreSQL was lost: it is opened again".to_owned())
}

/// Rows as they come.
pub(crate) struct Answer(Pin<Box<RowStream>>);

impl Answer {
    pub(crate) fn next(&mut self) -> Result<Option<Row>, StoreError> {
        let next = wait(std::future::poll_fn(|context| self.0.as_mut().poll_next(context)));
        next.transpose().map_err(|error| fault(&error))
    }
}

/// Something that was sent to the server, whether or not anybody waits for it.
enum Started<T> {
    Done(Option<Result<T, Error>>),
    Going(Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>),
}

/// The first poll is what sends it.
fn start<T>(work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Started<T> {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Started::Done(Some(outcome)),
        Poll::Pending => Started::Going(work),
    }
}

impl<T: Unpin> Future for Started<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Done(outcome) => match outcome.take() {
                Some(outcome) => Poll::Ready(outcome),
                None => Poll::Pending,
            },
            Self::Going(work) => work.as_mut().poll(context),
        }
    }
}
