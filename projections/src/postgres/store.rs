//! Generations as schemas: `<schema>_<model>_<generation>` holds rows and checkpoint of one,
//! `<schema>_meta` says which serves, `<schema>` has the views, which are turned to another
//! generation in the transaction that makes it serve.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};

use uuid::Uuid;

use super::block::on_driver;
use super::links::{Links, Role};
use super::migrate::{bring_up, is_current};
use super::news::{Announcer, follow};
use super::options::PostgresOptions;
use super::server::{Server, check};
use super::session::Session;
use super::{lease, views};
use crate::StoreError;
use crate::directory::{Generation, HeldLock, OWNER, Place, SharedConnection, hold};
use crate::file::Pragmas;
use crate::progress::ModelPosition;
use crate::read_models::Inner;
use crate::sql::{Connection, Kind, OptionalExtension, params};

/// How long a generation that no longer serves is kept for those who have not heard of it.
const RETIRED_FOR: &str = "interval '10 seconds'";

/// A directory in PostgreSQL.
#[derive(Debug)]
pub(crate) struct Store {
    links: Arc<Links>,
    options: PostgresOptions,
    /// For what is about generations.
    meta: Mutex<Connection>,
    announcer: Announcer,
}

impl Store {
    pub(crate) fn open(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        options.check()?;
        let server = Server::parse(url)?;
        let (at, wanted) = (server.clone(), options.clone());
        on_driver(async move {
            let client = at.connect(None).await?;
            check(&client).await?;
            match wanted.migrate {
                true => bring_up(&client, &wanted).await,
                false => is_current(&client, &wanted).await,
            }
        })?;
        let links = Arc::new(Links::new(server.clone(), options.meta(), options.read_connections));
        let meta = Session::new(Arc::clone(&links), Role::Build, options.meta());
        Ok(Self {
            announcer: Announcer::new(server, &options.schema)?,
            links,
            options: options.clone(),
            meta: Mutex::new(Connection(Kind::Postgres(Box::new(meta)))),
        })
    }

    fn schema(&self, name: &str, generation: Generation) -> String {
        format!("{}_{name}_{generation}", self.options.schema)
    }

    /// Which generation of each model serves.
    fn all_serving(meta: &Connection) -> Result<BTreeMap<String, Generation>, StoreError> {
        let mut statement = meta.prepare_cached("SELECT name, serving FROM model")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Does `work` in a transaction.
    fn within<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let meta = hold(&self.meta);
        meta.begin()?;
        let outcome = work(&meta).and_then(|done| meta.commit().map(|()| done));
        if outcome.is_err() {
            meta.roll_back()?;
        }
        outcome
    }

    fn connection(&self, role: Role, name: &str, generation: Generation) -> SharedConnection {
        let session = Session::new(Arc::clone(&self.links), role, self.schema(name, generation));
        Arc::new(Mutex::new(Connection(Kind::Postgres(Box::new(session)))))
    }
}

impl Place for Store {
    fn lock(&self, name: &str) -> Result<Option<HeldLock>, StoreError> {
        if name != OWNER {
            return Ok(lease::advisory(&self.links, &self.options.schema, name)?.map(HeldLock::new));
        }
        let lease = lease::take(&self.links, Uuid::now_v7(), self.options.lease)?;
        Ok(lease.map(HeldLock::new))
    }

    fn serving(&self, name: &str) -> Result<Option<Generation>, StoreError> {
        hold(&self.meta)
            .prepare_cached("SELECT serving FROM model WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()
    }

    fn serve(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        let (views, meta_schema) = (&self.options.schema, &self.links.meta);
        self.within(|meta| {
            let epoch = self.links.epoch();
            meta.execute_batch(&format!(
                "SET LOCAL lock_timeout = '2s'; SELECT {meta_schema}.fence({epoch})"
            ))?;
            meta.prepare_cached(
                "INSERT INTO model VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET serving = excluded.serving",
            )?
            .execute(params![name, generation])?;
            if let Some(text) = views::of(name) {
                let rows = self.schema(name, generation);
                meta.execute_batch(&text.replace("{views}", views).replace("{rows}", &rows))?;
            }
            let serving = Self::all_serving(meta)?;
            let schemas = serving.iter().map(|(name, generation)| {
                (name.as_str(), *generation, self.schema(name, *generation))
            });
            meta.execute_batch(&views::about(views, &schemas.collect::<Vec<_>>()))?;
            meta.execute_batch(&format!("NOTIFY {views}, 'swapped'"))
        })
    }

    fn generations(&self, name: &str) -> Result<Vec<Generation>, StoreError> {
        let meta = hold(&self.meta);
        let mut statement = meta.prepare_cached(
            "SELECT generation FROM generation WHERE model = ?1 AND retired IS NULL
             ORDER BY generation",
        )?;
        let rows = statement.query_map([name], |row| row.get(0))?;
        rows.collect()
    }

    fn writer(
        &self,
        name: &str,
        generation: Generation,
        pragmas: Pragmas,
    ) -> Result<SharedConnection, StoreError> {
        self.within(|meta| {
            meta.prepare_cached(
                "INSERT INTO generation VALUES (?1, ?2) ON CONFLICT (model, generation)
                 DO UPDATE SET retired = NULL",
            )?
            .execute(params![name, generation])?;
            let schema = self.schema(name, generation);
            meta.execute_batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
        })?;
        let role = match pragmas {
            Pragmas::Live => Role::Write,
            Pragmas::Bulk | Pragmas::Query => Role::Build,
        };
        Ok(self.connection(role, name, generation))
    }

    fn reader(&self, name: &str, generation: Generation) -> Result<SharedConnection, StoreError> {
        Ok(self.connection(Role::Read, name, generation))
    }

    fn remove(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.meta)
            .prepare_cached(
                "UPDATE generation SET retired = now() WHERE model = ?1 AND generation = ?2
                 AND retired IS NULL",
            )?
            .execute_counted(params![name, generation])
            .map(drop)
    }

    fn mark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.meta)
            .prepare_cached(
                "UPDATE generation SET ready = true WHERE model = ?1 AND generation = ?2",
            )?
            .execute_counted(params![name, generation])
            .map(drop)
    }

    fn unmark_ready(&self, name: &str, generation: Generation) -> Result<(), StoreError> {
        hold(&self.meta)
            .prepare_cached(
                "UPDATE generation SET ready = false
                 WHERE model = ?1 AND generation = ?2 AND ready",
            )?
            .execute_counted(params![name, generation])
            .map(drop)
    }

    fn is_ready(&self, name: &str, generation: Generation) -> Result<bool, StoreError> {
        hold(&self.meta)
            .prepare_cached(
                "SELECT 1 FROM generation WHERE model = ?1 AND generation = ?2 AND ready",
            )?
            .exists(params![name, generation])
    }

    fn request_retry(&self, name: &str) -> Result<(), StoreError> {
        hold(&self.meta)
            .prepare_cached("INSERT INTO retry VALUES (?1) ON CONFLICT (model) DO NOTHING")?
            .execute_counted([name])
            .map(drop)
    }

    fn take_retry(&self, name: &str) -> Result<bool, StoreError> {
        let mut taken = 0;
        let meta = hold(&self.meta);
        // Asked first, for mostly there is none, and a statement that writes costs more.
        if meta.prepare_cached("SELECT 1 FROM retry WHERE model = ?1")?.exists([name])? {
            taken = meta
                .prepare_cached("DELETE FROM retry WHERE model = ?1")?
                .execute_counted([name])?;
        }
        Ok(taken > 0)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn announce(&self, positions: &[ModelPosition]) {
        self.announcer.tell(self.links.epoch.load(Ordering::Acquire), positions);
    }

    fn follow(&self, models: Weak<Inner>) {
        follow(&self.links.server, &self.options, models);
    }

    fn tidy(&self) -> Result<(), StoreError> {
        let old: Vec<(String, Generation)> = {
            let meta = hold(&self.meta);
            let mut statement = meta.prepare_cached(&format!(
                "SELECT model, generation FROM generation WHERE retired < now() - {RETIRED_FOR}"
            ))?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (name, generation) in old {
            let schema = self.schema(&name, generation);
            let gone = self.within(|meta| {
                meta.execute_batch(&format!(
                    "SET LOCAL lock_timeout = '1s'; DROP SCHEMA IF EXISTS {schema} CASCADE"
                ))?;
                meta.prepare_cached("DELETE FROM generation WHERE model = ?1 AND generation = ?2")?
                    .execute(params![name, generation])
            });
            if let Err(error) = gone {
                // Somebody reads it still.
                tracing::debug!(schema, %error, "an old generation stays for now");
            }
        }
        Ok(())
    }
}
