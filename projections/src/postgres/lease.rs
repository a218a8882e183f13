//! Who writes: a row of the store, so that what is written can be held to it in the same
//! transaction, whatever journal the events come from.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_postgres::Client;
use uuid::Uuid;

use super::block::{driver, on_driver, wait};
use super::faults::fault;
use super::links::{Link, Links, Role};
use crate::StoreError;

/// Kept until dropped, as long as it can be renewed in time.
pub(super) struct Lease {
    release: Option<oneshot::Sender<mpsc::Sender<()>>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            let (done, is_done) = mpsc::channel();
            if release.send(done).is_ok() {
                // A server that does not answer lets it lapse.
                let _ = is_done.recv_timeout(Duration::from_secs(2));
            }
        }
    }
}

/// Takes the lease; `None` while another has it.
pub(super) fn take(
    links: &Arc<Links>,
    owner: Uuid,
    time: Duration,
) -> Result<Option<Lease>, StoreError> {
    let at = Arc::clone(links);
    let taken = on_driver(async move {
        let client = at.server.connect(None).await?;
        let taken = client
            .query_opt(
                &format!(
                    "UPDATE {}.lease SET epoch = epoch + 1, owner = $1::text::uuid, \
                     until = clock_timestamp() + make_interval(secs => $2) \
                     WHERE until < clock_timestamp() RETURNING epoch",
                    at.meta
                ),
                &[&owner.to_string(), &time.as_secs_f64()],
            )
            .await
            .map_err(|error| fault(&error))?;
        Ok(taken.map(|row| (client, row.get::<_, i64>(0))))
    })?;
    let Some((client, epoch)) = taken else { return Ok(None) };
    links.epoch.store(epoch.cast_unsigned(), Ordering::Release);
    let (release, released) = oneshot::channel();
    driver()?.spawn(keep(Arc::clone(links), client, epoch, time, released));
    Ok(Some(Lease { release: Some(release) }))
}

/// Renews the lease until it is given up or another has it.
async fn keep(
    links: Arc<Links>,
    client: Client,
    epoch: i64,
    time: Duration,
    mut released: oneshot::Receiver<mpsc::Sender<()>>,
) {
    let mut client = Some(client);
    loop {
        tokio::select! {
            done = &mut released => {
                if let (Some(client), Ok(done)) = (client, done) {
                    let give_up = format!(
                        "UPDATE {}.lease SET until = '-infinity' WHERE epoch = {epoch}",
                        links.meta
                    );
                    let _ = client.batch_execute(&give_up).await;
                    let _ = done.send(());
                }
                return;
            }
            () = tokio::time::sleep(time / 3) => {}
        }
        if client.as_ref().is_none_or(Client::is_closed) {
            client = links.server.connect(None).await.ok();
        }
        let Some(session) = &client else { continue };
        let renew = format!(
            "UPDATE {}.lease SET until = clock_timestamp() + make_interval(secs => $2) \
             WHERE epoch = $1",
            links.meta
        );
        let renewing = async { session.execute(&renew, &[&epoch, &time.as_secs_f64()]).await };
        match tokio::time::timeout(time, renewing).await {
            // Another has it; whoever writes on is refused by the fence.
            Ok(Ok(0)) => return,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = %fault(&error), "the read models' lease is not renewed");
            }
            Err(_) => client = None,
        }
    }
}

/// A lock of the server, held as long as its connection at the most.
pub(super) struct Advisory(Link);

impl Drop for Advisory {
    fn drop(&mut self) {
        // Else it is free only when the server has noticed that the connection ended.
        let _ = wait(self.0.client.batch_execute("SELECT pg_advisory_unlock_all()"));
    }
}

/// Takes the lock `name`; `None` while another has it.
pub(super) fn advisory(
    links: &Links,
    schema: &str,
    name: &str,
) -> Result<Option<Advisory>, StoreError> {
    let link = links.open(Role::Build)?;
    let client = Arc::clone(&link.client);
    let name = format!("{schema}.{name}");
    let is_free = on_driver(async move {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
        let locked = client.query_one(sql, &[&name]).await.map_err(|error| fault(&error))?;
        Ok(locked.get::<_, bool>(0))
    })?;
    Ok(is_free.then_some(Advisory(link)))
}
