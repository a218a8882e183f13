//! The finder over a shop of its own, an engine that knows names, and vectors made by hand.

mod choosing;
mod embedding;
mod likeness;
mod pages;
mod personal;
mod shop;
