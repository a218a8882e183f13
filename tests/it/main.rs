//! Does the whole hold: the binary as its users meet it, the engine under simulation, and the real
//! orders through it.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod category_tree;
mod client;
mod command_line;
#[cfg(feature = "nats")]
mod consumer;
mod crash;
mod data_directory;
mod deploy;
mod finding;
mod flash_sale;
mod full_disk;
mod import;
mod journeys;
mod moving;
mod nodes;
mod on_eventstore;
mod process;
mod shop;
mod simulation;
