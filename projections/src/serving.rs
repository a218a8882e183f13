//! Which file of a model serves: found at start, replaced by a rebuilt one while running.

use journal::{Journal, Position};

use crate::decode::decode;
use crate::directory::{Directory, Generation};
use crate::feed::{Feed, OnBadEvent};
use crate::models::Registration;
use crate::runner::store;
use crate::{Runner, RunnerError, StoreError};

/// Events read at a time while a rebuilt file catches up with the one it replaces.
const CATCH_UP_EVENTS: usize = 4_096;

/// Opens the serving file, or begins a new one where it cannot be used.
pub(crate) fn open(
    directory: &Directory,
    model: &Registration,
    journal: &dyn Journal,
) -> Result<Feed, StoreError> {
    let name = model.name();
    let generations = directory.generations(name)?;
    let serving = directory.serving(name)?;
    let why = match serving.filter(|generation| generations.contains(generation)) {
        None => "it has no file yet",
        Some(generation) => match usable(directory, model, generation, journal)? {
            Ok(feed) => {
                remove_leftovers(directory, name, generation, &generations)?;
                return Ok(feed);
            }
            Err(why) => why,
        },
    };
    // In a new directory that is how things begin, and nothing worth telling.
    if journal.head().0 > 0 {
        tracing::info!(model = name, why, "read model is built from the first event");
    }
    // Past the one that should serve too, whose file may be gone.
    let generation = 1 + generations.last().copied().max(serving).unwrap_or(0);
    let feed = Feed::open(directory, model, generation, journal.id(), OnBadEvent::Park)?;
    directory.serve(name, generation)?;
    if let Some(old) = serving {
        directory.remove(name, old)?;
    }
    Ok(feed)
}

/// The inner error says why the file has to be built anew. A file that merely cannot be read for
/// now, as with a disk that is full, is kept.
fn usable(
    directory: &Directory,
    model: &Registration,
    generation: Generation,
    journal: &dyn Journal,
) -> Result<Result<Feed, &'static str>, StoreError> {
    let opened = Feed::open(directory, model, generation, journal.id(), OnBadEvent::Park);
    let feed = match opened {
        Ok(feed) => feed,
        Err(error) if error.is_damage() => return Ok(Err("its file is damaged")),
        Err(error) => return Err(error),
    };
    Ok(if !feed.belongs_to(journal.id()) {
        Err("its file is of another journal or another version")
    } else if feed.position() > journal.head() {
        Err("its file has seen events that the journal does not have")
    } else {
        Ok(feed)
    })
}

/// Deletes files older than the serving one, unless a rebuild is at work on them.
fn remove_leftovers(
    directory: &Directory,
    name: &str,
    serving: Generation,
    generations: &[Generation],
) -> Result<(), StoreError> {
    directory.unmark_ready(name, serving)?;
    let older = generations.iter().filter(|generation| **generation < serving);
    let mut unused = Vec::new();
    for old in older {
        if !directory.is_ready(name, *old)? {
            unused.push(*old);
        }
    }
    if !unused.is_empty()
        && let Some(_no_rebuild) = directory.lock(&rebuild_lock(name))?
    {
        for generation in unused {
            directory.remove(name, generation)?;
        }
    }
    Ok(())
}

pub(crate) fn rebuild_lock(model: &str) -> String {
    format!("{model}.rebuild")
}

impl Runner {
    /// Looks for files that a rebuild has finished, here or in another process. Each catches up
    /// with the file it replaces, then answers in its place; the old file is deleted.
    ///
    /// # Errors
    /// `Journal`, `Store` and `Directory`; the old file then serves on.
    pub async fn adopt_ready(&mut self) -> Result<(), RunnerError> {
        for index in 0..self.feeds.len() {
            let (name, serving) = (self.feeds[index].name(), self.feeds[index].generation());
            let mut ready = None;
            for generation in self.directory.generations(name)? {
                if generation != serving && self.directory.is_ready(name, generation)? {
                    ready = Some(generation);
                }
            }
            // The lock keeps a rebuild from taking the finished file up again meanwhile.
            if let Some(ready) = ready
                && let Some(_no_rebuild) = self.directory.lock(&rebuild_lock(name))?
            {
                self.adopt(index, ready).await?;
            }
        }
        Ok(())
    }

    async fn adopt(&mut self, index: usize, generation: Generation) -> Result<(), RunnerError> {
        let name = self.feeds[index].name();
        let journal = self.journal.id();
        let model = *self.feeds[index].registration();
        let mut rebuilt =
            Feed::open(&self.directory, &model, generation, journal, OnBadEvent::Park)
                .map_err(store(name))?;
        if !rebuilt.belongs_to(journal) {
            tracing::warn!(model = name, generation, "rebuilt file is of another version: deleted");
            drop(rebuilt);
            return Ok(self.directory.remove(name, generation)?);
        }
        let target = self.feeds[index].position();
        while rebuilt.position() < target {
            let mut recorded = self.journal.read_all(rebuilt.position(), CATCH_UP_EVENTS).await?;
            recorded.truncate(recorded.partition_point(|event| event.position <= target));
            let end = recorded.last().map_or(target, |event| event.position);
            crate::runner::apply(&mut rebuilt, &decode(recorded), end, u64::MAX)?;
        }
        rebuilt.store_position().map_err(store(name))?;
        self.directory.serve(name, generation)?;
        let old = std::mem::replace(&mut self.feeds[index], rebuilt);
        self.read_models.switch(name, generation);
        self.publish();
        self.directory.unmark_ready(name, generation)?;
        self.directory.remove(name, old.generation())?;
        tracing::info!(model = name, generation, position = target.0, "rebuilt read model serves");
        Ok(())
    }

    /// The generation of a model that serves.
    #[must_use]
    pub fn generation(&self, model: &str) -> Option<(Generation, Position)> {
        let feed = self.feeds.iter().find(|feed| feed.name() == model)?;
        Some((feed.generation(), feed.position()))
    }
}
