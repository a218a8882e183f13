//! An engine in a directory of its own, for tests of imports.

use std::path::Path;
use std::sync::Arc;

use journal::Position;

use super::{ImportClock, ImportInto, Progress};
use crate::compose::{Node, NodeOptions};

pub(super) struct Fixture {
    pub(super) into: ImportInto,
    node: Node,
    directory: tempfile::TempDir,
}

impl Fixture {
    pub(super) fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ImportClock::default());
        let mut options = NodeOptions::new(&directory.path().join("data"));
        options.clock = Arc::clone(&clock) as _;
        options.realtime_priority = false;
        let node = Node::open(&options).unwrap();
        let into = ImportInto {
            engine: node.engine.clone(),
            keys: Arc::clone(&node.keys) as _,
            gateway: Arc::clone(&node.sandbox) as _,
            clock,
        };
        Self { into, node, directory }
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn head(&self) -> Position {
        self.into.engine.bus().journal().head()
    }

    /// Waits until everything submitted so far is decided and durable.
    pub(super) async fn settle(&self) {
        let caller = commands::Caller::system();
        self.into.engine.bus().run(&caller, |_| Ok(())).await.unwrap();
    }

    pub(super) async fn close(self) {
        drop(self.into);
        self.node.close().await.unwrap();
    }
}

/// Watches nothing.
pub(super) fn quiet(_: Progress) {}
