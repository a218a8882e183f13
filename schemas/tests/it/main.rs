//! Holds the frozen schemas and samples to the code, and the code to them.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod categories;
mod codec;
mod compatibility;
mod frozen;
mod messages;
mod samples;
mod validate;
