//! A column of lists: each row has any number of values, all of them lie in one vector.

/// Where a row's values are: 40 bits of start, 24 of length.
#[derive(Debug, Clone, Copy, Default)]
struct Place(u64);

impl Place {
    const LENGTH_BITS: u32 = 24;
    const LENGTH_MAX: usize = (1 << Self::LENGTH_BITS) - 1;

    fn new(start: usize, length: usize) -> Self {
        Self((start as u64) << Self::LENGTH_BITS | length as u64)
    }

    fn start(self) -> usize {
        (self.0 >> Self::LENGTH_BITS) as usize
    }

    fn length(self) -> usize {
        self.0 as usize & Self::LENGTH_MAX
    }
}

/// Room given back by lists that shrank or moved is used again once it is half of everything.
#[derive(Debug, Clone)]
pub(super) struct Lists<T> {
    places: Vec<Place>,
    values: Vec<T>,
    /// Values that belong to no row any more.
    dead: usize,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { places: Vec::new(), values: Vec::new(), dead: 0 }
    }
}

impl<T: Copy> Lists<T> {
    /// Dead values below which it is not worth moving all others.
    const DEAD_MIN: usize = 4096;

    /// What the row has; nothing for a row never set.
    pub(super) fn get(&self, row: usize) -> &[T] {
        let place = self.places.get(row).copied().unwrap_or_default();
        &self.values[place.start()..place.start() + place.length()]
    }

    /// Replaces the row's values; what goes beyond 16 million is cut off.
    pub(super) fn set(&mut self, row: usize, values: &[T]) {
        let values = &values[..values.len().min(Place::LENGTH_MAX)];
        if row >= self.places.len() {
            self.places.resize(row + 1, Place::default());
        }
        let before = self.places[row];
        let start = if values.len() <= before.length() {
            self.dead += before.length() - values.len();
            self.values[before.start()..before.start() + values.len()].copy_from_slice(values);
            before.start()
        } else {
            self.dead += before.length();
            self.values.extend_from_slice(values);
            self.values.len() - values.len()
        };
        self.places[row] = Place::new(start, values.len());
        if self.dead > Self::DEAD_MIN && self.dead > self.values.len() / 2 {
            self.move_together();
        }
    }

    fn move_together(&mut self) {
        let mut values = Vec::with_capacity(self.values.len() - self.dead);
        for place in &mut self.places {
            let start = values.len();
            values.extend_from_slice(&self.values[place.start()..place.start() + place.length()]);
            *place = Place::new(start, place.length());
        }
        self.values = values;
        self.dead = 0;
    }

    /// Gives back room kept for growing.
    pub(super) fn shrink(&mut self) {
        if self.dead > 0 {
            self.move_together();
        }
        self.values.shrink_to_fit();
        self.places.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Place>() + self.values.capacity() * size_of::<T>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is set in whatever order, each row has what it was given last.
        #[test]
        fn each_row_has_what_it_was_given_last(
            sets in prop::collection::vec((0_usize..20, 0_usize..2000, any::<u32>()), 0..200),
        ) {
            let mut lists = Lists::default();
            let mut expected = vec![Vec::new(); 20];
            for (row, length, seed) in sets {
                let values: Vec<u32> = (0..length as u32).map(|at| at ^ seed).collect();
                lists.set(row, &values);
                expected[row] = values;
            }
            for (row, values) in expected.iter().enumerate() {
                prop_assert_eq!(lists.get(row), values.as_slice());
            }
            let alive: usize = expected.iter().map(Vec::len).sum();
            prop_assert_eq!(lists.values.len() - lists.dead, alive);
            prop_assert!(lists.values.len() <= 2 * alive + Lists::<u32>::DEAD_MIN + 1);
            lists.shrink();
            for (row, values) in expected.iter().enumerate() {
                prop_assert_eq!(lists.get(row), values.as_slice());
            }
        }
    }
}
