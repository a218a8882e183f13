//! What `tillroll verify` would say of the log: its laws are others than these, and judge alike.

use tillroll::verify::Laws;

use super::{Broken, Evidence};

pub(super) fn verify_says_the_same(evidence: &Evidence, broken: &mut Broken) {
    let mut laws = Laws::all();
    for event in &evidence.events {
        laws.observe(event);
    }
    for law in laws.finish().iter().filter(|law| !law.holds()) {
        broken.push(format!("{law:?}"));
    }
}
