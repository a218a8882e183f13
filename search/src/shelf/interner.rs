//! Small numbers for values that many products share: brands, tags, categories.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Stands for "no value" where a small number is expected.
pub(super) const NONE: u32 = u32::MAX;

/// Counts who uses each value; the number of one that nobody uses is given out again.
#[derive(Debug, Clone)]
pub(super) struct Interner<K> {
    ids: HashMap<K, u32>,
    entries: Vec<Option<Entry<K>>>,
    free: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Entry<K> {
    value: K,
    uses: u32,
}

impl<K> Default for Interner<K> {
    fn default() -> Self {
        Self { ids: HashMap::new(), entries: Vec::new(), free: Vec::new() }
    }
}

impl<K: Eq + Hash + Clone> Interner<K> {
    /// The value's number, if anybody uses it.
    pub(super) fn find<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        self.ids.get(value).copied()
    }

    /// One more use of the value.
    pub(super) fn hold(&mut self, value: &K) -> u32 {
        match self.find(value) {
            Some(id) => self.again(id),
            None => self.insert(value.clone()),
        }
    }

    fn again(&mut self, id: u32) -> u32 {
        if let Some(Some(entry)) = self.entries.get_mut(id as usize) {
            entry.uses += 1;
        }
        id
    }

    fn insert(&mut self, value: K) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            (self.entries.len() - 1) as u32
        });
        self.entries[id as usize] = Some(Entry { value: value.clone(), uses: 1 });
        self.ids.insert(value, id);
        id
    }

    /// One use less.
    pub(super) fn release(&mut self, id: u32) {
        let Some(place) = self.entries.get_mut(id as usize) else { return };
        let Some(entry) = place else { return };
        entry.uses -= 1;
        if entry.uses == 0 {
            self.ids.remove(&entry.value);
            *place = None;
            self.free.push(id);
        }
    }

    pub(super) fn value(&self, id: u32) -> Option<&K> {
        self.entries.get(id as usize)?.as_ref().map(|entry| &entry.value)
    }

    /// Every number given out is below.
    pub(super) fn bound(&self) -> usize {
        self.entries.len()
    }

    /// Without what the values themselves point to.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Option<Entry<K>>>()
            + self.ids.capacity() * (size_of::<(K, u32)>() + 1)
            + self.free.capacity() * size_of::<u32>()
    }
}

impl Interner<Arc<str>> {
    /// One more use of the text.
    pub(super) fn hold_text(&mut self, text: &str) -> u32 {
        match self.find(text) {
            Some(id) => self.again(id),
            None => self.insert(Arc::from(text)),
        }
    }

    pub(super) fn text(&self, id: u32) -> &str {
        self.value(id).map_or("", |text| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_out_again_only_after_the_last_use() {
        let mut interner = Interner::default();
        let red = interner.hold_text("red");
        assert_eq!(interner.hold_text("red"), red);
        let blue = interner.hold_text("blue");
        assert_ne!(red, blue);
        interner.release(red);
        assert_eq!(interner.find("red"), Some(red));
        interner.release(red);
        assert_eq!(interner.find("red"), None);
        assert_eq!(interner.text(red), "");
        assert_eq!(interner.hold_text("green"), red);
        assert_eq!(interner.text(red), "green");
        assert_eq!(interner.text(blue), "blue");
        assert_eq!(interner.bound(), 2);
    }
}
