//! What tests make happen to a feed.

use std::sync::Arc;

use super::Feed;
use crate::decode::Item;
use crate::directory::hold;

impl Feed {
    /// Folds and saves, then dies before the commit.
    pub(crate) fn crash_in(&mut self, items: &[Item]) {
        let connection = hold(&self.connection);
        connection.begin().unwrap();
        for event in items.iter().filter_map(|item| item.event.as_ref().ok()) {
            if self.model.wants(event) {
                self.model.fold(&connection, event).unwrap();
            }
        }
        self.model.flush(&connection).unwrap();
    }

    /// Sets everything aside that the model would want.
    pub(crate) fn park_all(&mut self, items: &[Item]) {
        let connection = Arc::clone(&self.connection);
        let connection = hold(&connection);
        for item in items {
            if item.event.as_ref().is_ok_and(|event| self.model.wants(event)) {
                assert!(self.park(&connection, item, "not understood").is_ok());
            }
            self.position = item.position;
        }
    }
}
