//! The embedded journal when things go wrong: kills, full disks, damage, second writers.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod archive;
mod copy;
mod crash;
mod damage;
mod disk;
mod heads;
mod other_process;
mod sample;
#[path = "../shared/varied.rs"]
mod varied;
