//! The master keys this node knows, and which of them is in force.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::faults::said;
use crate::key_store::master_key::{MASTER_KEY_FILE, NEXT_MASTER_KEY_FILE, adopt_next};
use crate::key_store::sealing::SecretKey;
use crate::key_store::{Entropy, KeyStoreError, MasterKey};

/// Master keys in memory, and the directory where another may be found.
pub(super) struct Masters {
    known: Mutex<Vec<MasterKey>>,
    dir: Option<PathBuf>,
}

impl Masters {
    pub(super) fn given(master: MasterKey) -> Self {
        Self { known: Mutex::new(vec![master]), dir: None }
    }

    pub(super) fn in_data_dir(dir: &Path) -> Self {
        Self { known: Mutex::default(), dir: Some(dir.to_owned()) }
    }

    pub(super) fn add(&self, master: MasterKey) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|other| other.fingerprint() != master.fingerprint());
        known.push(master);
    }

    /// The one with this fingerprint. Looks at the files again if it is not known, since another
    /// node may have changed the master key and somebody may have brought it here.
    pub(super) fn with(&self, fingerprint: &str) -> Result<MasterKey, KeyStoreError> {
        let found = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.iter().find(|master| master.fingerprint() == fingerprint).cloned()
        };
        if let Some(master) = found {
            return Ok(master);
        }
        let wrong = |given: &MasterKey| KeyStoreError::WrongMasterKey {
            expected: fingerprint.to_owned(),
            given: given.fingerprint(),
        };
        let Some(dir) = &self.dir else {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            return Err(known.last().map_or(KeyStoreError::Closed, wrong));
        };
        // In this order: a rotation moves the next one to the place of the one in force.
        let next = MasterKey::load(&dir.join(NEXT_MASTER_KEY_FILE));
        let in_force = MasterKey::load(&dir.join(MASTER_KEY_FILE));
        for master in [&in_force, &next].into_iter().flatten() {
            if master.fingerprint() == fingerprint {
                self.add(master.clone());
                return Ok(master.clone());
            }
        }
        Err(wrong(&in_force?))
    }

    /// Opens a data key as it is on record.
    pub(super) fn open(
        &self,
        fingerprint: &str,
        person: Uuid,
        wrapped: &[u8],
    ) -> Result<SecretKey, KeyStoreError> {
        SecretKey::unwrap(self.with(fingerprint)?.key(), person, wrapped)
            .ok_or_else(|| KeyStoreError::Corrupt(format!("the key of {person} does not open")))
    }

    /// Makes sure that this node has the master key of the store. A store without one takes this
    /// node's if `fresh` allows, which makes one if there is none.
    pub(super) async fn recognise(
        &self,
        session: &mut PgConnection,
        fresh: Option<&dyn Entropy>,
        place: &str,
    ) -> Result<(), KeyStoreError> {
        if let Some(fingerprint) = on_record(session, false).await? {
            return self.adopt(&fingerprint);
        }
        let Some(entropy) = fresh else {
            return Err(KeyStoreError::StoreEmpty { place: place.to_owned() });
        };
        // Two nodes that bring their first key at once do so one after the other.
        let mut work = session.begin().await.map_err(said)?;
        if let Some(fingerprint) = on_record(&mut work, true).await? {
            return self.adopt(&fingerprint);
        }
        if let Some(dir) = &self.dir {
            self.add(MasterKey::of_data_dir(dir, entropy)?);
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let master = known.ok_or(KeyStoreError::Closed)?;
        sqlx::query("UPDATE tillroll_keys.about SET master_key = $1")
            .bind(master.fingerprint())
            .execute(&mut *work)
            .await
            .map_err(said)?;
        work.commit().await.map_err(said)
    }

    /// Takes the key in force, and puts its file in its place if a rotation was cut off before that.
    fn adopt(&self, fingerprint: &str) -> Result<(), KeyStoreError> {
        self.with(fingerprint)?;
        let Some(dir) = &self.dir else { return Ok(()) };
        match MasterKey::load(&dir.join(NEXT_MASTER_KEY_FILE)) {
            Ok(next) if next.fingerprint() == fingerprint => adopt_next(dir),
            _ => Ok(()),
        }
    }
}

/// Fingerprint of the master key in force, kept as it is until the transaction ends if `hold`.
pub(super) async fn on_record(
    session: &mut PgConnection,
    hold: bool,
) -> Result<Option<String>, KeyStoreError> {
    let sql = if hold {
        "SELECT master_key FROM tillroll_keys.about FOR UPDATE"
    } else {
        "SELECT master_key FROM tillroll_keys.about"
    };
    sqlx::query(sql).fetch_one(session).await.and_then(|row| row.try_get(0)).map_err(said)
}

/// Puts every data key under `to`, in one transaction.
pub(super) async fn rotate(
    session: &mut PgConnection,
    masters: &Masters,
    to: &MasterKey,
    entropy: &dyn Entropy,
) -> Result<(), KeyStoreError> {
    const PAGE: i64 = 1_000;
    let mut work = session.begin().await.map_err(said)?;
    sqlx::query("SELECT pg_advisory_xact_lock(tillroll_keys.master_lock())")
        .execute(&mut *work)
        .await
        .map_err(said)?;
    // Erasures wait for this row before they touch any other.
    let from = on_record(&mut work, true).await?;
    let from = from.unwrap_or_else(|| to.fingerprint());
    if from == to.fingerprint() {
        return Ok(());
    }
    let mut next = Some(Uuid::nil());
    while let Some(start) = next {
        let page = sqlx::query(
            "SELECT person, wrapped FROM tillroll_keys.data_keys \
             WHERE person >= $1 AND wrapped IS NOT NULL ORDER BY person LIMIT $2",
        )
        .bind(start)
        .bind(PAGE)
        .fetch_all(&mut *work)
        .await
        .map_err(said)?;
        let (mut persons, mut wrapped) = (Vec::new(), Vec::new());
        for row in page {
            let person: Uuid = row.try_get(0).map_err(said)?;
            let old = Zeroizing::new(row.try_get::<Vec<u8>, _>(1).map_err(said)?);
            wrapped.push(masters.open(&from, person, &old)?.wrap(to.key(), person, entropy)?);
            persons.push(person);
        }
        next = persons.last().and_then(|last| last.as_u128().checked_add(1)).map(Uuid::from_u128);
        sqlx::query(
            "UPDATE tillroll_keys.data_keys AS d SET wrapped = new.wrapped \
             FROM unnest($1, $2) AS new (person, wrapped) \
             WHERE d.person = new.person AND d.wrapped IS NOT NULL",
        )
        .bind(&persons)
        .bind(&wrapped)
        .execute(&mut *work)
        .await
        .map_err(said)?;
    }
    sqlx::query("UPDATE tillroll_keys.about SET master_key = $1")
        .bind(to.fingerprint())
        .execute(&mut *work)
        .await
        .map_err(said)?;
    work.commit().await.map_err(said)
}
