//! Tillroll: an event-sourced order engine in one binary.
//!
//! This crate puts the parts together: configuration, the command line, and `compose`, the only
//! module that names every adapter.

mod block_on;
pub mod cli;
pub mod compose;
pub mod demo;
pub mod import;
pub mod replay;
pub mod secrets;
pub mod under_way;
pub mod verify;
