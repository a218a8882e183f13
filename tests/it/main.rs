//! Does the whole hold: the engine under simulation, and the real orders through it.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod import;
mod simulation;
