//! The memory that a search works in, a place in it for each product.

use std::sync::Mutex;

/// Rooms kept for the next searches.
const ROOMS_MAX: usize = 16;

/// Room to work in, kept because making it anew takes longer than a search.
#[derive(Default)]
pub(in super::super) struct Rooms(Mutex<Vec<Room>>);

/// By a product's place; all zero between searches.
#[derive(Default)]
pub(super) struct Room {
    /// Words that it has, or that something else stands for; a bit for each.
    pub(super) has: Vec<u32>,
    /// Words that have been counted in the score.
    pub(super) counted: Vec<u32>,
    pub(super) scores: Vec<f32>,
    /// Places that are not zero.
    pub(super) touched: Vec<usize>,
}

impl Rooms {
    pub(super) fn take(&self, places: usize) -> Room {
        let mut room =
            self.0.lock().unwrap_or_else(|lock| lock.into_inner()).pop().unwrap_or_default();
        room.has.resize(places, 0);
        room.counted.resize(places, 0);
        room.scores.resize(places, 0.0);
        room
    }

    pub(super) fn give_back(&self, mut room: Room) {
        for place in room.touched.drain(..) {
            room.has[place] = 0;
            room.counted[place] = 0;
            room.scores[place] = 0.0;
        }
        let mut rooms = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        if rooms.len() < ROOMS_MAX {
            rooms.push(room);
        }
    }
}

impl Room {
    pub(super) fn mark(&mut self, place: usize, covers: u32) {
        if self.has[place] == 0 {
            self.touched.push(place);
        }
        self.has[place] |= covers;
    }
}
