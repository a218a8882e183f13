//! Statements on the tables, asked again on a new session when one is lost: each may be repeated.

use std::time::{Duration, Instant};

use journal::PostgresServer;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::faults::{Fault, fault, unavailable};
use crate::key_store::KeyStoreError;

/// A server that has not answered by then is taken for lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(200);

pub(super) enum Statement<'a> {
    Find(&'a [Uuid]),
    Make {
        persons: &'a [Uuid],
        wrapped: &'a [Vec<u8>],
        under: &'a str,
    },
    Erase(Uuid),
    /// Who was erased after so many erasures.
    ErasedSince(i64),
}

/// What was on record at one moment.
pub(super) struct Answer {
    /// Fingerprint of the master key in force.
    pub(super) master: String,
    pub(super) erasures: i64,
    /// Persons on record, of those asked for; without a key the erased.
    pub(super) persons: Vec<(Uuid, Option<Vec<u8>>)>,
}

pub(super) struct Session {
    server: PostgresServer,
    open: Option<PgConnection>,
}

impl Session {
    pub(super) fn new(server: PostgresServer, open: PgConnection) -> Self {
        Self { server, open: Some(open) }
    }

    /// Waits for a server that is away for as long as `patience` lasts.
    pub(super) async fn ask(
        &mut self,
        statement: &Statement<'_>,
        patience: Duration,
    ) -> Result<Answer, KeyStoreError> {
        let began = Instant::now();
        let mut tried = false;
        loop {
            let why = match self.ask_once(statement).await {
                Ok(answer) => return Ok(answer),
                Err(Fault::Refused(error)) => return Err(error),
                Err(Fault::Lost(error)) => error,
            };
            self.open = None;
            // A session may be lost while the server is there, so a new one is tried at once.
            if tried && began.elapsed() + PAUSE > patience {
                return Err(why);
            }
            if tried {
                tokio::time::sleep(PAUSE).await;
            }
            tried = true;
        }
    }

    async fn ask_once(&mut self, statement: &Statement<'_>) -> Result<Answer, Fault> {
        let session = match &mut self.open {
            Some(session) => session,
            closed => {
                let new = self.server.connect_checked().await;
                closed.insert(new.map_err(|error| Fault::Lost(unavailable(error)))?)
            }
        };
        match tokio::time::timeout(ANSWER_WITHIN, run(session, statement)).await {
            Ok(rows) => answer(&rows.map_err(fault)?),
            Err(_) => Err(Fault::Lost(KeyStoreError::Unavailable(format!(
                "no answer from {} within {} s",
                self.server.place(),
                ANSWER_WITHIN.as_secs()
            )))),
        }
    }
}

async fn run(
    session: &mut PgConnection,
    statement: &Statement<'_>,
) -> Result<Vec<PgRow>, sqlx::Error> {
    match statement {
        Statement::Find(persons) => {
            sqlx::query("SELECT * FROM tillroll_keys.find($1)").bind(*persons)
        }
        Statement::Make { persons, wrapped, under } => {
            sqlx::query("SELECT * FROM tillroll_keys.make($1, $2, $3)")
                .bind(*persons)
                .bind(*wrapped)
                .bind(*under)
        }
        Statement::Erase(person) => {
            sqlx::query("SELECT * FROM tillroll_keys.erase($1)").bind(*person)
        }
        Statement::ErasedSince(heard) => sqlx::query(
            "SELECT a.master_key, a.erasures, d.person, d.wrapped FROM tillroll_keys.about a \
             LEFT JOIN tillroll_keys.data_keys d ON d.erasure > $1",
        )
        .bind(*heard),
    }
    .fetch_all(session)
    .await
}

fn answer(rows: &[PgRow]) -> Result<Answer, Fault> {
    let corrupt = |what: &str| Fault::Refused(KeyStoreError::Corrupt(what.to_owned()));
    let first = rows.first().ok_or_else(|| corrupt("tillroll_keys.about is empty"))?;
    let master: Option<String> = first.try_get(0).map_err(fault)?;
    let mut persons = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(person) = row.try_get(2).map_err(fault)? {
            persons.push((person, row.try_get(3).map_err(fault)?));
        }
    }
    Ok(Answer {
        master: master.ok_or_else(|| corrupt("no master key on record"))?,
        erasures: first.try_get(1).map_err(fault)?,
        persons,
    })
}
