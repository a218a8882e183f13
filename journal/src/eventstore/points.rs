//! Where to go on reading the log: a small file beside the mirror.
//!
//! It is not synced, and the mirror may have lost its end when the machine fell over. So several
//! points are kept, and the newest is taken that the mirror has reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fold::Fold;
use crate::Epoch;

/// Points kept; the oldest go.
const KEPT: usize = 16;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Point {
    next: u64,
    last: Uuid,
    position: u64,
    epochs: BTreeMap<Arc<str>, Epoch>,
}

impl Point {
    pub(super) fn of(fold: &Fold) -> Self {
        Self {
            next: fold.next,
            last: fold.last,
            position: fold.position,
            epochs: fold.epochs.clone(),
        }
    }

    pub(super) fn fold(&self) -> Fold {
        Fold::at(self.next, self.last, self.position, self.epochs.clone())
    }
}

/// Oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Points(Vec<Point>);

impl Points {
    /// Those beside the mirror at `path`; none if there are none that can be read.
    pub(super) fn load(path: &Path) -> Self {
        let text = std::fs::read(beside(path)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The newest that a mirror with this head has reached.
    pub(super) fn newest(&self, head: u64) -> Option<&Point> {
        self.0.iter().rev().find(|point| point.position <= head)
    }

    pub(super) fn last(&self) -> u64 {
        self.0.last().map_or(0, |point| point.next)
    }

    pub(super) fn push(&mut self, point: Point) {
        self.0.retain(|earlier| earlier.next < point.next);
        self.0.push(point);
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    pub(super) fn save(&self, path: &Path) -> std::io::Result<()> {
        let target = beside(path);
        let mut new = target.clone().into_os_string();
        new.push(".new");
        std::fs::write(&new, serde_json::to_vec(self)?)?;
        std::fs::rename(new, target)
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".points");
    name.into()
}
