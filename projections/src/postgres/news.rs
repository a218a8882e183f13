//! How far the models are, told by the node that writes to those that read: with `NOTIFY`, which
//! also tells of events that touched no row, and in the views, where it is looked for now and then.

use std::sync::Weak;
use std::time::Duration;

use journal::Position;
use tokio::sync::{mpsc, watch};
use tokio_postgres::Client;

use super::block::driver;
use super::faults::fault;
use super::options::PostgresOptions;
use super::server::Server;
use crate::StoreError;
use crate::progress::ModelPosition;
use crate::read_models::{Inner, News, Seen};

/// What is sent when another generation serves.
const SWAPPED: &str = "swapped";

/// Sends the latest news, and what came in between not at all.
#[derive(Debug)]
pub(super) struct Announcer(watch::Sender<String>);

impl Announcer {
    pub(super) fn new(server: Server, channel: &str) -> Result<Self, StoreError> {
        let (latest, mut news) = watch::channel(String::new());
        let send = format!("SELECT pg_notify('{channel}', $1)");
        driver()?.spawn(async move {
            let mut client: Option<Client> = None;
            while news.changed().await.is_ok() {
                let text = news.borrow_and_update().clone();
                if client.as_ref().is_none_or(Client::is_closed) {
                    // Who is not told looks by himself.
                    client = server.connect(None).await.ok();
                }
                if let Some(client) = &client
                    && let Err(error) = client.execute(&send, &[&text]).await
                {
                    tracing::debug!(error = %fault(&error), "no news of the read models");
                }
            }
        });
        Ok(Self(latest))
    }

    pub(super) fn tell(&self, epoch: u64, positions: &[ModelPosition]) {
        let mut text = epoch.to_string();
        for at in positions {
            text.push_str(&format!(" {}={}", at.model, at.position.0));
        }
        self.0.send_replace(text);
    }
}

/// Such as `7 orders=1204 carts=1204`.
fn parse(text: &str) -> Option<News> {
    let mut words = text.split(' ');
    let epoch = words.next()?.parse().ok()?;
    let positions = words.map(|word| {
        let (model, position) = word.split_once('=')?;
        Some((model.to_owned(), Position(position.parse().ok()?)))
    });
    Some(News { epoch, positions: positions.collect::<Option<_>>()? })
}

/// Keeps `models` up until they are gone.
pub(super) fn follow(server: &Server, options: &PostgresOptions, models: Weak<Inner>) {
    let (server, options) = (server.clone(), options.clone());
    match driver() {
        Ok(driver) => drop(driver.spawn(async move {
            while models.strong_count() > 0 {
                if let Err(error) = listen(&server, &options, &models).await {
                    tracing::debug!(%error, "no news of the read models");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        })),
        Err(error) => tracing::error!(%error, "the read models are not followed"),
    }
}

async fn listen(
    server: &Server,
    options: &PostgresOptions,
    models: &Weak<Inner>,
) -> Result<(), StoreError> {
    let (news, mut told) = mpsc::unbounded_channel();
    let client = server.connect(Some(news)).await?;
    if let Err(error) = client.batch_execute(&format!("LISTEN {}", options.schema)).await {
        // Some pools of connections do not pass it on; then looking has to do.
        tracing::warn!(error = %fault(&error), "PostgreSQL tells no news of the read models");
    }
    loop {
        let seen = look(&client, options).await?;
        let Some(inner) = models.upgrade() else { return Ok(()) };
        inner.saw(&seen);
        drop(inner);
        let until = tokio::time::Instant::now() + options.poll_every;
        while let Ok(text) = tokio::time::timeout_at(until, told.recv()).await {
            let Some(text) = text else {
                return Err(StoreError::Unavailable("the connection was lost".to_owned()));
            };
            let Some(inner) = models.upgrade() else { return Ok(()) };
            match parse(&text) {
                Some(news) => inner.heard(&news),
                None if text == SWAPPED => break,
                None => {}
            }
        }
    }
}

async fn look(client: &Client, options: &PostgresOptions) -> Result<Seen, StoreError> {
    let (views, meta) = (&options.schema, options.meta());
    let ask =
        |sql: String| async move { client.query(&sql, &[]).await.map_err(|error| fault(&error)) };
    let (progress, parked) = tokio::try_join!(
        ask(format!(
            "SELECT l.epoch, p.model, p.generation, p.position FROM {meta}.lease AS l \
             LEFT JOIN {views}.progress AS p ON true"
        )),
        ask(format!("SELECT model, position, stream, error FROM {views}.parked ORDER BY 1, 2")),
    )?;
    let number = |row: &tokio_postgres::Row, column: usize| {
        row.get::<_, Option<i64>>(column).unwrap_or_default().cast_unsigned()
    };
    let mut seen = Seen::default();
    for row in &progress {
        seen.news.epoch = number(row, 0);
        if let Some(model) = row.get::<_, Option<String>>(1) {
            seen.serving.push((model.clone(), number(row, 2)));
            seen.news.positions.push((model, Position(number(row, 3))));
        }
    }
    for row in &parked {
        seen.parked.push((row.get(0), Position(number(row, 1)), row.get(2), row.get(3)));
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_and_nothing_else_is() {
        let news = parse("7 orders=12 carts=9").expect("news");
        assert_eq!(news.epoch, 7);
        assert_eq!(
            news.positions,
            [("orders".to_owned(), Position(12)), ("carts".to_owned(), Position(9))]
        );
        for text in ["", SWAPPED, "7 orders", "7 orders=x", "x orders=1"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
