//! Searches take turns on threads of their own: as many at a time as there are processors, since more
//! would only share them, and all end late.
//!
//! A thread goes from one search to the next that waits by itself. Were each search handed to a thread
//! only when its turn has come, a processor would be idle meanwhile, for as long as two threads take to
//! wake up, which is about as long as a search takes.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::{Findings, Question, SearchError};

type Answer = Result<Findings, SearchError>;

pub(super) struct Turns {
    queue: Mutex<Queue>,
    at_once: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Question, oneshot::Sender<Answer>)>,
    /// Threads that search, or are about to.
    threads: usize,
}

impl Default for Turns {
    fn default() -> Self {
        let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { queue: Mutex::default(), at_once }
    }
}

impl Turns {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn and for the answer. Whoever stops waiting before the turn came is left out.
    pub(super) async fn take(
        self: &Arc<Self>,
        question: Question,
        search: impl Fn(&Question) -> Answer + Send + 'static,
    ) -> Answer {
        let (answer, answered) = oneshot::channel();
        let one_more = {
            let mut queue = self.queue();
            queue.waiting.push_back((question, answer));
            let one_more = queue.threads < self.at_once;
            queue.threads += usize::from(one_more);
            one_more
        };
        if one_more {
            let turns = Arc::clone(self);
            tokio::task::spawn_blocking(move || turns.search(search));
        }
        let gone = |_| SearchError::Unavailable("the node is being stopped".to_owned());
        answered.await.map_err(gone)?
    }

    /// Searches for as long as anybody waits.
    fn search(&self, search: impl Fn(&Question) -> Answer) {
        while let Some((question, answer)) = self.next() {
            if answer.is_closed() {
                continue;
            }
            let found = catch_unwind(AssertUnwindSafe(|| search(&question)));
            let broke_off = || SearchError::Other("a search did not come to an end".to_owned());
            // Who does not wait any more needs no answer.
            let _ = answer.send(found.unwrap_or_else(|_| Err(broke_off())));
        }
    }

    /// Who is next; if nobody is, the thread is through.
    fn next(&self) -> Option<(Question, oneshot::Sender<Answer>)> {
        let mut queue = self.queue();
        let next = queue.waiting.pop_front();
        queue.threads -= usize::from(next.is_none());
        next
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::conformance::{everything, text};

    #[tokio::test(flavor = "multi_thread")]
    async fn everybody_is_answered_and_no_more_search_at_once_than_may() {
        let turns = Arc::new(Turns { queue: Mutex::default(), at_once: 3 });
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let asked: Vec<_> = (0..100)
            .map(|limit| {
                let (turns, now, most) = (Arc::clone(&turns), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    let search = move |question: &Question| {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_micros(200));
                        now.fetch_sub(1, Ordering::SeqCst);
                        Ok(Findings { total: question.limit as u64, ..Findings::default() })
                    };
                    let question = Question { limit, ..everything() };
                    let found = turns.take(question, search).await.unwrap();
                    assert_eq!(found.total, limit as u64, "an answer is that of its question");
                })
            })
            .collect();
        for asked in asked {
            asked.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
        while turns.queue().threads > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_search_that_breaks_off_is_an_error_and_the_next_is_answered() {
        let turns = Arc::new(Turns { queue: Mutex::default(), at_once: 1 });
        let search = |question: &Question| match &question.text {
            Some(_) => panic!("breaks off"),
            None => Ok(Findings::default()),
        };
        let broken = turns.take(text("lantern"), search).await;
        assert!(matches!(broken, Err(SearchError::Other(_))), "{broken:?}");
        assert_eq!(turns.take(everything(), search).await.unwrap(), Findings::default());
    }
}
