//! How long a request waits for what it wants to see.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// One deadline for all waits of a request, however many models it answers from. It begins with the
/// first of them; clones are of the same request.
#[derive(Clone, Default)]
pub(super) struct Patience(Arc<OnceLock<Instant>>);

impl Patience {
    /// What is left of the `whole`.
    pub(super) fn left(&self, whole: Duration) -> Duration {
        let until = self.0.get_or_init(|| Instant::now() + whole);
        until.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_wait_took_is_gone_for_the_next() {
        let whole = Duration::from_secs(60);
        let patience = Patience::default();
        assert!(patience.left(whole) > Duration::from_secs(30));
        let took = Duration::from_millis(30);
        std::thread::sleep(took);
        assert!(patience.clone().left(whole) <= whole - took);
        let short = Patience::default();
        short.left(Duration::from_millis(1));
        std::thread::sleep(took);
        assert_eq!(short.left(whole), Duration::ZERO);
    }
}
