//! What a process that does not write is told by the one that does.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use journal::Position;

use super::{Inner, Slot};
use crate::ParkedEvent;
use crate::directory::{Generation, hold};
use crate::progress::ModelPosition;

/// What another process, which writes, said last.
#[derive(Debug, Default)]
pub(super) struct Heard {
    epoch: u64,
    positions: BTreeMap<&'static str, Position>,
}

/// How far models are, said by whoever wrote under this epoch.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) epoch: u64,
    pub(crate) positions: Vec<(String, Position)>,
}

/// What the store itself says: stored positions, serving generations, parked events (model,
/// position, stream, error).
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) news: News,
    pub(crate) serving: Vec<(String, Generation)>,
    pub(crate) parked: Vec<(String, Position, String, String)>,
}

impl Inner {
    /// Takes what the writer said. What was reached stays reached, unless another writes by now:
    /// a store that lost its last commits says less.
    pub(crate) fn heard(&self, news: &News) {
        if self.leads.load(Ordering::Acquire) {
            return;
        }
        let mut heard = hold(&self.heard);
        if news.epoch < heard.epoch {
            return;
        }
        if news.epoch > heard.epoch {
            *heard = Heard { epoch: news.epoch, positions: BTreeMap::new() };
        }
        for (model, position) in &news.positions {
            if let Some(slot) = self.slot(model) {
                let known = heard.positions.entry(slot.model).or_default();
                *known = (*known).max(*position);
            }
        }
        let at = |slot: &Slot| ModelPosition {
            model: slot.model,
            position: heard.positions.get(slot.model).copied().unwrap_or_default(),
        };
        self.progress.publish(self.slots.iter().map(at).collect());
    }

    /// Takes what was found in the store.
    pub(crate) fn saw(&self, seen: &Seen) {
        if self.leads.load(Ordering::Acquire) {
            return;
        }
        for (model, generation) in &seen.serving {
            self.switch(model, *generation);
        }
        let parked = self.slots.iter().flat_map(|slot| {
            let of_model = seen.parked.iter().filter(|(model, ..)| model == slot.model);
            of_model.filter_map(|(_, position, stream, error)| {
                Some(ParkedEvent {
                    model: slot.model,
                    position: *position,
                    stream: stream.parse().ok()?,
                    error: error.clone(),
                })
            })
        });
        self.progress.set_parked(parked.collect());
        self.heard(&seen.news);
    }
}
