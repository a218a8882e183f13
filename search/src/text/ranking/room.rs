//! The memory that a search works in, a place in it for each product.

use std::sync::Mutex;

use super::Hit;

/// Rooms kept for the next searches.
const ROOMS_MAX: usize = 16;

/// Room to work in, kept because making it anew takes longer than a search.
#[derive(Default)]
pub(in super::super) struct Rooms(Mutex<Vec<Room>>);

/// By a product's place; all zero between searches.
#[derive(Default)]
pub(in super::super) struct Room {
    /// Words that it has, or that something else stands for; a bit for each.
    pub(super) has: Vec<u32>,
    /// Words that have been counted in the score.
    pub(super) counted: Vec<u32>,
    pub(super) scores: Vec<f32>,
    /// What share of a phrase counts, while its lists are read.
    pub(super) shares: Vec<f32>,
    pub(in super::super) hits: Vec<Hit>,
    /// Places that are not zero, and room for as many as there are.
    places: Vec<u32>,
    touched: usize,
}

impl Rooms {
    pub(in super::super) fn take(&self, places: usize) -> Room {
        let mut room =
            self.0.lock().unwrap_or_else(|lock| lock.into_inner()).pop().unwrap_or_default();
        room.has.resize(places, 0);
        room.counted.resize(places, 0);
        room.scores.resize(places, 0.0);
        room.shares.resize(places, 0.0);
        // One more, to write to when all are touched.
        room.places.resize(places + 1, 0);
        room
    }

    /// For the next search. What an error leaves behind is to be dropped instead.
    pub(in super::super) fn give_back(&self, mut room: Room) {
        room.clear();
        let mut rooms = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        if rooms.len() < ROOMS_MAX {
            rooms.push(room);
        }
    }
}

impl Room {
    /// Without a branch: whether a product was there already is not to be guessed.
    pub(super) fn mark(&mut self, place: usize, covers: u32) {
        let has = &mut self.has[place];
        self.places[self.touched] = place as u32;
        self.touched += usize::from(*has == 0);
        *has |= covers;
    }

    /// Places that are not zero, as they were touched.
    pub(super) fn touched(&self) -> &[u32] {
        &self.places[..self.touched]
    }

    /// Marks a product that was touched already; does nothing to one that was not.
    pub(super) fn mark_seen(&mut self, place: usize, covers: u32) {
        let has = &mut self.has[place];
        *has |= if *has == 0 { 0 } else { covers };
    }

    /// Takes what products have, from one that was touched on, as counted.
    pub(super) fn count_from(&mut self, first: usize, words: u32) {
        for place in &self.places[first..self.touched] {
            self.counted[*place as usize] = self.has[*place as usize] & words;
        }
    }

    /// Takes a bit from all products; how many have exactly the words then.
    pub(super) fn clean(&mut self, bit: u32, words: u32) -> usize {
        let mut exactly = 0;
        for place in &self.places[..self.touched] {
            let has = &mut self.has[*place as usize];
            *has &= !bit;
            exactly += usize::from(*has == words);
        }
        exactly
    }

    pub(super) fn clear(&mut self) {
        for place in &self.places[..self.touched] {
            let place = *place as usize;
            self.has[place] = 0;
            self.counted[place] = 0;
            self.scores[place] = 0.0;
        }
        self.touched = 0;
        self.hits.clear();
    }

    /// Takes everything from some products, among those touched from one on.
    pub(super) fn forget(&mut self, first: usize, which: impl Fn(usize) -> bool) {
        for place in &self.places[first..self.touched] {
            if which(*place as usize) {
                self.has[*place as usize] = 0;
            }
        }
    }
}
