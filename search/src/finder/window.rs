//! Which part of a list has to be fetched for a page, and where in it the page lies.

use domain::ProductId;

use super::Cursor;
use super::request::OFFSET_MAX;

/// How far a cursor's product may have moved meanwhile and still be the place to go on from.
const SLACK: usize = 20;

/// A stretch of the list of everything found, and the page wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Of the first product to fetch.
    pub(super) offset: usize,
    /// Products to fetch.
    pub(super) fetch: usize,
    /// Where the page begins if there is nothing better to go by.
    begin: usize,
    limit: usize,
    behind: Option<ProductId>,
}

impl Window {
    /// `offset` products come before the page. With `from_first` those up to there are sorted anew
    /// after they were fetched, so that all of them are needed for a page among them.
    pub(super) fn new(
        offset: usize,
        limit: usize,
        cursor: Option<Cursor>,
        from_first: Option<usize>,
    ) -> Self {
        let slack = if cursor.is_some() { SLACK } else { 0 };
        let first = offset.saturating_sub(slack);
        let end = offset + limit + slack;
        let (first, end) = match from_first {
            Some(sorted) if first < sorted => (0, end.max(sorted)),
            Some(_) | None => (first, end),
        };
        let behind = cursor.map(|cursor| cursor.last);
        Self { offset: first, fetch: end - first, begin: offset, limit, behind }
    }

    /// Where the page lies in what was fetched.
    pub(super) fn page(&self, fetched: &[ProductId]) -> std::ops::Range<usize> {
        let near = self.begin.saturating_sub(SLACK)..self.begin + SLACK;
        let moved = self.behind.and_then(|last| {
            let at = fetched.iter().position(|id| *id == last)?;
            near.contains(&(self.offset + at)).then_some(at + 1)
        });
        // A last product that is gone is one less before the page. Rather one twice than one never.
        let gone = usize::from(self.behind.is_some());
        let otherwise = self.begin.saturating_sub(gone).saturating_sub(self.offset);
        let begin = moved.unwrap_or(otherwise).min(fetched.len());
        begin..(begin + self.limit).min(fetched.len())
    }

    /// The offset of the page after this one, if there is one.
    pub(super) fn next(&self, page: &std::ops::Range<usize>, total: u64) -> Option<usize> {
        let next = self.offset + page.end;
        let more = !page.is_empty() && (next as u64) < total && next < OFFSET_MAX;
        more.then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn ids(numbers: impl IntoIterator<Item = u128>) -> Vec<ProductId> {
        numbers.into_iter().map(|number| ProductId::new(Uuid::from_u128(number))).collect()
    }

    fn behind(last: u128, offset: u32) -> Cursor {
        Cursor { offset, last: ids([last])[0], question: 0 }
    }

    fn fetched(window: &Window, all: &[ProductId]) -> Vec<ProductId> {
        all.iter().skip(window.offset).take(window.fetch).copied().collect()
    }

    #[test]
    fn a_page_by_number_is_fetched_as_it_is() {
        let window = Window::new(24, 24, None, None);
        assert_eq!((window.offset, window.fetch), (24, 24));
        let all = ids(0..30);
        let page = window.page(&fetched(&window, &all));
        assert_eq!((page.clone(), window.next(&page, 30)), (0..6, None));
        assert_eq!(window.next(&(0..24), 60), Some(48));
        let beyond = Window::new(48, 24, None, None);
        let page = beyond.page(&fetched(&beyond, &all));
        assert_eq!((page.clone(), beyond.next(&page, 30)), (0..0, None));
        assert_eq!(Window::new(9_990, 10, None, None).next(&(0..10), 60_000), None);
    }

    #[test]
    fn the_next_page_goes_on_behind_the_last_product_wherever_it_is_now() {
        let next = |all: &[ProductId], last: u128| {
            let window = Window::new(30, 10, Some(behind(last, 30)), None);
            let fetched = fetched(&window, all);
            fetched[window.page(&fetched)].to_vec()
        };
        // As it was; with three new ones before; with four gone before.
        assert_eq!(next(&ids(0..100), 29), ids(30..40));
        assert_eq!(next(&ids((200..203).chain(0..100)), 29), ids(30..40));
        assert_eq!(next(&ids(4..100), 29), ids(30..40));
        // Gone itself, or too far away to be believed.
        assert_eq!(next(&ids((0..29).chain(30..100)), 29), ids(30..40));
        assert_eq!(next(&ids((200..225).chain(0..100)), 29), ids(4..14));
    }

    #[test]
    fn what_is_sorted_anew_is_fetched_from_the_first_on() {
        let window = Window::new(24, 24, None, Some(100));
        assert_eq!((window.offset, window.fetch), (0, 100));
        assert_eq!(window.page(&ids(0..100)), 24..48);
        let window = Window::new(90, 24, None, Some(100));
        assert_eq!((window.offset, window.fetch), (0, 114));
        let window = Window::new(110, 24, Some(behind(1, 110)), Some(100));
        assert_eq!((window.offset, window.fetch), (0, 154));
        let window = Window::new(100, 24, None, Some(100));
        assert_eq!((window.offset, window.fetch), (100, 24));
    }
}
