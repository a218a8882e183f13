//! Work that goes on as long as the engine serves: it is noticed when any of it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Everything that must go on, by name.
#[derive(Default, Clone)]
pub struct UnderWay(Vec<(&'static str, Look)>);

/// Says what is wrong, if anything is.
type Look = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Goes with a piece of work; when it is dropped, the work has ended, however that came.
#[derive(Debug)]
pub struct EndMark(Arc<AtomicBool>);

impl UnderWay {
    /// To be kept by the work itself.
    #[must_use]
    pub fn begin(&mut self, name: &'static str) -> EndMark {
        let ended = Arc::new(AtomicBool::new(false));
        let mark = EndMark(Arc::clone(&ended));
        self.watch(name, move || match ended.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err("it has ended; the log says why".to_owned()),
        });
        mark
    }

    /// Something besides that can be broken.
    pub fn watch(
        &mut self,
        name: &'static str,
        look: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0.push((name, Arc::new(look)));
    }

    /// One for each piece of work, for `/readyz` to ask.
    #[must_use]
    pub fn checks(&self) -> Vec<(String, api::Check)> {
        let check = |(name, look): &(&'static str, Look)| {
            let look = Arc::clone(look);
            let check: api::Check = Box::new(move || look());
            ((*name).to_owned(), check)
        };
        self.0.iter().map(check).collect()
    }
}

impl Drop for EndMark {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ended_is_named_even_if_it_panicked() {
        let mut under_way = UnderWay::default();
        let (_goes_on, breaks) = (under_way.begin("desk"), under_way.begin("projector"));
        let checks = under_way.checks();
        assert!(checks.iter().all(|(_, check)| check().is_ok()));
        let worker = std::thread::spawn(move || {
            let _mark = breaks;
            panic!("for the test");
        });
        assert!(worker.join().is_err());
        let ended: Vec<&str> = checks
            .iter()
            .filter(|(_, check)| check().is_err())
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(ended, ["projector"]);
    }
}
